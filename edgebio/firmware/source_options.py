"""Options of ``--source``, by kind of source."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from edgebio.sampling import ads1298
from edgebio.section import Section


def _names(value: Any) -> Any:
    return tuple(value.split("/")) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names in a list, or in a text with slashes between them."""


class LinkOptions(Section):
    """Samples from the host: no options."""


class ConverterOptions(Section):
    """Options of every converter.

    Attributes
    ----------
    highpass : float
        Corner in Hz of a high-pass on the codes, next to this one in octaves; 0 for none.
    volts_per_count : Decimal or None
        Volts at the electrode of one count of the model, for a model that does not know.
    """

    highpass: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    volts_per_count: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None


class AdcOptions(ConverterOptions):
    """Options of the chip's converter.

    Attributes
    ----------
    pins : tuple of str
        Pins in the order of channels; by default the first ones of the board's.
    gain : Decimal
        Of the amplifier between electrode and pin.
    bias_mv : Decimal or None
        Millivolts at the pin for 0 V at the electrode; by default half the reference.
    """

    pins: Names = ()
    gain: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] = Decimal(1)
    bias_mv: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None


class Ads1298Options(ConverterOptions):
    """Options of ADS1298 and ADS1299; see `edgebio.sampling.ads1298.Ads1298`.

    ``reference`` is in volts, and ``chips`` are those of a daisy chain.
    """

    chip: ads1298.Chip = "ads1298"
    chips: int = 1
    gain: int = 12
    reference: Decimal = Decimal(0)
    lead_off: bool = True
