"""The server of the page: files, requests and a socket, for this machine or with a token."""

import asyncio
import contextlib
import hmac
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from edgebio.errors import EdgebioError
from edgebio.studio.hub import Page
from edgebio.studio.requests import Requests

_PAGE = Path(__file__).with_name("page")
_COOKIE = "edgebio-token"
_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'self'"
)
LOOPBACK = "127.0.0.1"

Handler = Callable[[Request], Awaitable[Response]]


def make_app(requests: Requests, token: str) -> Starlette:
    """Application of the page; every request needs the token, and a page of this server."""

    def allowed(connection: HTTPConnection) -> str:
        """Reason of a refusal; empty if there is none."""
        given = connection.query_params.get("token") or connection.cookies.get(_COOKIE, "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return "the token is missing or wrong; open the address that edgebio studio printed"
        origin = connection.headers.get("origin")
        host = connection.headers.get("host", "")
        if origin and origin not in (f"http://{host}", f"https://{host}"):
            return f"a page of {origin} may not use this server"
        return ""

    def guarded(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            if reason := allowed(request):
                return JSONResponse({"error": reason}, 403)
            try:
                response = await handler(request)
            except EdgebioError as error:
                return JSONResponse({"error": str(error)}, 400)
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Cache-Control"] = "no-store"
            return response

        return handle

    async def index(request: Request) -> Response:
        if "token" in request.query_params:  # the address bar and the history do not show it
            response: Response = RedirectResponse("/", 303)
            response.set_cookie(_COOKIE, token, httponly=True, samesite="strict")
            return response
        return FileResponse(_PAGE / "index.html")

    async def get_state(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(requests.state))

    async def post(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            content: Any = await request.json()
        except ValueError:
            raise EdgebioError("a request is a JSON object") from None
        if not isinstance(content, dict):
            raise EdgebioError("a request is a JSON object")
        return JSONResponse(await run_in_threadpool(requests.call, name, content))

    async def run_page(request: Request) -> Response:
        path = requests.report(request.path_params["run"])
        return FileResponse(path)

    async def follow(web_socket: WebSocket) -> None:
        if reason := allowed(web_socket):
            await web_socket.close(1008, reason[:120])
            return
        await web_socket.accept()
        page = Page()
        requests.hub.pages.add(page)
        gone = asyncio.ensure_future(web_socket.receive())
        try:
            while not gone.done():
                taking = asyncio.ensure_future(page.take())
                await asyncio.wait({taking, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not taking.done():
                    taking.cancel()
                    break
                for message in taking.result():
                    await web_socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            requests.hub.pages.discard(page)
            gone.cancel()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        requests.hub.attach(asyncio.get_running_loop())
        yield
        await run_in_threadpool(requests.close)

    return Starlette(
        routes=[
            Route("/", guarded(index)),
            Route("/api/state", guarded(get_state)),
            Route("/api/{name:path}", guarded(post), methods=["POST"]),
            Route("/runs/{run}/report.html", guarded(run_page)),
            WebSocketRoute("/socket", follow),
            Mount("/page", StaticFiles(directory=_PAGE)),
        ],
        lifespan=lifespan,
    )


def serve(
    requests: Requests, *, host: str = LOOPBACK, port: int = 8765, token: str | None = None,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:  # fmt: skip
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    host, port
        Address; another host than this machine's needs a `token`. Port 0 chooses a free one.
    on_ready
        Called with the address to open once the server listens.

    Raises
    ------
    EdgebioError
        If the port is in use, or another host is asked for without a token.
    """
    import uvicorn

    if host not in (LOOPBACK, "localhost", "::1") and not token:
        raise EdgebioError(f"{host}: others can reach it; give a --token of your own")
    chosen = token or secrets.token_urlsafe(16)
    listener = _listen(host, port)
    address = f"http://{host}:{listener.getsockname()[1]}/?token={chosen}"
    config = uvicorn.Config(make_app(requests, chosen), log_level="error", ws="websockets-sansio",
                            lifespan="on", timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    start = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await start(sockets)
        on_ready(address)

    server.startup = startup  # type: ignore[method-assign]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(partial(server.serve, sockets=[listener])())


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        hint = "; another studio? give another --port" if port else ""
        raise EdgebioError(f"port {port}: {(error.strerror or str(error)).lower()}{hint}") from None
