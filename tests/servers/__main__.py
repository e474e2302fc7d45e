"""Command line of the test servers; needs nothing but Python's standard library.

    python3 -m servers start {mariadb,mysql} --dir D [--port N] [--option name=value ...]
    python3 -m servers stop --dir D [--kill]
    python3 -m servers guard --dir D --pid N        when process N ends: kills every server in D/*, removes D
    python3 -m servers prepare {mariadb,mysql}      fills the cache, starts nothing

start prints one line of JSON (see Server.info) and leaves the server running; a server that is
already up in D is left as it is. stop prints nothing and is content when nothing runs.
Ctrl-C during a start ends the server that was starting.
"""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

from . import MariaDB, MySQL, ServerError, Unavailable, process

KINDS = {"mariadb": MariaDB, "mysql": MySQL}


def _state(folder: Path) -> dict | None:
    """server.json of a folder when the process it names still runs."""
    try:
        state = json.loads((folder / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return state if process.is_alive(state["pid"], state["start_ticks"]) else None


class _Interrupts:
    """SIGINT and SIGTERM are noted and not obeyed, so that a server is never started and forgotten."""

    def __init__(self):
        self.seen = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number, _frame) -> None:
        self.seen = number


def _start(args) -> None:
    interrupts = _Interrupts()
    try:
        state = _start_or_find(args)
    except Exception:
        if interrupts.seen:  # the terminal's Ctrl-C went to the programs that we run, too
            sys.exit(128 + interrupts.seen)
        raise
    if interrupts.seen:
        process.end(state["pid"], state["start_ticks"], signal.SIGKILL, 30)
        sys.exit(128 + interrupts.seen)
    print(json.dumps(state))


def _start_or_find(args) -> dict:
    state = _state(args.dir)
    if state is None:
        options = dict(o.partition("=")[::2] if "=" in o else (o, True) for o in args.option)
        extra = {"gtid": False} if args.no_gtid else {}
        server = KINDS[args.kind](
            dir=args.dir, port=args.port, server_id=args.server_id, buffer_pool=args.buffer_pool,
            flush_log=args.flush_log, sync_binlog=args.sync_binlog, options=options, detached=True,
            **extra)
        state = server.start().info()
    elif state["kind"] != args.kind:
        raise ServerError(f"{args.dir} holds a running {state['kind']}; choose another folder")
    return state


def _stop(args) -> None:
    state = _state(args.dir)
    kind = signal.SIGKILL if args.kill else signal.SIGTERM
    if state and not process.end(state["pid"], state["start_ticks"], kind, args.timeout):
        raise ServerError(f"the server in {args.dir} (pid {state['pid']}) did not stop "
                          f"within {args.timeout:.0f} s")


def _guard(args) -> None:
    process.wait_end(args.pid)
    for state in [_state(path.parent) for path in args.dir.glob("*/server.json")]:
        if state:
            process.end(state["pid"], state["start_ticks"], signal.SIGKILL, 30)
    # A service that ends by itself may still write into the folder for a moment.
    process.wait_until(lambda: shutil.rmtree(args.dir, ignore_errors=True) or not args.dir.exists(), 30, 0.2)


def _prepare(args) -> None:
    KINDS[args.kind].prepare()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m servers", description="private test servers")
    verbs = parser.add_subparsers(required=True)
    start = verbs.add_parser("start", help="start a server and leave it running")
    start.add_argument("kind", choices=KINDS)
    start.add_argument("--dir", type=Path, required=True)
    start.add_argument("--port", type=int)
    start.add_argument("--server-id", type=int)
    start.add_argument("--buffer-pool", default="128M")
    start.add_argument("--flush-log", default=2, type=int, help="innodb_flush_log_at_trx_commit")
    start.add_argument("--sync-binlog", default=0, type=int)
    start.add_argument("--no-gtid", action="store_true", help="mysql only: gtid_mode=OFF")
    start.add_argument("--option", action="append", default=[], metavar="NAME[=VALUE]")
    start.set_defaults(run=_start)
    stop = verbs.add_parser("stop", help="shut down the server of a folder")
    stop.add_argument("--dir", type=Path, required=True)
    stop.add_argument("--timeout", type=float, default=60.0, help="seconds")
    stop.add_argument("--kill", action="store_true", help="at once; for a folder that is thrown away")
    stop.set_defaults(run=_stop)
    guard = verbs.add_parser("guard", help="remove a folder and its servers when a process ends")
    guard.add_argument("--dir", type=Path, required=True)
    guard.add_argument("--pid", type=int, required=True)
    guard.set_defaults(run=_guard)
    prepare = verbs.add_parser("prepare", help="fill the cache")
    prepare.add_argument("kind", choices=KINDS)
    prepare.set_defaults(run=_prepare)
    args = parser.parse_args()
    try:
        args.run(args)
    except (ServerError, Unavailable, OSError) as error:
        print(f"servers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
