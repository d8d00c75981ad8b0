"""eb_board.h: what the port's C needs to know of a board and of the peripherals in use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from edgebio import generated_c
from edgebio.boards import Board
from edgebio.boards.peripherals import Peripheral, Pins, Servo, Spi, pin_number


@dataclass(frozen=True)
class AdcUse:
    """Converter of the chip in use: some of its pins, at one rate.

    Attributes
    ----------
    pins, inputs
        In the order of channels.
    divider
        Time between frames, or between conversions where they pace it, in 2^-fraction_bits ticks
        of the converter's clock.
    peripheral
        Section of the board file.
    """

    pins: tuple[str, ...]
    inputs: tuple[int, ...]
    divider: int
    clock_hz: int
    peripheral: Peripheral


@dataclass(frozen=True)
class Use:
    """Peripherals of an image; an image that does not stand alone has none."""

    adc: AdcUse | None = None
    spi: Spi | None = None
    servo: Servo | None = None
    pins: Pins | None = None

    def files(self) -> Iterator[str]:
        """Files of the port that implement them (peripherals.h)."""
        for name, part in (
            ("adc", self.adc), ("spi", self.spi), ("servo", self.servo), ("pins", self.pins),
        ):  # fmt: skip
            if part is not None:
                yield f"{name}.c"


NO_PERIPHERALS: Final = Use()


def text(board: Board, use: Use = NO_PERIPHERALS) -> str:
    """Text of eb_board.h."""
    irqs = {name.upper(): own for name, own in board.irqs.items()}
    lines = [f"#define EB_CLOCK_HZ {board.clock_hz}u", *_defines(board.defines)]
    if board.link == "usb" and board.usb_link:
        lines += [
            f"#define EB_USB_VID {board.usb_link.vid:#06x}u",
            f"#define EB_USB_PID {board.usb_link.pid:#06x}u",
            f'#define EB_USB_PRODUCT "{usb_product(board)}"',
        ]
        irqs["USB"] = board.usb_link.irqs
    else:
        lines += [
            f"#define EB_UART_BASE {board.uart.base:#010x}u",
            f"#define EB_UART_CLOCK_HZ {board.uart.clock_hz}u",
            f"#define EB_UART_BAUD {board.uart.baud}u",
        ]
        irqs["UART"] = board.uart.irqs
    if use.adc:
        adc = use.adc
        lines += [
            "\n/* Converter: channels in order; time between triggers in parts of its clock. */",
            f"#define EB_ADC_CHANNELS {len(adc.inputs)}u",
            f"#define EB_ADC_INPUTS {_list(adc.inputs)}",
            f"#define EB_ADC_INPUT_MASK {sum(1 << i for i in adc.inputs):#x}u",
            f"#define EB_ADC_PINS {_list(map(pin_number, adc.pins))}",
            f"#define EB_ADC_CLOCK_HZ {adc.clock_hz}u",
            f"#define EB_ADC_DIVIDER {adc.divider}u",
            *_numbers("ADC", adc.peripheral),
        ]
        irqs["ADC"] = adc.peripheral.irqs
    if use.spi:
        spi = use.spi
        lines += [
            "\n/* SPI of an external converter. */",
            f"#define EB_SPI_INDEX {spi.index}u",
            f"#define EB_SPI_CLOCK_HZ {spi.clock_hz}u",
            f"#define EB_SPI_HZ {spi.max_hz}u",
            *(
                f"#define EB_SPI_{name.upper()}_PIN {pin_number(pin)}u"
                for name, pin in spi.pins.model_dump().items()
            ),
            *_numbers("SPI", spi),
        ]
        irqs["SPI"] = spi.irqs
    if use.servo:
        servo = use.servo
        lines += [
            "\n/* Servos. */",
            f"#define EB_SERVOS {len(servo.pins)}u",
            f"#define EB_SERVO_PINS {_list(map(pin_number, servo.pins))}",
            *([f"#define EB_SERVO_OUTPUTS {_list(servo.outputs)}"] if servo.outputs else []),
            *_numbers("SERVO", servo),
        ]
        irqs["SERVO"] = servo.irqs
    if use.pins:
        lines += [
            "\n/* Output pins. */",
            f"#define EB_PINS_COUNT {len(use.pins.pins)}u",
            f"#define EB_PINS {_list(map(pin_number, use.pins.pins))}",
            *_numbers("PINS", use.pins),
        ]
    lines += ["\n/* Interrupts: size of the vector table, entries of it, and a call for each. */"]
    lines += [f"#define EB_IRQS {max(irq for own in irqs.values() for irq in own) + 1}u"]
    for name, own in irqs.items():
        if own:
            lines += _vectors(name, own)
    return generated_c.header(
        f"/* Board {board.name}: {board.title}. Generated. */\n",
        "EB_BOARD_H",
        macros="\n".join(lines) + "\n",
    )


def usb_product(board: Board) -> str:
    """Name of a board's product on USB, by which the host finds it."""
    return f"edgebio {board.name}"


def _list(numbers: Iterable[int]) -> str:
    return f"{{{', '.join(f'{number}u' for number in numbers)}}}"


def _defines(defines: dict[str, int]) -> list[str]:
    return [f"#define {name} {value}u" for name, value in defines.items()]


def _numbers(name: str, peripheral: Peripheral) -> Iterator[str]:
    for kind in ("dma", "irqs", "timers"):
        for index, number in enumerate(getattr(peripheral, kind)):
            yield f"#define EB_{name}_{kind.removesuffix('s').upper()}_{index} {number}u"
    yield from _defines(peripheral.defines)


def _vectors(name: str, irqs: tuple[int, ...]) -> list[str]:
    entries = ", ".join(f"[16 + {irq}] = {{.entry = (handler)}}" for irq in irqs)
    calls = " ".join(f"enable({irq}u);" for irq in irqs)
    return [
        f"#define EB_{name}_VECTORS(handler) {entries}",
        f"#define EB_{name}_EACH_IRQ(enable) do {{ {calls} }} while (0)",
    ]
