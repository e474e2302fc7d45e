"""Medians and ratios of a bench: report.py {load,apply} FOLDER COUNT sluice PEER..., from the result files that load.sh and apply.sh write."""

import statistics
import sys
from pathlib import Path

NAMES = {"mydumper": "mydumper+myloader", "mysqldump": "mysqldump|mysql", "replica": "MariaDB replica, 1 thread", "pg_dump": "pg_dump|psql",
         "tablesync": "subscription's copy", "pgcopydb": "pgcopydb clone", "subscription": "PostgreSQL subscription"}


def main() -> None:
    part, folder, count, keys = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    runs = {key: [[float(v) for v in line.split()] for line in (folder / f"{part}_{key}").read_text().splitlines()] for key in keys}
    unit, servers = ("rows", "both servers") if part == "load" else ("transactions", "the target")
    seconds = {key: statistics.median(r[0] for r in rows) for key, rows in runs.items()}
    for key in keys:
        cpu = statistics.median(r[1] for r in runs[key]) / count * 1e6
        low, high = min(r[0] for r in runs[key]), max(r[0] for r in runs[key])
        print(f"{NAMES.get(key, key):26} {seconds[key]:7.2f} s ({low:.2f} to {high:.2f})  {count / seconds[key]:9.0f} {unit}/s, "
              f"{cpu:6.2f} CPU-s of {servers} per million {unit}")
    for key in keys[1:]:
        print(f"ratio to {NAMES.get(key, key)}: {seconds[key] / seconds['sluice']:.2f}")
    ours = runs["sluice"]
    print(f"our worker: {statistics.median(r[2] for r in ours) / count * 1e6:.2f} CPU-s per million {unit}, "
          f"peak RSS {max(r[3] for r in ours) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
