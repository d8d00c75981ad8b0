"""Common to all commands: ``--json``, ``-q``, ``-v``, ``--debug``, and errors in one line."""

import errno
import functools
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from edgebio import progress, storage
from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.renamed import print_warnings

if TYPE_CHECKING:
    from edgebio.report.page import Page

Document = dict[str, Any]

_NAME_WIDTH, _CELL_WIDTH = 32, 12  # widest cells that are not wrapped: row names, others
_LINE_WIDTHS = 80, 400  # least and most characters of a line to a file or a pipe


class Output:
    """Output of a command.

    Results are lines and tables on stdout; ``--json`` replaces them by the document that the
    command returns. Notes go to stderr; ``-q`` silences them.
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

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table of the result; columns without letters are aligned to the right."""
        from rich.table import Table

        table = Table(title=title or None, title_justify="left")
        cells = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in rows]
        for index, column in enumerate(columns):
            numeric = not any(letter.isalpha() for row in cells for letter in row[index])
            justify: Literal["left", "right"] = "right" if numeric else "left"
            widest = max((len(row[index]) for row in cells), default=0)
            # Row names and numbers stay on one line in a narrow terminal.
            table.add_column(
                column,
                justify=justify,
                no_wrap=index == 0 and widest <= _NAME_WIDTH,
                min_width=widest if widest <= _CELL_WIDTH else None,
            )
        for row in cells:
            table.add_row(*row)
        if not self._results.is_terminal:  # a file or a pipe gets lines as wide as the table
            everything = self._results.options.update(width=_LINE_WIDTHS[1])
            wanted = self._results.measure(table, options=everything).maximum
            self._results.width = max(_LINE_WIDTHS[0], wanted)
        self._results.print(table)

    def sections(self, page: "Page", titles: Sequence[str]) -> None:
        """Print text and tables of some sections of a page."""
        for section in page.sections:
            if section.title in titles:
                for text in section.text:
                    self.result(str(text))
                for table in section.tables:
                    self.table(section.title, table.columns, table.rows)

    def note(self, text: str) -> None:
        """Print a line on stderr."""
        self._notes.print(text, markup=False)

    def detail(self, text: str) -> None:
        """Print a line on stderr with ``-v``."""
        if self.verbose:
            self.note(text)


class Group(click.Group):
    """A group of commands that suggests the nearest one, and reports wrong use in one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one if there is none."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from edgebio.suggest import nearest

            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line."""
        try:
            with storage.own_temporary_folder():
                return super().main(*args, **{**extra, "standalone_mode": False})
        except getattr(click.exceptions, "NoArgsIsHelpError", ()) as error:
            error.show()
            sys.exit(2)
        except click.UsageError as error:
            text = " ".join(error.format_message().split()).removesuffix(".")
            if error.ctx:
                text += f"{' ' if text.endswith('?') else '; '}see {error.ctx.command_path} --help"
            click.echo(f"edgebio: {text[:1].lower()}{text[1:]}", err=True)
            sys.exit(2)
        except EdgebioError as error:  # of an argument
            click.echo(f"edgebio: {error}", err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("edgebio: interrupted", err=True)
            sys.exit(130)


def _print_note(text: str) -> None:
    click.echo(f"edgebio: {text}", err=True)


@contextmanager
def _own_warnings_in_one_line() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always", EdgebioWarning)
        show_others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, EdgebioWarning):
                _print_note(str(message))
            else:
                show_others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _file_fault(error: BaseException) -> str:
    """Describe a full disk, a read-only folder and the like; empty for any other error."""
    if isinstance(error, OSError) and error.strerror:
        path = f"{error.filename}: " if error.filename else ""
        return f"{path}{error.strerror[:1].lower()}{error.strerror[1:]}"
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG):
        if os.strerror(number) in str(error):  # as HDF5 and TensorFlow report it
            text = os.strerror(number)
            return f"{text[:1].lower()}{text[1:]}"
    return ""


def command(
    group: click.Group | None = None, *, name: str | None = None, example: str
) -> Callable[[Callable[..., Document]], click.Command]:
    """Turn a function into a command; ``--help`` shows `example`.

    The function takes an `Output` first and returns its JSON document; a failed check carries its
    document in the error.
    """

    def decorate(function: Callable[..., Document]) -> click.Command:
        @functools.wraps(function)
        def call(as_json: bool, quiet: bool, verbose: bool, debug: bool, **options: Any) -> None:
            if not quiet:
                progress.enable()
            try:
                with print_warnings(_print_note), _own_warnings_in_one_line():
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
                if fault := _file_fault(error):
                    click.echo(f"edgebio: {fault}", err=True)
                    sys.exit(1)
                reason = " ".join(str(error).split())
                kind = type(error).__name__
                click.echo(f"edgebio: internal error, {kind}: {reason} (try --debug)", err=True)
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
