"""A web server on this machine."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Mirror:
    """What a server has at each address below `url`, and what it was asked for."""

    url: str
    served: dict[str, bytes]
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def mirror() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    servers = []

    def start(served: dict[str, bytes]) -> Mirror:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/set/")
                found.asked.append(name)
                data = found.served.get(name)
                self.send_response(404 if data is None else 200)
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        found = Mirror(f"http://127.0.0.1:{server.server_address[1]}/set/", served)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return found

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
