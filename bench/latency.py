"""Latency of a running job: latency.py WORK SOURCE-SCHEMA TARGET-SCHEMA. One process commits single-row updates of sbtest1 at 1 000 a second, another asks the
destination for the newest one, with pauses of PAUSE_S: without any it would take a core from what it measures. The time from the answer to a COMMIT to the first
sight of its row counts. Prints median and 99th percentile."""

import json
import multiprocessing
import sys
import time
from pathlib import Path

RATE, SECONDS, PAUSE_S = 1000, 10, 0.0002


def connect(state):
    if state["kind"] == "postgresql":
        import psycopg
        return psycopg.connect(host=state["socket"], port=state["port"], user=state["user"], password=state["password"], dbname="sbtest", autocommit=True)
    import pymysql
    return pymysql.connect(unix_socket=state["socket"], user=state["user"], password=state["password"], database="sbtest", autocommit=True)


def write(state, schema, out):
    committed = []
    with connect(state) as c, c.cursor() as cursor:
        begin = time.monotonic()
        for n in range(1, RATE * SECONDS + 1):
            wait = begin + n / RATE - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            cursor.execute(f"UPDATE {schema}.sbtest1 SET k = {n} WHERE id = 1")
            committed.append(time.monotonic())
    out.put(committed)


def watch(state, schema, last, out):
    seen = {}
    with connect(state) as c, c.cursor() as cursor:
        n, deadline = 0, time.monotonic() + SECONDS + 60
        while n != last and time.monotonic() < deadline:
            cursor.execute(f"SELECT k FROM {schema}.sbtest1 WHERE id = 1")
            now, found = time.monotonic(), cursor.fetchone()[0]
            if found != n and found <= last:
                seen[found] = now
                n = found
            time.sleep(PAUSE_S)
    out.put(seen)


def main():
    work = Path(sys.argv[1])
    source, target = (json.loads((work / end / "server.json").read_text()) for end in ("source", "target"))
    with connect(source) as c, c.cursor() as cursor:
        cursor.execute(f"UPDATE {sys.argv[2]}.sbtest1 SET k = 0 WHERE id = 1")
    with connect(target) as c, c.cursor() as cursor:
        while cursor.execute(f"SELECT k FROM {sys.argv[3]}.sbtest1 WHERE id = 1") and cursor.fetchone()[0] != 0:
            time.sleep(0.1)
    committed, seen = multiprocessing.Queue(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=watch, args=(target, sys.argv[3], RATE * SECONDS, seen)),
                 multiprocessing.Process(target=write, args=(source, sys.argv[2], committed))]
    for p in processes:
        p.start()
    committed, seen = committed.get(timeout=SECONDS + 120), seen.get(timeout=SECONDS + 120)
    for p in processes:
        p.join()
    # A later value stands for those before it: they were there at the latest then.
    waits, order = [], sorted(seen)
    for n in range(1, len(committed) + 1):
        while order and order[0] < n:
            order.pop(0)
        if order:
            waits.append(max(0.0, seen[order[0]] - committed[n - 1]))
    if len(waits) < len(committed):
        sys.exit(f"{len(committed) - len(waits)} of {len(committed)} changes did not arrive")
    waits.sort()
    rate = (len(committed) - 1) / (committed[-1] - committed[0])
    print(f"latency at {rate:.0f} transactions/s: p50 {waits[len(waits) // 2] * 1000:.2f} ms, p99 {waits[len(waits) * 99 // 100] * 1000:.2f} ms, "
          f"max {waits[-1] * 1000:.1f} ms over {len(waits)} changes")


if __name__ == "__main__":
    main()
