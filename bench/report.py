"""Medians and ratios of a bench: report.py {load,apply} FOLDER COUNT, from the result files that load.sh and apply.sh write."""

import statistics
import sys
from pathlib import Path

NAMES = {
    "load": {"sluice": "sluice", "mydumper": "mydumper+myloader", "mysqldump": "mysqldump|mysql"},
    "apply": {"sluice": "sluice", "replica": "MariaDB replica, 1 thread"},
}


def main() -> None:
    part, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    runs = {key: [[float(v) for v in line.split()] for line in (folder / f"{part}_{key}").read_text().splitlines()]
            for key in NAMES[part]}
    unit, servers = ("rows", "both servers") if part == "load" else ("transactions", "the target")
    seconds = {key: statistics.median(r[0] for r in rows) for key, rows in runs.items()}
    for key, name in NAMES[part].items():
        cpu = statistics.median(r[1] for r in runs[key]) / count * 1e6
        low, high = min(r[0] for r in runs[key]), max(r[0] for r in runs[key])
        print(f"{name:26} {seconds[key]:7.2f} s ({low:.2f} to {high:.2f})  {count / seconds[key]:9.0f} {unit}/s, "
              f"{cpu:6.2f} CPU-s of {servers} per million {unit}")
    for key, name in list(NAMES[part].items())[1:]:
        print(f"ratio to {name}: {seconds[key] / seconds['sluice']:.2f}")
    ours = runs["sluice"]
    print(f"our worker: {statistics.median(r[2] for r in ours) / count * 1e6:.2f} CPU-s per million {unit}, "
          f"peak RSS {max(r[3] for r in ours) / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
