"""Command line of the test servers; needs nothing but Python's standard library.

    python3 -m servers start {mariadb,mysql,postgresql} --dir D [--port N] [--option name=value ...]
    python3 -m servers stop --dir D [--kill]
    python3 -m servers guard --dir D --pid N        when process N ends: kills every server in D/*, removes D
    python3 -m servers prepare {mariadb,mysql,postgresql}      fills the cache, starts nothing

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

from . import MariaDB, MySQL, PostgreSQL, ServerError, Unavailable, process
from .base import read_state

KINDS = {kind.kind: kind for kind in (MariaDB, MySQL, PostgreSQL)}
_OF_THE_PROGRAM = {"run", "kind", "option", "dir", "port"}  # the rest of the arguments is the class's


def _state(folder: Path) -> dict | None:
    """server.json of a folder when the process it names still runs."""
    state = read_state(folder)
    return state if state and process.is_alive(state["pid"], state["start_ticks"]) else None


def _kill(state: dict, timeout_s: float) -> bool:
    """End a server whose folder goes, too; True when it is gone in time."""
    identity = state["pid"], state["start_ticks"]
    return (process.end(*identity, KINDS[state["kind"]].discard_signal, timeout_s)
            or process.kill_family(*identity, timeout_s))


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
        _kill(state, 30)
        sys.exit(128 + interrupts.seen)
    print(json.dumps(state))


def _start_or_find(args) -> dict:
    state = _state(args.dir)
    if state is None:
        options = dict(o.partition("=")[::2] if "=" in o else (o, True) for o in args.option)
        special = {name: value for name, value in vars(args).items() if name not in _OF_THE_PROGRAM}
        server = KINDS[args.kind](dir=args.dir, port=args.port, options=options, detached=True, **special)
        state = server.start().info()
    elif state["kind"] != args.kind or state.get("version") != getattr(args, "version", None):
        raise ServerError(f"{args.dir} holds a running {state['kind']} {state.get('version', '')}".rstrip()
                          + "; choose another folder")
    return state


def _stop(args) -> None:
    state = _state(args.dir)
    if not state:
        return
    done = (_kill(state, args.timeout) if args.kill else
            process.end(state["pid"], state["start_ticks"], KINDS[state["kind"]].stop_signal, args.timeout))
    if not done:
        raise ServerError(f"the server in {args.dir} (pid {state['pid']}) did not stop "
                          f"within {args.timeout:.0f} s")


def _guard(args) -> None:
    process.wait_end(args.pid)
    for state in [_state(path.parent) for path in args.dir.glob("*/server.json")]:
        if state:
            _kill(state, 30)
    # A service that ends by itself may still write into the folder for a moment.
    process.wait_until(lambda: shutil.rmtree(args.dir, ignore_errors=True) or not args.dir.exists(), 30, 0.2)


def _prepare(args) -> None:
    KINDS[args.kind].prepare(**{name: value for name, value in vars(args).items() if name not in _OF_THE_PROGRAM})


def _start_arguments(verb) -> None:
    kinds = verb.add_subparsers(required=True, dest="kind", metavar="KIND")
    for name, kind in KINDS.items():
        start = kinds.add_parser(name, help=kind.__doc__.splitlines()[0])
        start.add_argument("--dir", type=Path, required=True)
        start.add_argument("--port", type=int)
        start.add_argument("--option", action="append", default=[], metavar="NAME[=VALUE]")
        kind.add_arguments(start)
        start.set_defaults(run=_start)


def _prepare_arguments(verb) -> None:
    kinds = verb.add_subparsers(required=True, dest="kind", metavar="KIND")
    for name, kind in KINDS.items():
        prepare = kinds.add_parser(name)
        kind.add_prepare_arguments(prepare)
        prepare.set_defaults(run=_prepare)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m servers", description="private test servers")
    verbs = parser.add_subparsers(required=True)
    _start_arguments(verbs.add_parser("start", help="start a server and leave it running"))
    stop = verbs.add_parser("stop", help="shut down the server of a folder")
    stop.add_argument("--dir", type=Path, required=True)
    stop.add_argument("--timeout", type=float, default=60.0, help="seconds")
    stop.add_argument("--kill", action="store_true", help="at once; for a folder that is thrown away")
    stop.set_defaults(run=_stop)
    guard = verbs.add_parser("guard", help="remove a folder and its servers when a process ends")
    guard.add_argument("--dir", type=Path, required=True)
    guard.add_argument("--pid", type=int, required=True)
    guard.set_defaults(run=_guard)
    _prepare_arguments(verbs.add_parser("prepare", help="fill the cache"))
    args = parser.parse_args()
    try:
        args.run(args)
    except (ServerError, Unavailable, OSError) as error:
        print(f"servers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
