"""Command line of the test servers; needs nothing but Python's standard library.

    python3 -m servers start {mariadb,mysql} --dir D [--port N] [--option name=value ...]
    python3 -m servers stop --dir D
    python3 -m servers prepare {mariadb,mysql}      fills the cache, starts nothing

start prints one line of JSON (see Server.info) and leaves the server running; a server that is
already up in D is left as it is. stop prints nothing and is content when nothing runs.
"""

import argparse
import json
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


def _start(args) -> None:
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
    print(json.dumps(state))


def _stop(args) -> None:
    state = _state(args.dir)
    if state and not process.end(state["pid"], state["start_ticks"], signal.SIGTERM, args.timeout):
        raise ServerError(f"the server in {args.dir} (pid {state['pid']}) did not stop "
                          f"within {args.timeout:.0f} s")


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
    stop.set_defaults(run=_stop)
    prepare = verbs.add_parser("prepare", help="fill the cache")
    prepare.add_argument("kind", choices=KINDS)
    prepare.set_defaults(run=_prepare)
    args = parser.parse_args()
    try:
        args.run(args)
    except (ServerError, Unavailable) as error:
        print(f"servers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
