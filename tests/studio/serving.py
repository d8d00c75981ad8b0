"""A studio at work in this process, and requests to it."""

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from websockets.sync.client import ClientConnection, connect

from edgebio.project import Project, ProjectSettings
from edgebio.studio.requests import Requests
from edgebio.studio.server import make_app

TOKEN = "a-token-of-the-test"


@dataclass
class Studio:
    """Address of a studio, and its project."""

    address: str
    project: Project
    requests: Requests

    def ask(
        self, name: str, content: Any = None, *, token: str = TOKEN, origin: str = ""
    ) -> tuple[int, Any]:
        """Status and answer of a request; without content it is a GET."""
        headers = {"Cookie": f"edgebio-token={token}"}
        if origin:
            headers["Origin"] = origin
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.address}{name}", body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, name: str, **content: Any) -> Any:
        """Answer of a request that must succeed."""
        status, answer = self.ask(f"/api/{name}", content)
        assert status == 200, answer
        return answer

    def report(self, run: str) -> str:
        """Page of a run, as the browser gets it."""
        headers = {"Cookie": f"edgebio-token={TOKEN}"}
        request = urllib.request.Request(f"{self.address}/runs/{run}/report.html", None, headers)
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode()).lower()

    @contextlib.contextmanager
    def socket(self, token: str = TOKEN, origin: str | None = None) -> Iterator[ClientConnection]:
        """The socket of a page."""
        host = urlsplit(self.address).netloc
        with connect(
            f"ws://{host}/socket", additional_headers={"Cookie": f"edgebio-token={token}"},
            origin=origin,  # type: ignore[arg-type]  # a plain string
        ) as socket:  # fmt: skip
            yield socket


def messages(
    socket: ClientConnection, kind: str | int, count: int = 1, seconds: float = 20
) -> list[Any]:
    """Wait for messages of a kind: of JSON by its name, otherwise by the number of the kind."""
    wanted: list[Any] = []
    deadline = time.monotonic() + seconds
    while len(wanted) < count:
        message = socket.recv(timeout=max(0.01, deadline - time.monotonic()))
        assert isinstance(message, bytes)
        if message[0] == 0:
            content = json.loads(message[1:])
            if content["kind"] == kind:
                wanted.append(content)
        elif message[0] == kind:
            wanted.append(message)
    return wanted


@contextlib.contextmanager
def serving(folder: Path, settings: ProjectSettings | None = None) -> Iterator[Studio]:
    """Serve a new project while the block runs."""
    project = Project.create(folder, settings or ProjectSettings())
    requests = Requests(project)
    config = uvicorn.Config(make_app(requests, TOKEN), port=0, log_level="error", lifespan="on",
                            ws="websockets-sansio", timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Studio(f"http://127.0.0.1:{port}", project, requests)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
