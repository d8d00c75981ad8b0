"""Options of commands that build an image: what kernels are chosen for, and what it may take."""

from collections.abc import Callable
from typing import Any

import click

_UNITS = {"k": 1 << 10, "m": 1 << 20}


class Size(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A number of bytes: 24000, 64k, 1M."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Convert to bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower().removesuffix("b")
        unit = _UNITS.get(text[-1:], 1)
        digits = text[:-1] if unit > 1 else text
        if not digits.isdecimal() or int(digits) == 0:
            self.fail(f"{value!r} is not a size; give for example 65536 or 64k", param, ctx)
        return int(digits) * unit


def budget_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --optimize, --flash-budget and --ram-budget."""
    for option in (
        click.option("--ram-budget", type=Size(), help="Most RAM of the image, such as 24k."),
        click.option("--flash-budget", type=Size(), help="Most flash of the image, such as 64k."),
        click.option(
            "--optimize",
            type=click.Choice(["speed", "balanced", "size"]),
            default="speed",
            show_default=True,
            help="What kernels are chosen for; balanced spends flash where it saves most.",
        ),
    ):
        function = option(function)
    return function
