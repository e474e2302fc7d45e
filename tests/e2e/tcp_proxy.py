"""What the tests' proxies share: a listener that hands over each client, and the two directions of a connection."""

import socket
import threading


class TcpProxy:
    """Listens on a free port of the loopback (port) until close(); a subclass says what to do with a client in connected(client)."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connected(client)

    def connected(self, client):
        raise NotImplementedError


def pump(ends, *ways):
    """Runs each way, a function that forwards until it returns or an end is lost, in a thread of its own; both ends are shut when one way is over."""
    def run(way):
        try:
            way()
        except OSError:
            pass
        for one in ends:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
    for way in ways:
        threading.Thread(target=run, args=(way,), daemon=True).start()
