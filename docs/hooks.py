"""MkDocs hooks: pages that are made from the code and from measured documents."""

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import board_table  # noqa: E402
import results  # noqa: E402

from edgebio.cli import main as cli  # noqa: E402

_RESULT = re.compile(r"^<!-- result: ([\w-]+) -->$", re.MULTILINE)
_COMMON = {"as_json", "quiet", "verbose", "debug", "help"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what a page asks for by a comment."""
    if page.file.src_uri == "reference/cli.md":
        return markdown + "\n".join(_commands(cli, ["edgebio"]))
    if page.file.src_uri == "changelog.md":
        return (ROOT / "CHANGELOG.md").read_text("utf-8")
    if page.file.src_uri == "reference/boards.md":
        return markdown.replace("<!-- boards -->", board_table.table())
    return _RESULT.sub(lambda match: results.section(match[1]), markdown)


def _commands(group: click.Group, path: list[str]) -> list[str]:
    """Markdown of every command below a group."""
    lines = []
    context = click.Context(group, info_name=" ".join(path))
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        words = [*path, name]
        if isinstance(command, click.Group):
            lines += _commands(command, words)
            continue
        own = click.Context(command, info_name=" ".join(words))
        example = (command.epilog or "").partition("Example:\n")[2]
        usage = command.get_usage(own).removeprefix("Usage: ")
        text = inspect.cleandoc(command.help or "").replace("\b\n", "")
        lines += [f"\n## {' '.join(words)}\n", text, ""]
        lines += ["```text", usage, "```", "", "| option | meaning |", "| --- | --- |"]
        for parameter in command.get_params(own):
            if isinstance(parameter, click.Option) and parameter.name not in _COMMON:
                record = parameter.get_help_record(own)
                if record:
                    option, text = (_ANSI.sub("", part).replace("|", "\\|") for part in record)
                    lines.append(f"| `{option}` | {text} |")
        lines += ["", "```console", *(f"$ {line.strip()}" for line in example.splitlines() if line),
                  "```"]  # fmt: skip
    return lines
