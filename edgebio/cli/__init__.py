"""The command line: one file per command, imported when the command is called."""

import importlib

import click

from edgebio.cli.common import Group

_COMMANDS = {
    "init": "Make a project: a folder in which commands need no paths.",
    "sources": "List the live sources that are there.",
    "studio": "Open a page in the browser: record, train, decide, test.",
    "live": "Decide about a live source, on this machine or on a board.",
    "record": "Record a live source while prompting a subject.",
    "data": "Data sets: list, describe, fetch, import.",
    "recipes": "Recipes: list, show.",
    "train": "Train a network by a recipe.",
    "evaluate": "Train and score a recipe on every fold of a protocol.",
    "search": "Search networks and front ends for a board.",
    "report": "Write the page of a run, an evaluation or a search.",
    "quantize": "Quantize a run or a Keras model to an int8 .tflite.",
    "calibrate": "Adapt a model to a wearer by a recording.",
    "validate": "Compare every stage of a model with the one before it.",
    "golden": "Write the exact output of every stage as test vectors.",
    "build": "Generate C and build a firmware image for a board.",
    "bench": "Count instructions, flash and RAM on an emulated board.",
    "infer": "Run int8 inputs through the model, on the host or on a board.",
    "flash": "Write an image to a board, or start its emulator.",
    "classify": "Stream a recording to a board and print its decisions.",
    "monitor": "Watch a board at work in the terminal.",
    "hil": "Hardware in the loop: compare a board with this machine.",
    "boards": "Boards: list, describe.",
    "doctor": "Report what is installed, what is missing, how to get it.",
}


class _LazyGroup(Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"edgebio.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group("edgebio", cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edgebio", prog_name="edgebio")
def main() -> None:
    """Take biosignals to microcontrollers, and prove every step.

    \b
    Example:
      edgebio train emg-grips --subject 2 -o run
      edgebio quantize run
      edgebio validate run --board mps2-an386
      edgebio build run --board mps2-an386 -o image
    """  # noqa: D301 - \b is click's mark for a block that is not re-wrapped
