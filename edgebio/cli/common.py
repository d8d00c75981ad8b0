"""What every command shares: ``--json``, ``-q``, ``-v``, ``--debug``, and errors in one line."""

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, Literal

import click

from edgebio import progress
from edgebio.errors import EdgebioError
from edgebio.renamed import print_warnings

Document = dict[str, Any]

_NAME, _FIGURE = 32, 12  # characters of a cell that is not broken: a row's name, another
_NARROW, _WIDEST = 80, 400  # characters of a line that goes to a file or a pipe


class Output:
    """Where a command's words go.

    Results are lines and tables on stdout; with ``--json`` they are left out and the document
    that the command returns is printed instead. Notes go to stderr and are silenced by ``-q``.
    """

    def __init__(self, as_json: bool, quiet: bool, verbose: bool) -> None:
        from rich.console import Console

        self.as_json = as_json
        self.verbose = verbose
        self._results = Console(quiet=as_json, highlight=False, soft_wrap=True)
        self._notes = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)

    def result(self, text: str = "") -> None:
        """Print one line of the result."""
        self._results.print(text, markup=False)

    def table(self, title: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Print a table of the result; numbers are aligned to the right."""
        from rich.table import Table

        table = Table(title=title or None, title_justify="left")
        cells = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in rows]
        for index, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
            side: Literal["left", "right"] = "right" if numeric else "left"
            widest = max((len(row[index]) for row in cells), default=0)
            # What a row is called by, and figures, stay whole on a narrow terminal.
            table.add_column(
                column,
                justify=side,
                no_wrap=index == 0 and widest <= _NAME,
                min_width=widest if widest <= _FIGURE else None,
            )
        for row in cells:
            table.add_row(*row)
        if not self._results.is_terminal:  # a file or a pipe is as wide as it has to be
            everything = self._results.options.update(width=_WIDEST)
            wanted = self._results.measure(table, options=everything).maximum
            self._results.width = max(_NARROW, wanted)
        self._results.print(table)

    def note(self, text: str) -> None:
        """Say on stderr what is being done."""
        self._notes.print(text, markup=False)

    def detail(self, text: str) -> None:
        """Say on stderr what only ``-v`` wants to know."""
        if self.verbose:
            self.note(text)


def command(
    group: click.Group | None = None, *, name: str | None = None, example: str
) -> Callable[[Callable[..., Document]], click.Command]:
    """Make a function a command; `example` is shown under its ``--help``.

    The function takes an `Output` first and returns the JSON document of its result; a check that
    failed carries its document in the error.
    """

    def decorate(function: Callable[..., Document]) -> click.Command:
        @functools.wraps(function)
        def call(as_json: bool, quiet: bool, verbose: bool, debug: bool, **options: Any) -> None:
            if not quiet:
                progress.enable()
            try:
                with print_warnings(lambda text: click.echo(f"edgebio: {text}", err=True)):
                    document = function(Output(as_json, quiet, verbose), **options)
            except EdgebioError as error:
                if debug:
                    raise
                partial = getattr(error, "document", None)
                if as_json and partial is not None:
                    click.echo(json.dumps(partial, indent=2))
                click.echo(f"edgebio: {error}", err=True)
                sys.exit(error.exit_code)
            except BrokenPipeError:
                sys.exit(1)
            except Exception as error:
                if debug:
                    raise
                what = " ".join(str(error).split())
                click.echo(
                    f"edgebio: a fault of edgebio itself, {type(error).__name__}: {what} "
                    "(--debug shows where)",
                    err=True,
                )
                sys.exit(70)  # EX_SOFTWARE of sysexits.h
            if as_json:
                click.echo(json.dumps(document, indent=2))

        options = [
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
            click.option("-q", "--quiet", is_flag=True, help="No notes and no progress."),
            click.option("-v", "--verbose", is_flag=True, help="More notes."),
            click.option("--debug", is_flag=True, help="Show the traceback of an error."),
        ]
        for option in reversed(options):
            call = option(call)
        make = group.command if group else click.command
        lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
        return make(name or function.__name__.rstrip("_"), epilog=f"\b\nExample:\n{lines}")(call)

    return decorate
