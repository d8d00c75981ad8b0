"""What a count of a recording is in volts, by its published units; units that convert."""

import re
from decimal import Decimal
from pathlib import Path

from edgebio.errors import EdgebioError

_UNITS = re.compile(
    r"(?P<number>[0-9.]+(e-?[0-9]+)?)(/(?P<divisor>[0-9.]+))? ?(?P<unit>[nu\u00b5\u03bcm]?V)"
)
_VOLTS = {
    "V": Decimal(1),
    "mV": Decimal("1e-3"),
    "uV": Decimal("1e-6"),
    "\u00b5V": Decimal("1e-6"),  # the micro sign
    "\u03bcV": Decimal("1e-6"),  # the Greek letter
    "nV": Decimal("1e-9"),
}


def volts_per_count(units: str) -> Decimal | None:
    """Volts of one count of a recording with such `units`: ``"0.2 uV"``, ``"1/2000 mV"``.

    None where the units hold no volts, or not those at the electrode, as in
    ``"5/32768 V after the amplifier"``.
    """
    match = _UNITS.fullmatch(units.strip())
    if match is None:
        return None
    try:
        volts = Decimal(match["number"]) / Decimal(match["divisor"] or 1) * _VOLTS[match["unit"]]
    except ArithmeticError:
        return None
    return volts if volts > 0 else None


def unit_factor(path: Path, stated: str | None, requested: str | None) -> float:
    """How many `requested` units the unit that a file states is: 1,000 for mV to uV.

    1 where either is None.

    Raises
    ------
    EdgebioError
        If one is not a part of the other.
    """
    if stated is None or requested is None or stated == requested:
        return 1.0
    if stated not in _VOLTS or requested not in _VOLTS:
        raise EdgebioError(
            f"{path}: its unit is {stated}, which {requested} is not a part of; leave --units out"
        )
    return float(_VOLTS[stated] / _VOLTS[requested])
