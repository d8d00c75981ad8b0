"""``edgebio studio``: the page in the browser."""

from pathlib import Path

import click

from edgebio.cli.common import Document, Output, command
from edgebio.cli.options import PATH, board_option, data_option
from edgebio.errors import EdgebioError, MissingToolError


@command(
    example="edgebio studio\n"
    "edgebio studio --project my-hand --source replay://emg-3dc:2 --board pico"
)
@click.option("--source", default="", help="Live source that the page opens first.")
@board_option("Board that the page suggests.")
@click.option("--project", type=PATH, metavar="DIR",
              help="Folder of the project, made if missing; default: this one.")  # fmt: skip
@click.option("--classes", default="", metavar="NAME,NAME", help="Classes of a new project.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="Of the server; 0: a free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; another one needs --token.")  # fmt: skip
@click.option("--token", help="Token that a page must know; default: a random one.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@data_option
def studio(
    out: Output, source: str, board: str | None, project: Path | None, classes: str, port: int,
    host: str, token: str | None, no_browser: bool, data: Path | None,
) -> Document:  # fmt: skip
    """Open a page in the browser: signals, guided recording, training, decisions, tests.

    It works on this machine and without a network. Ctrl-C ends it; a recording that is not finished
    can be continued.
    """
    import webbrowser

    from edgebio import boards
    from edgebio.project import Project, check_settings
    from edgebio.sources import source_url

    try:
        from edgebio.studio.requests import Requests
        from edgebio.studio.server import serve
    except ImportError:
        raise MissingToolError(
            'edgebio studio needs Starlette and uvicorn: pip install "edgebio[live]"'
        ) from None
    if source:
        source_url(source)
    if board:
        boards.load(board)
    opened = Project.find(project)
    if opened is None:
        if project is None:
            raise EdgebioError("no project here; name a folder: edgebio studio --project DIR")
        names = tuple(name.strip() for name in classes.split(",") if name.strip())
        settings = check_settings(
            source or "synthetic://", names or ("rest", "fist", "open hand"), board or "mps2-an386"
        )
        opened = Project.create(project, settings)
        out.note(f"{project}: a new project with {', '.join(settings.classes)}")

    def ready(address: str) -> None:
        out.result(address)
        if not no_browser:
            webbrowser.open(address)

    serve(Requests(opened, source, board or "", data), host=host, port=port, token=token,
          on_ready=ready)  # fmt: skip
    return {"project": str(opened.folder)}
