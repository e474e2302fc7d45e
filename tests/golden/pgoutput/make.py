#!/usr/bin/env python3
"""Makes the golden streams: python3 make.py {15|17|18} NAME ..., from the folder tests/golden/pgoutput.

Runs NAME.sql on a private server (tests/servers). Its comments steer:
    -- option: NAME=VALUE           a server option
    -- stream: LABEL OPTION ...     one slot of pgoutput with these plugin options
                                    (both: "since=16" behind leaves it out on older servers)
    -- slots                        here the slots are made; what comes before is preparation
    -- session NAME                 the statements that follow run in this session
    -- settle                       waits until all streams have read the log up to here
    -- expect                       what follows are queries whose lines end the file .expect
The variable :rows is as many rows as make a transaction large: before 17 servers stream what is over 64 kB, later ones can be told to stream everything.

NAME-VERSION.LABEL.stream holds what the server sent: the CopyData messages that a proxy saw between pg_recvlogical and the server, each as length 4 (big
endian) and bytes. NAME-VERSION.LABEL.status holds what pg_recvlogical answered, its last message having confirmed the position of the last line of .expect.
NAME-VERSION.expect has three parts with a line "==" between: "TYPE oid name" for each type; what the plugin test_decoding says of the same transactions, with
the end position of commits added, without empty transactions and generated columns; the lines of the queries. So the server's other decoder makes the
expected values, not ours. test_decoding decodes in two phases when a stream does. A label begins with p and the protocol; a b after it stands for binary.
"""
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))
from servers import PostgreSQL  # noqa: E402

PINNED = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC -c bytea_output=hex -c lc_monetary=C"
TIMEOUT_S = 60.0
CHANGES = r"""
SELECT CASE WHEN data ~ '^(COMMIT|PREPARE|ROLLBACK PREPARED)' THEN regexp_replace(data, ' \(at ', ' ' || lsn || ' (at ') ELSE data END
FROM pg_logical_slot_get_changes('oracle', NULL, NULL, 'include-timestamp', '1', 'include-xids', '1', 'skip-empty-xacts', '0')"""
TYPES = """
SELECT 'TYPE ' || oid || ' ' || format_type(oid, NULL) FROM pg_type
WHERE (typarray <> 0 AND typtype = 'b' AND oid < 10000) OR oid IN (SELECT atttypid FROM pg_attribute WHERE attrelid >= 16384) ORDER BY oid"""


class Session:
    """One psql that runs pieces of the script, one after the other."""

    def __init__(self, server):
        rows = 400 if server.version < 17 else 20
        argv = [*PostgreSQL.tool("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", f"rows={rows}", f"--dbname={server.conninfo(options=PINNED)}"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, text: str) -> str:
        self._process.stdin.write(text.encode() + b"\n;\n\\echo --end--\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line == b"--end--\n":
                return b"".join(lines).decode()
            lines.append(line)
        raise SystemExit(f"psql ended within:\n{text}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(TIMEOUT_S)


class Capture:
    """pg_recvlogical on a slot, with a proxy that keeps the CopyData messages of both directions."""

    def __init__(self, server, label: str, options: list[str]):
        self.label = label
        self.frames = {"stream": [], "status": []}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._upstream = server.socket
        self._port = server.port
        threading.Thread(target=self._serve, daemon=True).start()
        address = server.conninfo(options=PINNED) + f" host=127.0.0.1 port={self._listener.getsockname()[1]} sslmode=disable gssencmode=disable"
        argv = [*PostgreSQL.tool("pg_recvlogical"), f"--dbname={address}", f"--slot={label}", "--start", "--no-loop", "--file=/dev/null",
                "--status-interval=1", "--fsync-interval=1"]
        self._process = subprocess.Popen(argv + [f"--option={o}" for o in ["publication_names=golden", "messages=true", *options]])

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._upstream}/.s.PGSQL.{self._port}")
        threading.Thread(target=self._pump, args=(server, client, self.frames["stream"], False), daemon=True).start()
        self._pump(client, server, self.frames["status"], True)

    @staticmethod
    def _pump(source, target, frames: list[bytes], startup: bool) -> None:
        data = b""
        while piece := source.recv(1 << 16):
            target.sendall(piece)
            data += piece
            while True:
                head = 0 if startup else 1  # the first message of a client has no type
                size = int.from_bytes(data[head:head + 4], "big")
                if len(data) < head + 4 or len(data) < head + size:
                    break
                if data[:head] == b"d":
                    frames.append(data[5:1 + size])
                data = data[head + size:]
                startup = False

    def stop(self) -> None:
        if self._process.poll() is not None:
            raise SystemExit(f"pg_recvlogical of {self.label} ended with {self._process.returncode}")
        self._process.terminate()
        self._process.wait(TIMEOUT_S)


def binary_rows(server, session: Session) -> str:
    """A line "BINARY table VALUE ..." for each row, by COPY (FORMAT binary): hex digits or null."""
    lines = []
    for table in session.run("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid").split():
        argv = [*PostgreSQL.tool("psql"), "-X", "-q", f"--dbname={server.conninfo()}", "-c", f"COPY {table} TO STDOUT (FORMAT binary)"]
        data = subprocess.run(argv, check=True, capture_output=True).stdout
        at = 19  # signature 11, flags 4, length of the extension 4
        while (count := int.from_bytes(data[at:at + 2], "big")) != 0xffff:
            at += 2
            line = f"BINARY {table}"
            for _ in range(count):
                size = int.from_bytes(data[at:at + 4], "big", signed=True)
                line += " null" if size < 0 else " " + data[at + 4:at + 4 + size].hex()
                at += 4 + max(size, 0)
            lines.append(line + "\n")
    return "".join(lines)


def wait(session: Session, condition: str) -> None:
    """Waits for a condition on ($lsn is the end of the log now)."""
    lsn = session.run("SELECT pg_current_wal_insert_lsn()").strip()
    deadline = time.monotonic() + TIMEOUT_S
    while session.run(condition.replace("$lsn", f"'{lsn}'")).strip() != "t":
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {TIMEOUT_S:.0f} s: {condition}")
        time.sleep(0.1)


def steer(name: str, version: int):
    """Server options, streams and the script as (directive, argument, text)."""
    options, streams, script = {}, [], [("session", "main", "")]
    for line in (HERE / f"{name}.sql").read_text(encoding="utf-8").splitlines():
        match = re.match(r"-- (option:|stream:|slots|session|settle|expect)(.*)", line)
        if not match:
            script[-1] = (*script[-1][:2], script[-1][2] + line + "\n")
        elif match[1].endswith(":"):
            words = match[2].split()
            if words[-1].startswith("since=") and version < int(words.pop()[6:]):
                continue
            if match[1] == "stream:":
                streams.append((words[0], words[1:]))
            else:
                options.update([words[0].split("=", 1)])
        else:
            script.append((match[1], match[2].strip(), ""))
    return options, streams, script


def make(name: str, version: int) -> None:
    options, streams, script = steer(name, version)
    two_phase = any("two_phase=on" in words for _, words in streams)
    captures, sessions, expect = [], {}, None
    with PostgreSQL(version=version, options=options) as server:
        main = sessions["main"] = Session(server)
        control = sessions[""] = Session(server)
        main.run("CREATE PUBLICATION golden FOR ALL TABLES;")
        full_version = main.run("SHOW server_version").split()[0]
        for directive, argument, text in script:
            if directive == "slots":
                main.run(f"SELECT pg_create_logical_replication_slot('oracle', 'test_decoding', false, {two_phase});")
                for label, words in streams:
                    main.run(f"SELECT pg_create_logical_replication_slot('{label}', 'pgoutput', false, {'two_phase=on' in words});")
                    captures.append(Capture(server, label, words))
                wait(main, f"SELECT count(*) = {len(streams)} FROM pg_stat_replication")
            elif directive == "session":
                session = sessions.get(argument) or sessions.setdefault(argument, Session(server))
            elif directive == "settle":
                control.run("SELECT txid_current()")  # its commit flushes what the open transactions wrote
                wait(control, "SELECT min(sent_lsn) >= $lsn FROM pg_stat_replication")
            elif directive == "expect":
                main.run("SELECT pg_logical_emit_message(true, 'end', '');")
                wait(main, "SELECT bool_and(confirmed_flush_lsn >= $lsn) FROM pg_replication_slots WHERE plugin = 'pgoutput'")
                for capture in captures:
                    capture.stop()
                changes = re.sub(r"(?m)^BEGIN (\d+)\nCOMMIT \1 .*\n", "", main.run(CHANGES))
                expect = main.run(TYPES) + "==\n" + re.sub(r" generated_\w+\[[^]]*\]:\S+", "", changes) + "==\n"
                session = main
                if any(label.endswith("b") for label, _ in streams):
                    expect += binary_rows(server, main)
            if text.strip():
                output = session.run(text)
                expect = expect + output if expect is not None else None
        for capture in captures:
            confirmed = main.run(f"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{capture.label}'").strip()
            expect += f"CONFIRMED {capture.label} {confirmed}\n"
            for kind, frames in capture.frames.items():
                data = b"".join(len(f).to_bytes(4, "big") + f for f in frames)
                (HERE / f"{name}-{full_version}.{capture.label}.{kind}").write_bytes(data)
            print(name, full_version, capture.label, len(capture.frames["stream"]), "messages", len(capture.frames["status"]), "answers")
        (HERE / f"{name}-{full_version}.expect").write_bytes(expect.encode())
        for session in sessions.values():
            session.close()


for scenario in sys.argv[2:]:
    make(scenario, int(sys.argv[1]))
