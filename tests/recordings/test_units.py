"""Units of published recordings in volts: exact, or unknown."""

from decimal import Decimal

import pytest

from edgebio import datasets
from edgebio.recordings.units import volts_per_count


@pytest.mark.parametrize(
    ("units", "volts"),
    [
        ("0.2 uV", "0.2e-6"),
        ("0.1 µV", "0.1e-6"),
        ("0.1 μV", "0.1e-6"),
        ("1e-05 V", "1e-5"),
        ("1/2000 mV", "0.5e-6"),
        ("1/200 mV", "5e-6"),
        ("15 nV", "15e-9"),
        ("1 mV", "1e-3"),
    ],
)
def test_volts(units: str, volts: str) -> None:
    assert volts_per_count(units) == Decimal(volts)


@pytest.mark.parametrize(
    "units",
    ["counts", "counts, taken as uV", "5/32768 V after the amplifier", "synthetic counts", "",
     "0 uV", "1/0 mV", "uV", "1.2.3 V", "0.1 uA", "1 MV"],
)  # fmt: skip
def test_anything_else_is_unknown(units: str) -> None:
    assert volts_per_count(units) is None


def test_published_sets_in_volts_are_known() -> None:
    known = {name for name in datasets.names() if volts_per_count(datasets.get(name).units)}
    assert {"emg-grabmyo", "ecg-mitbih", "ecg-ptb"} <= known
