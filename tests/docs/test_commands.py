"""Every command that README or a page shows exists, with the options that it is shown with."""

import click
import pytest
from click.testing import CliRunner

from edgebio.cli import main
from tests.docs.markdown import commands, pages
from tests.test_house import ROOT

COMMANDS = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)[:50]}")
    for page in pages()
    for words in commands(page)
]


def parse(words: list[str]) -> None:
    """Parse a command line as click would, without running the command."""
    command: click.Command = main
    # With the settings of the group: click keeps the help option that it finds first.
    context = click.Context(main, info_name="edgebio", **main.context_settings)
    while isinstance(command, click.Group):
        name, subcommand, words = command.resolve_command(context, words)
        assert subcommand is not None
        assert name is not None
        command, context = subcommand, click.Context(subcommand, parent=context, info_name=name)
    command.make_parser(context).parse_args(args=list(words))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_in_the_documentation_exists(words: list[str]) -> None:
    parse(words)


def test_a_command_with_a_mistake_is_refused() -> None:
    with pytest.raises(click.UsageError):
        parse(["train", "emg-grips", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parse(["trian", "emg-grips"])


def test_readme_is_a_front_door() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 150
    assert {"make demo", "make test"} <= {line[2:11] for line in readme.splitlines()} | {
        line[2:].split("  ")[0].strip() for line in readme.splitlines()
    }


def test_help_names_the_commands_that_readme_shows() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for words in commands(ROOT / "README.md"):
        assert words[0] in text
