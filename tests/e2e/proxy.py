"""A TCP proxy whose line a test makes bad: it freezes without closing, or lets one byte pass a second."""

import socket
import threading


class Proxy:
    """Forwards connections of `address` to `target`, HOST:PORT. `freeze` and `trickle` hold for new ones too."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(':', 1)
        self._target = (host, int(port))
        self._frozen = threading.Event()
        self._trickling = threading.Event()
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.address = f'127.0.0.1:{self._listener.getsockname()[1]}'
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """From now on nothing is read and nothing is sent, and nobody is told."""
        self._frozen.set()

    def trickle(self) -> None:
        """From now on one byte a second goes from the target to who called."""
        self._trickling.set()

    def close(self) -> None:
        self._closed.set()
        for each in [self._listener, *self._sockets]:
            each.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            # Little room, so that who sends feels the line at once.
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            called = socket.socket()
            called.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                called.connect(self._target)
            except OSError:
                caller.close()
                continue
            self.connections += 1
            self._sockets += [caller, called]
            threading.Thread(target=self._forward, args=(caller, called, False), daemon=True).start()
            threading.Thread(target=self._forward, args=(called, caller, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, may_trickle: bool) -> None:
        try:
            while not self._closed.is_set():
                slow = may_trickle and self._trickling.is_set()
                data = source.recv(1 if slow else 65536)
                if self._frozen.is_set():
                    self._closed.wait()
                    return
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
                if slow:
                    self._closed.wait(1)
        except OSError:
            source.close()
            sink.close()
