"""A proxy in front of a destination that loses answers to COMMIT: the client is cut off after it sent COMMIT and before it hears of it.

The server gets the COMMIT as always (answered), some time after the client was cut off, as from a network that comes back (late), or never (unsent).
The programs ask for no TLS on the loopback, are offered none by MySQL (without_tls), and wait for each answer, so that a COMMIT ends what they sent."""

import random
import socket
import threading
import time
from collections import Counter

from tcp_proxy import TcpProxy, pump

COMMITS = {"mysql": b"\x07\0\0\0\x03COMMIT", "postgresql": b"Q\0\0\0\x0bCOMMIT\0"}
LATE_S = (0.05, 1.5)


def without_tls(greeting):
    """A greeting of MySQL's protocol (HandshakeV10) that does not offer TLS: the capability 0x0800, behind version, thread and first part of the salt."""
    low = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
    return greeting[:low + 1] + bytes([greeting[low + 1] & ~0x08]) + greeting[low + 2:]


class CommitProxy(TcpProxy):
    """chance: that a COMMIT's answer is lost, 0 to 1, may be set at any time. lost: how often, by what the server got; commits: all that went by."""

    def __init__(self, server, seed, chance=0.0):
        self.server, self.random, self.chance = server, random.Random(seed), chance
        self.lost, self.commits = Counter(), 0
        self.lock = threading.Lock()
        super().__init__()

    def fate(self):
        """What becomes of a COMMIT; empty: it passes."""
        with self.lock:
            self.commits += 1
            if self.random.random() >= self.chance:
                return ""
            how = self.random.choice(("answered", "late", "unsent"))
            self.lost[how] += 1
            return how

    def hear(self, got):
        """What a client says, before it is passed on."""

    def connected(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:  # the server is down
            client.close()
            return
        _Connection(self, client, server)


class _Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.deaf = False  # the client hears nothing any more
        pump((client, server), self._up, self._down)

    def _up(self):
        while got := self.client.recv(1 << 16):
            self.proxy.hear(got)
            how = self.proxy.fate() if got.endswith(COMMITS[self.proxy.server.family]) else ""
            if how:
                self._lose(how, got)
                return
            self.server.sendall(got)

    def _lose(self, how, got):
        self.deaf = True
        if how == "answered":
            self.server.sendall(got)
            time.sleep(0.05)
        self.client.shutdown(socket.SHUT_RDWR)
        if how == "late":
            with self.proxy.lock:
                wait_s = self.proxy.random.uniform(*LATE_S)
            time.sleep(wait_s)
            self.server.sendall(got)
            time.sleep(0.05)

    def _down(self):
        greeting = self.proxy.server.family == "mysql"
        while got := self.server.recv(1 << 16):
            if greeting:
                got, greeting = without_tls(got), False
            if not self.deaf:
                self.client.sendall(got)
            elif self.client.fileno() < 0:
                return
