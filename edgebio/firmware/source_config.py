"""A sample source for a model and a board: checks, scale, and source_config.h."""

import math
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from edgebio import generated_c, storage
from edgebio.boards import Board
from edgebio.boards.peripherals import Adc, Peripheral, Spi
from edgebio.errors import EdgebioError, EdgebioWarning
from edgebio.firmware.board_header import AdcUse
from edgebio.firmware.manifest import Converter, ExternalConverter
from edgebio.firmware.peripheral_options import Choice, read_options
from edgebio.firmware.source_options import (
    AdcOptions,
    Ads1298Options,
    ConverterOptions,
    LinkOptions,
)
from edgebio.frontend.spec import FrontendSpec
from edgebio.sampling import ads1298
from edgebio.sampling.scale import Scale, highpass_exponent
from edgebio.suggest import nearest
from edgebio.tflite.metadata import SignalScale

RATE_TOLERANCE: Final = Fraction(1, 1000)
"""Largest difference between the model's rate and the converter's, as a share."""

LEAST_STEPS: Final = 16
"""Steps of the converter that the model's signals must span at least, from 0 to their peak."""

_COUNTS_MAX: Final = 32767
_RING_SECONDS: Final = Fraction(1, 10)  # half of it at least, whatever a decision takes
_RING_HALF: Final = 32  # frames, as many as a block of the converter
_ADS1298_CYCLES: Final = 250
"""Of a frame per channel, besides the transfer: 231 on an emulated RP2040 with a high-pass."""
_UNSCALED: Final = Scale(0, 1 << 30, 30)


@dataclass(frozen=True)
class SourceConfig:
    """A source that fits the model and the board.

    Attributes
    ----------
    kind
        Name for ``--source``.
    macros
        Text of source_config.h but for the ring, whose size depends on the slowest decision.
    rate, step
        Frames per second, and from one decision to the next.
    sources
        C of the source.
    adc, spi
        Peripheral that it uses.
    peripheral
        Its section with the pins in use only.
    scale
        From codes to counts; None for counts from the host.
    period_us
        Microseconds between frames, of the chip's converter.
    busy
        Share of the CPU's time that its interrupt takes.
    external
        Converter on SPI.
    """

    kind: str
    macros: str
    rate: Fraction
    step: int
    sources: tuple[Path, ...]
    adc: AdcUse | None = None
    spi: Spi | None = None
    peripheral: Peripheral | None = None
    scale: Scale | None = None
    period_us: Fraction = Fraction(0)
    busy: float = 0.0
    external: ads1298.Ads1298 | None = None

    @property
    def external_converter(self) -> ExternalConverter | None:
        """What manifest.json has of a converter on SPI."""
        chip, scale = self.external, self.scale
        if chip is None or scale is None:
            return None
        return ExternalConverter(
            chip=chip.chip, chips=chip.chips, gain=chip.gain,
            reference_mv=int(chip.reference * 1000),
            lead_off=chip.lead_off, multiplier=scale.multiplier, shift=scale.shift,
            highpass=scale.highpass,
        )  # fmt: skip

    @property
    def converter(self) -> Converter | None:
        """What manifest.json has of the chip's converter."""
        if self.adc is None or self.scale is None:
            return None
        assert isinstance(self.peripheral, Adc)
        scale = self.scale
        return Converter(
            inputs=self.adc.inputs,
            bits=self.peripheral.bits,
            period_us=self.period_us.as_integer_ratio(),
            zero=scale.zero,
            multiplier=scale.multiplier,
            shift=scale.shift,
            highpass=scale.highpass,
        )

    def header(self, slowest_us: int) -> str:
        """Text of source_config.h for decisions that take at most `slowest_us` microseconds."""
        slowest = max(Fraction(self.step), Fraction(slowest_us, 1_000_000) * self.rate)
        half = math.ceil(max(slowest, _RING_SECONDS * self.rate, Fraction(_RING_HALF)))
        return generated_c.header(
            f"/* Sample source {self.kind}. Generated. */\n",
            "EB_SOURCE_CONFIG_H",
            macros=f"{self.macros}\n/* Twice the slowest decision. */\n"
            f"#define EB_SOURCE_RING_FRAMES {2 * half}u\n",
        )


def configure(
    choice: Choice, board: Board, spec: FrontendSpec, signal: SignalScale
) -> SourceConfig:
    """Check a source against a board and a model.

    Parameters
    ----------
    signal
        What a count of the model's training recordings means, as far as it knows.

    Raises
    ------
    EdgebioError
        If rate, channels, range or options do not fit; one line.
    """
    if choice.kind == "link":
        read_options(LinkOptions, choice, "source")
        return _config("link", spec, [], ["eb_source_link.c"])
    if choice.kind == "ads1298":
        return _configure_ads1298(choice, board, spec, signal)
    return _configure_adc(choice, board, spec, signal)


def _config(
    kind: str, spec: FrontendSpec, macros: list[str], files: list[str], **parts: Any
) -> SourceConfig:
    folder = storage.assets("firmware_assets") / "sources"
    lines = [
        f'#define EB_SOURCE_NAME "{kind}"',
        f"#define EB_SOURCE_IS_LINK {int(kind == 'link')}",
        f"#define EB_SOURCE_CHANNELS {spec.channels}u",
        f"#define EB_SOURCE_RATE_MILLIHZ {round(spec.rate * 1000)}u",
        *macros,
    ]
    return SourceConfig(
        kind, "".join(f"{line}\n" for line in lines), Fraction(spec.rate), spec.step,
        tuple(folder / name for name in files), **parts,
    )  # fmt: skip


def _volts(options: ConverterOptions, signal: SignalScale) -> Fraction | None:
    """Volts of one count: those of the options, or the model's."""
    own = options.volts_per_count or signal.volts_per_count
    return None if own is None else Fraction(own)


def _check_range(
    per_code: Fraction, limit: Fraction, volts: Fraction, signal: SignalScale, kind: str
) -> None:
    """Refuse a converter whose range is too small for the model's signals, or whose step too large.

    Parameters
    ----------
    per_code, limit
        Volts at the electrode of one code, and those that the converter can measure both ways.
    """
    peak = volts * (_COUNTS_MAX if signal.peak is None else signal.peak)
    micro = [f"{float(value * 1_000_000):.4g} uV" for value in (per_code, limit, peak)]
    if signal.peak is not None and limit < peak:
        raise EdgebioError(
            f"source {kind}: range: it measures up to {micro[1]} at the electrode; the model's "
            f"signals go to {micro[2]}; give less gain"
        )
    if per_code * LEAST_STEPS > peak:
        raise EdgebioError(
            f"source {kind}: range: one step of the converter is {micro[0]} at the electrode; the "
            f"model's signals go to {micro[2]}; give more gain"
        )


def _scale_macro(scale: Scale) -> str:
    return (
        f"#define EB_SOURCE_SCALE {{.zero = {scale.zero}, .multiplier = {scale.multiplier}, "
        f".shift = {scale.shift}, .highpass = {scale.highpass}}}"
    )


def _configure_adc(
    choice: Choice, board: Board, spec: FrontendSpec, signal: SignalScale
) -> SourceConfig:
    adc: Adc = getattr(board.sources, choice.kind)
    options = read_options(AdcOptions, choice, "source")
    pins = _choose_pins(options.pins, adc, board, spec, choice.kind)
    inputs = tuple(adc.inputs[adc.pins.index(pin)] for pin in pins)
    if adc.ascending and list(inputs) != sorted(inputs):
        raise EdgebioError(
            f"source {choice.kind}: pins: the converter of {board.name} samples its inputs in "
            f"ascending order; give {'/'.join(sorted(pins, key=adc.pins.index))}"
        )
    divider, period = _pace(adc, board, spec, choice.kind)
    scale = _adc_scale(options, adc, spec, signal, choice.kind)
    micros = period * 1_000_000
    macros = [
        _scale_macro(scale),
        f"#define EB_SOURCE_BITS {adc.bits}u",
        "/* Microseconds between frames, exactly. */",
        f"#define EB_SOURCE_PERIOD_NUMERATOR {micros.numerator}u",
        f"#define EB_SOURCE_PERIOD_DENOMINATOR {micros.denominator}u",
    ]
    return _config(
        choice.kind, spec, macros, ["eb_source_adc.c"],
        adc=AdcUse(pins, inputs, divider, adc.clock_hz, adc), period_us=micros,
        peripheral=adc.model_copy(update={"pins": pins, "inputs": inputs}),
        scale=scale,
    )  # fmt: skip


def _choose_pins(
    wanted: tuple[str, ...], adc: Adc, board: Board, spec: FrontendSpec, kind: str
) -> tuple[str, ...]:
    channels = f"{spec.channels} channel{'s' if spec.channels > 1 else ''}"
    if spec.channels > len(adc.pins):
        raise EdgebioError(
            f"source {kind}: the model has {channels}; {board.name} has {len(adc.pins)} pins for "
            f"them: {', '.join(adc.pins)}"
        )
    if not wanted:
        return adc.pins[: spec.channels]
    for pin in wanted:
        if pin not in adc.pins:
            raise EdgebioError(
                f"source {kind}: pins: {board.name} has no input at {pin!r}"
                f"{nearest(pin, adc.pins)}; there are {', '.join(adc.pins)}"
            )
    if len(wanted) != spec.channels:
        raise EdgebioError(f"source {kind}: {len(wanted)} pins, but the model has {channels}")
    return wanted


def _pace(adc: Adc, board: Board, spec: FrontendSpec, kind: str) -> tuple[int, Fraction]:
    """Divider of the converter's clock, and the seconds between frames that it makes."""
    rate = Fraction(spec.rate)
    if rate * spec.channels > adc.max_conversions_hz:
        raise EdgebioError(
            f"source {kind}: {spec.channels} channels at {spec.rate:g} Hz are "
            f"{float(rate * spec.channels):,.0f} conversions per second; {board.name} does at most "
            f"{adc.max_conversions_hz:,}"
        )
    tick = Fraction(1, adc.clock_hz << adc.fraction_bits)
    triggers = rate * (spec.channels if adc.paced == "conversion" else 1)
    divider = max(1, round(1 / (triggers * tick)))
    if divider > adc.divider_max:
        slowest = 1 / (adc.divider_max * tick) / (triggers / rate)
        raise EdgebioError(
            f"source {kind}: {spec.rate:g} Hz is too slow; {board.name} samples {spec.channels} "
            f"channels at {float(slowest):.4g} Hz or more"
        )
    period = divider * tick * triggers / rate
    if abs(1 / period - rate) > rate * RATE_TOLERANCE:
        raise EdgebioError(
            f"source {kind}: the model's rate is {spec.rate:g} Hz; the nearest of {board.name} is "
            f"{float(1 / period):.6g} Hz, more than {float(RATE_TOLERANCE):.1%} away"
        )
    return divider, period


def _adc_scale(
    options: AdcOptions, adc: Adc, spec: FrontendSpec, signal: SignalScale, kind: str
) -> Scale:
    full_mv = Fraction(adc.reference_mv)
    bias = full_mv / 2 if options.bias_mv is None else Fraction(options.bias_mv)
    if not 0 < bias < full_mv:
        raise EdgebioError(
            f"source {kind}: bias_mv {float(bias):g} is not within the converter's range of "
            f"{adc.reference_mv} mV"
        )
    zero = round(bias * (1 << adc.bits) / full_mv)
    highpass = highpass_exponent(options.highpass, spec.rate) if options.highpass else 0
    volts = _volts(options, signal)
    if volts is None:
        warnings.warn(
            "the model does not know the volts of its counts; one step of the converter is one "
            f"count (give --source {kind}:volts_per_count=VOLTS)",
            category=EdgebioWarning,
            stacklevel=3,
        )
        return Scale(zero, _UNSCALED.multiplier, _UNSCALED.shift, highpass)
    volts_per_code = full_mv / 1000 / (1 << adc.bits) / Fraction(options.gain)
    limit = min(bias, full_mv - bias) / 1000 / Fraction(options.gain)
    try:
        scale = Scale.from_volts(volts_per_code, volts, zero=zero, highpass=highpass)
    except EdgebioError as error:
        raise EdgebioError(f"source {kind}: {error}") from None
    _check_range(volts_per_code, limit, volts, signal, kind)
    return scale


def _configure_ads1298(
    choice: Choice, board: Board, spec: FrontendSpec, signal: SignalScale
) -> SourceConfig:
    spi = board.sources.ads1298
    assert spi is not None
    options = read_options(Ads1298Options, choice, "source")
    try:
        converter = ads1298.Ads1298(
            options.chip, options.chips, options.gain, Fraction(options.reference),
            options.lead_off, options.highpass,
        )  # fmt: skip
        rate = converter.check_rate(spec.rate)
        if spec.channels > converter.channels:
            raise EdgebioError(
                f"the model has {spec.channels} channels; {options.chips} {options.chip.upper()} "
                f"{'have' if options.chips > 1 else 'has'} {converter.channels}"
            )
        volts = _volts(options, signal)
        if volts is None:
            raise EdgebioError(
                "the model does not know the volts of its counts; give volts_per_count=VOLTS"
            )
        scale = converter.scale(volts, rate)
        micros = converter.transfer_micros(rate, spi.max_hz)
        micros += spec.channels * _ADS1298_CYCLES / board.clock_hz * 1e6
    except EdgebioError as error:
        raise EdgebioError(f"source ads1298: {error}") from None
    limit = converter.reference / converter.gain
    _check_range(converter.volts_per_code, limit, volts, signal, "ads1298")
    macros = [
        _scale_macro(scale),
        f"#define EB_ADS1298_IS_ADS1299 {int(options.chip == 'ads1299')}",
        f"#define EB_ADS1298_CHIPS {converter.chips}u",
        f"#define EB_ADS1298_GAIN {converter.gain}u",
        f"#define EB_ADS1298_REFERENCE_4_VOLT {int(converter.reference == 4)}",
        f"#define EB_ADS1298_LEAD_OFF {int(converter.lead_off)}",
    ]
    return _config(
        "ads1298", spec, macros, ["eb_source_ads1298.c", "eb_ads1298.c"],
        spi=spi, peripheral=spi, scale=scale, busy=micros * rate / 1e6,
        external=converter,
    )  # fmt: skip
