"""Sections of a board file for what samples and what acts: ``[sources.*]`` and ``[sinks.*]``.

A section lists everything that the port's C occupies, so that two peripherals on one pin, DMA
channel, timer or interrupt are refused before anything is compiled.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from edgebio.section import Section

_PIN: Final = re.compile(r"GP(\d{1,2})|P([A-K])(\d{1,2})|P([01])\.(\d{2})")
_PORT_PINS: Final = {"stm32": 16, "nrf52": 32}


def pin_number(name: str) -> int:
    """Number of a pin as the port's C counts it.

    ``GP26`` of an RP2 is 26, ``PB6`` of an STM32 16 + 6, ``P1.02`` of an nRF52 32 + 2.

    Raises
    ------
    ValueError
        If it is not the name of a pin.
    """
    match = _PIN.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a pin; expected a name such as GP26, PB6 or P0.02")
    rp2, letter, stm32, port, nrf52 = match.groups()
    if rp2 is not None:
        return int(rp2)
    if letter is not None:
        group, pin, pins = ord(letter) - ord("A"), int(stm32), _PORT_PINS["stm32"]
    else:
        group, pin, pins = int(port), int(nrf52), _PORT_PINS["nrf52"]
    if pin >= pins:
        raise ValueError(f"{name!r} is not a pin: a port has pins 0 to {pins - 1}")
    return group * pins + pin


def _check_pin(name: str) -> str:
    pin_number(name)
    return name


Pin = Annotated[str, AfterValidator(_check_pin)]
"""A pin by the name in the vendor's manual: ``GP26``, ``PB6``, ``P0.02``."""
Irq = Annotated[int, Field(ge=0, lt=480)]
Hertz = Annotated[int, Field(gt=0, lt=1 << 32)]
Defines = dict[Annotated[str, Field(pattern=r"^EB_[A-Z0-9_]+$")], Annotated[int, Field(ge=0)]]
"""More macros of eb_board.h for the port's C, such as an alternate function."""
Resource = tuple[Literal["pin", "DMA channel", "timer", "interrupt"], str]


class Peripheral(Section):
    """What every peripheral occupies besides its pins, numbered as the port's C does.

    Attributes
    ----------
    dma : tuple of int
        DMA channels or streams. STM32F4: 8 * (controller - 1) + stream; STM32L4: 7 * (controller
        - 1) + channel - 1.
    irqs : tuple of int
        Interrupts whose handler is the peripheral's (``port_adc_irq``, ``port_spi_irq``).
    timers : tuple of int
        Timers or PWM slices.
    defines : dict of str to int
        See `Defines`.
    """

    dma: tuple[Annotated[int, Field(ge=0, lt=64)], ...] = ()
    irqs: tuple[Irq, ...] = ()
    timers: tuple[Annotated[int, Field(ge=0, lt=64)], ...] = ()
    defines: Defines = Field(default_factory=dict)

    def pin_names(self) -> tuple[str, ...]:
        """Pins that the peripheral occupies if all of it is used."""
        return ()

    def resources(self) -> Iterator[Resource]:
        """Everything that the peripheral occupies."""
        for pin in self.pin_names():
            yield "pin", pin
        for channel in self.dma:
            yield "DMA channel", str(channel)
        for timer in self.timers:
            yield "timer", str(timer)
        for irq in self.irqs:
            yield "interrupt", str(irq)


class Adc(Peripheral):
    """Converter of the chip: `pins` are sampled in turn into memory by DMA.

    The time of a frame (of a conversion, if it is paced by ``"conversion"``) is a whole number of
    2^-fraction_bits ticks of a clock of `clock_hz`, at most `divider_max`.

    Attributes
    ----------
    pins, inputs
        Pins in the order of channels, and the converter's input at each.
    ascending : bool
        Whether the converter samples its inputs in the order of their numbers only.
    bits, reference_mv
        Bits of a code, and millivolts of 2^bits.
    clock_hz, paced, fraction_bits, divider_max
        How it is timed.
    max_conversions_hz : int
        Most conversions per second, of all channels together.
    """

    pins: Annotated[tuple[Pin, ...], Field(min_length=1)]
    inputs: tuple[Annotated[int, Field(ge=0, lt=32)], ...]
    ascending: bool = False
    bits: Annotated[int, Field(ge=8, le=16)]
    reference_mv: Annotated[int, Field(gt=0, le=10_000)]
    clock_hz: Hertz
    paced: Literal["frame", "conversion"] = "frame"
    fraction_bits: Annotated[int, Field(ge=0, le=16)] = 0
    divider_max: Annotated[int, Field(gt=0, lt=1 << 32)]
    max_conversions_hz: Hertz

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.inputs) != len(self.pins):
            raise ValueError(f"{len(self.pins)} pins, but {len(self.inputs)} inputs")
        return self

    def pin_names(self) -> tuple[str, ...]:
        """Pins of all channels."""
        return self.pins


class SpiPins(Section):
    """Pins of a converter on SPI; its other inputs are wired to their levels."""

    sck: Pin
    mosi: Pin
    miso: Pin
    select: Pin
    ready: Pin  # DRDY, low when samples are ready


class Spi(Peripheral):
    """SPI to an external converter: mode 1, with its data-ready line.

    Attributes
    ----------
    index : int
        Number of the SPI, as the port's C counts it.
    pins : SpiPins
        Its pins.
    clock_hz, max_hz
        Clock that the SPI divides, and its fastest bit rate.

    Its interrupts are those of the data-ready pin, and of DMA if the port uses it.
    """

    index: Annotated[int, Field(ge=0, lt=8)]
    pins: SpiPins
    clock_hz: Hertz
    max_hz: Annotated[int, Field(gt=0, le=20_000_000)] = 4_000_000

    def pin_names(self) -> tuple[str, ...]:
        """Pins that are wired."""
        return tuple(self.pins.model_dump().values())


class Servo(Peripheral):
    """Pulses of servos every 20 ms.

    Attributes
    ----------
    pins, outputs
        A pin for each servo, and the timer's output there, where the pin does not imply it.
    """

    pins: Annotated[tuple[Pin, ...], Field(min_length=1, max_length=8)]
    outputs: tuple[Annotated[int, Field(ge=0, lt=16)], ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.outputs and len(self.outputs) != len(self.pins):
            raise ValueError(f"{len(self.pins)} pins, but {len(self.outputs)} outputs")
        return self

    def pin_names(self) -> tuple[str, ...]:
        """Pins of all servos."""
        return self.pins


class Pins(Peripheral):
    """Output pins, in the order of the bits of ``port_pins_write``."""

    pins: Annotated[tuple[Pin, ...], Field(min_length=1, max_length=32)]

    def pin_names(self) -> tuple[str, ...]:
        """All of them."""
        return self.pins


class Sources(Section):
    """Sample sources that a board offers besides the link.

    ``saadc`` is Nordic's converter, ``adc`` everybody else's; ``ads1298`` also covers the ADS1299.
    """

    adc: Adc | None = None
    saadc: Adc | None = None
    ads1298: Spi | None = None

    def names(self) -> tuple[str, ...]:
        """Names for ``--source``."""
        return ("link", *(name for name in Sources.model_fields if getattr(self, name)))


class Sinks(Section):
    """Decision sinks that a board offers besides none and text."""

    servo: Servo | None = None
    gpio: Pins | None = None

    def names(self) -> tuple[str, ...]:
        """Names for ``--sink``."""
        return ("none", "text", *(name for name in Sinks.model_fields if getattr(self, name)))
