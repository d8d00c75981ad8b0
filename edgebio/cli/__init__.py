"""The command line: one file a command; each is imported when it is called, not before."""

import importlib

import click

_COMMANDS = {
    "data": "Data sets: list, describe, fetch, import.",
    "train": "Train a network by a recipe.",
    "evaluate": "Score a recipe under a protocol, fold by fold.",
    "search": "Search networks and front ends for a board, within limits.",
    "report": "Make the page of a run, an evaluation or a search.",
    "quantize": "Make the int8 model.tflite of a run.",
    "calibrate": "Adapt a model to a wearer from his or her recordings.",
    "validate": "Prove rung by rung that every stage computes the same.",
    "golden": "Write the exact output of every stage, to test other firmware with.",
    "build": "Make C and a firmware image for a board.",
    "bench": "Count instructions, flash and RAM on an emulated board.",
    "infer": "Run int8 inputs through the model, on the host or on a board.",
    "flash": "Write an image to a board, or start its emulator.",
    "classify": "Stream a recording to a board and print its decisions.",
    "monitor": "Watch a board at work in the terminal.",
    "hil": "Hardware in the loop: compare a board with this machine.",
    "boards": "Boards: list, describe.",
    "doctor": "Say what is installed, what is missing and how to get it.",
}


class _Lazy(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"edgebio.cli.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
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
