"""What TI's converters ADS1298 (SBAS459K) and ADS1299 (SBAS499C) can do."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.sampling.scale import Scale, highpass_exponent

Chip = Literal["ads1298", "ads1299"]
CHANNELS = 8
FRAME_BITS = 24 * (1 + CHANNELS)
"""Bits of a status word and all channels; one more lies between two converters."""
CHIPS = (1, 2)
GAINS: dict[Chip, tuple[int, ...]] = {
    "ads1298": (1, 2, 3, 4, 6, 8, 12),  # 9.6.1.6
    "ads1299": (1, 2, 4, 6, 8, 12, 24),
}
RATES: dict[Chip, tuple[int, ...]] = {
    "ads1298": (250, 500, 1000, 2000, 4000, 8000, 16000, 32000),  # 9.6.1.2
    "ads1299": (250, 500, 1000, 2000, 4000, 8000, 16000),
}
REFERENCES: dict[Chip, tuple[Fraction, ...]] = {
    "ads1298": (Fraction("2.4"), Fraction(4)),  # 9.6.1.4
    "ads1299": (Fraction("4.5"),),
}
"""Volts of the internal reference; the first is the default."""


@dataclass(frozen=True)
class Ads1298:
    """A converter, or a daisy chain of two, as it is set up.

    Attributes
    ----------
    chip : {"ads1298", "ads1299"}
        Which one.
    chips : int
        Converters in the chain.
    gain : int
        Of its amplifiers.
    reference : Fraction
        Volts of the internal reference; 0 for the default.
    lead_off : bool
        Whether it reports electrodes that are off.
    highpass : float
        Corner of the high-pass in Hz; 0 for none.

    Raises
    ------
    EdgebioError
        If the converter cannot do it.
    """

    chip: Chip = "ads1298"
    chips: int = 1
    gain: int = 12
    reference: Fraction = Fraction(0)
    lead_off: bool = False
    highpass: float = 0.0

    def __post_init__(self) -> None:
        if self.chip not in get_args(Chip):
            raise EdgebioError(f"chip {self.chip!r}; there are {', '.join(get_args(Chip))}")
        if not self.reference:
            object.__setattr__(self, "reference", REFERENCES[self.chip][0])
        for name, value, choices in (
            ("chips", self.chips, CHIPS),
            ("gain", self.gain, GAINS[self.chip]),
            ("reference", self.reference, REFERENCES[self.chip]),
        ):
            if value not in choices:
                shown = ", ".join(f"{float(choice):g}" for choice in choices)
                raise EdgebioError(
                    f"{name} {float(value):g}; an {self.chip.upper()} can do {shown}"
                )

    @property
    def channels(self) -> int:
        """Channels that it has."""
        return CHANNELS * self.chips

    @property
    def volts_per_code(self) -> Fraction:
        """Volts of one code of 24 bits: 2 * reference / gain / 2^24 (9.4, Data format)."""
        return 2 * self.reference / self.gain / (1 << 24)

    def check_rate(self, rate: float) -> int:
        """Rate in Hz as a whole number.

        Raises
        ------
        EdgebioError
            If the converter has no such rate.
        """
        if rate not in RATES[self.chip]:
            shown = ", ".join(map(str, RATES[self.chip]))
            raise EdgebioError(f"{rate:g} Hz; an {self.chip.upper()} samples at {shown} Hz")
        return int(rate)

    def transfer_micros(self, rate: int, bits_per_second: int) -> float:
        """Microseconds that a sample frame takes on SPI, while the CPU waits.

        Raises
        ------
        EdgebioError
            If they leave less than half of the time for everything else.
        """
        bits = self.chips * (FRAME_BITS + 1) - 1
        micros = bits * 1e6 / bits_per_second
        if micros > 0.5e6 / rate:
            raise EdgebioError(
                f"{rate} Hz: a sample frame of {bits} bits takes {micros:.0f} us at "
                f"{bits_per_second / 1e6:g} MHz, more than half of {1e6 / rate:.0f} us"
            )
        return micros

    def scale(self, volts_per_count: Fraction, rate: float) -> Scale:
        """Scale from codes to a model's counts.

        Raises
        ------
        EdgebioError
            If the steps or the corner of the high-pass do not fit.
        """
        exponent = highpass_exponent(self.highpass, rate) if self.highpass else 0
        return Scale.from_volts(self.volts_per_code, volts_per_count, highpass=exponent)


def codes(
    samples: npt.NDArray[np.int16], converter: Ads1298, volts_per_count: Fraction
) -> npt.NDArray[np.int32]:
    """Codes that a converter makes of a recording at its electrodes.

    Parameters
    ----------
    samples
        Shape (n, channels): counts of the recording.
    converter
        How it is set up.
    volts_per_count
        Volts of one count of the recording.

    Returns
    -------
    ndarray of int32 (n, converter.channels)
        The nearest codes of 24 bits, at most full scale; 0 for channels that it does not have.

    Raises
    ------
    EdgebioError
        If the recording has more channels than the converter.
    """
    if samples.shape[1] > converter.channels:
        raise EdgebioError(
            f"{samples.shape[1]} channels; {converter.chips} {converter.chip.upper()} has "
            f"{converter.channels}"
        )
    ratio = volts_per_count / converter.volts_per_code
    values, places = np.unique(samples, return_inverse=True)
    exact = [round(int(value) * ratio) for value in values]
    nearest = np.array([min(max(code, -(1 << 23)), (1 << 23) - 1) for code in exact], np.int32)
    result = np.zeros((len(samples), converter.channels), np.int32)
    result[:, : samples.shape[1]] = nearest[places].reshape(samples.shape)
    return result


def counts(
    codes: npt.NDArray[np.integer],
    converter: Ads1298,
    volts_per_count: Fraction,
    rate: float,
) -> npt.NDArray[np.int16]:
    """Counts that a device computes from a recording of 24-bit codes, from its first frame on.

    Training recordings that are made with this function match the device.

    Parameters
    ----------
    codes
        Shape (n, channels): codes of the converter.
    converter
        How it was set up.
    volts_per_count
        Volts of one count of the model.
    rate
        Sampling rate in Hz.

    Returns
    -------
    ndarray of int16 (n, channels)

    Raises
    ------
    EdgebioError
        If the codes have the wrong shape, or the settings do not fit.
    """
    scale = converter.scale(volts_per_count, converter.check_rate(rate))
    return scale.stream(codes.shape[1] if codes.ndim == 2 else 0).counts(codes)
