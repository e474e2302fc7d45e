"""A proxy in front of a real server that changes what the server's binary log says: events rewritten, added or moved to other offsets, statements replaced.

Layouts: packets 3 bytes length, 1 sequence; a dump's packets begin with a status byte 0; events have 19 bytes of header (timestamp 4, type 1, server id 4,
size 4, end position 4, flags 2) and a CRC-32 at their end."""

import re
import socket
import struct
import zlib

from tcp_proxy import TcpProxy, pump

COM_QUERY, COM_BINLOG_DUMP = 3, 0x12
QUERY, ROTATE, FORMAT, XID, TABLE_MAP, INCIDENT = 2, 4, 15, 16, 19, 26
WRITE_ROWS = (23, 30, 166, 169)
GTIDS = (33, 34, 162)
ARTIFICIAL, IGNORABLE = 0x20, 0x80


class Event:
    def __init__(self, data):
        self.timestamp, self.type, self.server_id, self.size, self.log_pos, self.flags = struct.unpack("<IBIIIH", data[:19])
        self.body = data[19:-4]

    @classmethod
    def new(cls, like, kind, body, flags=0):
        """An event that stands right before `like`."""
        made = cls.__new__(cls)
        made.timestamp, made.type, made.server_id, made.flags, made.body = like.timestamp, kind, like.server_id, flags, body
        made.log_pos = like.log_pos - like.size
        return made

    def bytes(self):
        head = struct.pack("<IBIIIH", self.timestamp, self.type, self.server_id, 19 + len(self.body) + 4, self.log_pos & 0xffffffff, self.flags)
        return head + self.body + struct.pack("<I", zlib.crc32(head + self.body))


class LogProxy(TcpProxy):
    """rewrite(event) → list of events, for dumps that last (not for looks at one place). on_dump(): before such a dump begins.
    queries: [(pattern, replacement)] for statements. offset: added to every position of the log file `file`. blind: only looks on (for TLS)."""

    def __init__(self, server, rewrite=None, on_dump=None, queries=(), file="", offset=0, blind=False):
        self.blind = blind
        self.server, self.rewrite, self.on_dump, self.queries, self.file, self.offset = server, rewrite, on_dump, list(queries), file, offset
        self.dumps = []  # (file, offset) as asked by the client
        self.seen = b""  # of clients; both ways when blind
        super().__init__()

    def connected(self, client):
        Connection(self, client)


class Connection:
    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(("127.0.0.1", proxy.server.port))
        self.dump = self.lasting = False
        self.sequence = 1
        pump((self.client, self.server), *((self._blind_up, self._blind_down) if proxy.blind else (self._from_client, self._from_server)))

    def _blind_up(self):
        while got := self.client.recv(1 << 16):
            self.proxy.seen += got
            self.server.sendall(got)

    def _blind_down(self):
        while got := self.server.recv(1 << 16):
            self.proxy.seen += got
            self.client.sendall(got)

    def _from_client(self):
        for sequence, payload in self._packets(self.client):
            self.proxy.seen += payload
            if sequence == 0 and payload[:1] == bytes([COM_QUERY]):
                payload = payload[:1] + self._statement(payload[1:])
            elif sequence == 0 and payload[:1] == bytes([COM_BINLOG_DUMP]):
                payload = self._dump_command(payload)
            self.server.sendall(struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload)

    def _statement(self, text):
        for pattern, replacement in self.proxy.queries:
            text = re.sub(pattern, replacement, text)
        return text

    def _dump_command(self, payload):
        offset, flags = struct.unpack("<IH", payload[1:7])
        self.dump, self.lasting = True, flags == 0
        if self.lasting:
            self.proxy.dumps.append((payload[11:].decode(), offset))
            if self.proxy.on_dump:
                self.proxy.on_dump()
        if payload[11:].decode() == self.proxy.file and offset > 4:
            offset -= self.proxy.offset
        return payload[:1] + struct.pack("<I", offset) + payload[5:]

    def _from_server(self):
        for sequence, payload in self._packets(self.server):
            out = self._events(payload) if self.dump and payload[:1] == b"\0" and len(payload) > 23 else [payload]
            for one in out:
                self.client.sendall(struct.pack("<I", len(one))[:3] + bytes([self.sequence & 255 if self.dump else sequence]) + one)
                self.sequence += self.dump

    def _events(self, payload):
        event, proxy = Event(payload[1:]), self.proxy
        out = [event]
        if self.lasting and proxy.rewrite:
            out = proxy.rewrite(event)
        for one in out:
            if proxy.offset and one.type == ROTATE and one.body[8:] == proxy.file.encode() and one.flags & ARTIFICIAL:
                at = struct.unpack("<Q", one.body[:8])[0]
                one.body = struct.pack("<Q", at + proxy.offset if at > 4 else at) + one.body[8:]
            elif one.log_pos:
                one.log_pos += proxy.offset
        return [b"\0" + one.bytes() for one in out]

    @staticmethod
    def _packets(source):
        data = b""
        while got := source.recv(1 << 16):
            data += got
            while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:3], "little"):
                n = int.from_bytes(data[:3], "little")
                yield data[3], data[4:4 + n]
                data = data[4 + n:]
