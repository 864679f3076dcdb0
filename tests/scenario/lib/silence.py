# SPDX-License-Identifier: MIT
"""A docker socket that stops answering: between culprit and a dockerd that goes on working for everybody else."""
import os
import socket
import threading


class Silence:
    """Each answer, and the stream of events, passes until hush(); what was held back comes with speak()."""

    def __init__(self, path, host):
        self.host, self.dockerd = f"unix://{path}", host.removeprefix("unix://")
        self.speaks = threading.Event()
        self.speaks.set()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(path)
        self.listening.listen(64)
        self.before = os.environ.get("DOCKER_HOST")
        os.environ["DOCKER_HOST"] = self.host  # culprit's; the scenario's own docker has what it had
        threading.Thread(target=self.accept, daemon=True).start()

    def hush(self):
        self.speaks.clear()

    def speak(self):
        self.speaks.set()

    def end(self):
        self.speak()
        if self.before is not None:
            os.environ["DOCKER_HOST"] = self.before
        self.listening.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.dockerd)
            threading.Thread(target=self.carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, True), daemon=True).start()

    def carry(self, source, target, answers):
        try:
            while data := source.recv(65536):
                if answers:
                    self.speaks.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
