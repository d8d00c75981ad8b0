"""A board, read from its TOML file and checked."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from edgebio import storage
from edgebio.boards.flash_timing import FlashTiming
from edgebio.boards.peripherals import Defines, Hertz, Irq, Pin, Sinks, Sources
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FftNumerics
from edgebio.section import Section, read_toml
from edgebio.suggest import nearest

Cpu = Literal["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
Isa = Literal["portable", "dsp", "mve"]
_ISA: dict[str, Isa] = {
    "cortex-m0plus": "portable",
    "cortex-m3": "portable",
    "cortex-m4": "dsp",
    "cortex-m7": "dsp",
    "cortex-m33": "dsp",
    "cortex-m55": "mve",
}
"""Best kernel set of each CPU; one that comes before it in `Isa` runs there too."""
FlashMethod = Literal[
    "emulator", "pyocd", "openocd", "jlink", "stm32cubeprogrammer", "stm32-bootloader",
    "drag-and-drop", "picotool", "uf2",
]  # fmt: skip
PortIrqs = Literal["supply"]
"""Interrupts of the port itself; the handler is ``port_supply_irq``."""
LinkKind = Literal["uart", "usb"]
"""What carries the link: a UART, or the chip's own USB as a serial port."""
Address = Annotated[int, Field(ge=0, lt=1 << 32)]


class Region(Section):
    """A region of memory: first address and size."""

    origin: Address
    bytes: Annotated[int, Field(gt=0, lt=1 << 32)]


class Memory(Section):
    """Memory for the image (``flash``) and for its data (``ram``)."""

    flash: Region
    ram: Region

    @model_validator(mode="after")
    def _check(self) -> Self:
        first, second = sorted((self.flash, self.ram), key=lambda region: region.origin)
        if first.origin + first.bytes > second.origin:
            raise ValueError("flash and ram overlap")
        if self.flash.origin % 512 or self.ram.origin % 8:
            raise ValueError("flash must start at a multiple of 512 bytes, ram at a multiple of 8")
        return self


class Uart(Section):
    """The UART of the link: 8 data bits, no parity, 1 stop bit."""

    name: str  # with its pins, for people
    base: Address  # of its registers
    irqs: Annotated[tuple[Irq, ...], Field(min_length=1)]
    clock_hz: Hertz  # of the baud rate divider
    baud: Annotated[int, Field(ge=1200, le=12_000_000)]
    pins: tuple[Pin, Pin] | None = None  # TX and RX, where other peripherals could claim them


class Usb(Section):
    """USB ids of the board, its debug probe or its boot loader."""

    vid: Annotated[int, Field(ge=0, le=0xFFFF)]
    pid: Annotated[int, Field(ge=0, le=0xFFFF)]


class UsbLink(Usb):
    """The chip's own USB as the link: a serial port (CDC ACM) with these ids.

    They are documented as those of examples; a product needs its own.
    """

    name: str  # with its socket, for people
    irqs: Annotated[tuple[Irq, ...], Field(min_length=1)]  # whose handler is ``port_usb_irq``


class Emulation(Section):
    """Emulator of the board: QEMU's ``-M`` machine with ``options``, or rp2040js.

    rp2040js has one machine, ``rp2040``, a serial port over TCP, and no semihosting.
    """

    machine: str
    options: tuple[str, ...] = ()
    program: Literal["qemu", "rp2040js"] = "qemu"


class Flashing(Section):
    """Methods to flash the board, in order of preference, and their parameters."""

    methods: Annotated[tuple[FlashMethod, ...], Field(min_length=1)]
    pyocd: str = ""  # pyOCD's name of the chip
    locks: bool = False  # whether a chip may be locked, which pyOCD ends by erasing all of it
    jlink: str = ""  # SEGGER's name of the chip
    drive: str = ""  # name of the drive that takes an image
    openocd: tuple[str, ...] = ()  # OpenOCD's configuration files for probe and chip
    baud: Annotated[int, Field(ge=1200, le=921_600)] = 115_200  # of the serial boot loader
    # Sizes of the erasable pages in bytes; the last one repeats.
    pages: tuple[Annotated[int, Field(gt=0, lt=1 << 24)], ...] = ()
    bootloader_pins: tuple[tuple[Pin, Pin], ...] = ()  # TX and RX where the serial one listens
    uf2_family: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for method, key in (
            ("pyocd", "pyocd"),
            ("stm32-bootloader", "pages"),
            ("stm32-bootloader", "bootloader_pins"),
            ("openocd", "openocd"),
            ("jlink", "jlink"),
            ("drag-and-drop", "drive"),
            ("uf2", "uf2_family"),
        ):
            if (method in self.methods) != (getattr(self, key) not in ("", (), None)):
                raise ValueError(f"method {method!r} and key {key!r} go together")
        return self

    def bootloader_shares_link(self, uart: Uart) -> bool:
        """Whether the serial boot loader listens on the pins of the link."""
        return uart.pins in self.bootloader_pins


class HeliumBound(Section):
    """Limit of the difference between Helium's FFT and the exact one, for one FFT length.

    Most differences are 0; the largest occur in nearly empty bins beside a strong one.
    """

    spectrum: Annotated[int, Field(ge=0, lt=1 << 15)]  # steps of the q15 spectrum
    # Steps of a pixel at 32 steps per octave and a floor of 64 counts.
    image: Annotated[int, Field(ge=0, le=255)]


class Helium(Section):
    """Accuracy of the FFT on a CPU with Helium, by FFT length."""

    bounds: dict[int, HeliumBound]
    note: str  # how they were measured

    def bound(self, n_fft: int) -> HeliumBound:
        """Limit for one FFT length.

        Raises
        ------
        EdgebioError
            If the board file has none.
        """
        if n_fft not in self.bounds:
            raise EdgebioError(
                f"fft_numerics mve: the board file has no bounds.{n_fft} in [helium] for an FFT of "
                f"{n_fft} points; add it, or train with fft_numerics dsp"
            )
        return self.bounds[n_fft]


class Energy(Section):
    """Energy of a CPU cycle that was measured on the board's chip and published.

    Of code from flash with the caches on, at the board's clock; nothing of peripherals and radios.
    """

    pj_per_cycle: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]  # low, high
    source: str  # publication, board, clock and supply

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.pj_per_cycle[0] > self.pj_per_cycle[1]:
            raise ValueError("energy: pj_per_cycle is the lower figure, then the higher one")
        return self


class Proof(Section):
    """How far the board is proven: images link, run bit for bit emulated, or on the board."""

    level: Literal["builds", "emulated", "hardware"]
    note: str  # by what, and what was not tested


class Board(Section):
    """A board, as its TOML file describes it.

    Attributes
    ----------
    name, title : str
        Name on the command line; name for people.
    cpu : str
        Processor, as the compiler's ``-mcpu`` calls it.
    isa : {"portable", "dsp", "mve"}
        Kernel set for networks; unset, the best for the CPU.
    fft_numerics : {"scalar", "dsp", "mve"}
        FFT numerics that the CPU's own instructions compute; a model may use others.
    clock_hz : int
        CPU clock after the port's setup.
    port : str
        Folder in ``firmware_assets/ports`` with the C for this board.
    flags : tuple of str
        Compiler flags of the CPU.
    memory : Memory
        Memory map.
    uart : Uart
        Serial port of the link.
    boot2 : bool
        Whether the boot ROM needs a second stage before the image, as the RP2040's does.
    defines : dict of str to int
        Other parameters of the port, such as pins.
    link : {"uart", "usb"}
        What carries the link.
    usb_link : UsbLink or None
        The chip's own USB, if it can carry the link.
    irqs : dict of str to tuple of int
        Interrupts of the port itself: ``supply`` of the brown-out detector.
    sources, sinks : Sources, Sinks
        What it can sample with and act on, besides its link.
    timing : FlashTiming or None
        What flash costs; None for a board that runs from RAM, or whose flash does not wait.
    energy : Energy or None
        Energy of a cycle, where it is published.
    usb : tuple of Usb
        USB ids to find the board by.
    emulator : Emulation or None
        Emulator of the board.
    helium : Helium or None
        Accuracy of the FFT, if the CPU has Helium.
    flash : Flashing
        Methods to flash it.
    proven : Proof
        How far it is proven.
    """

    old_keys: ClassVar[dict[str, str]] = {"core": "cpu", "core_class": "fft_numerics"}

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=23)]
    title: str
    cpu: Cpu
    isa: Isa
    fft_numerics: FftNumerics
    clock_hz: Hertz
    port: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    flags: tuple[str, ...]
    memory: Memory
    uart: Uart
    link: LinkKind = "uart"
    usb_link: UsbLink | None = None
    boot2: bool = False
    defines: Defines = Field(default_factory=dict)
    irqs: dict[PortIrqs, Annotated[tuple[Irq, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    sources: Sources = Sources()
    sinks: Sinks = Sinks()
    timing: FlashTiming | None = None
    energy: Energy | None = None
    usb: tuple[Usb, ...] = ()
    emulator: Emulation | None = None
    helium: Helium | None = None
    flash: Flashing
    proven: Proof

    def document(self) -> dict[str, Any]:
        """Content to print as JSON; of sources and sinks, those that the board offers."""
        parts: dict[str, Sources | Sinks] = {"sources": self.sources, "sinks": self.sinks}
        offered = {
            key: {name: _section_document(part, name) for name in part.names()}
            for key, part in parts.items()
        }
        return super().document() | offered

    @model_validator(mode="before")
    @classmethod
    def _default_isa(cls, content: Any) -> Any:
        if isinstance(content, dict) and "isa" not in content:
            cpu = str(content.get("cpu", content.get("core")))
            return {**content, "isa": _ISA.get(cpu, "portable")}
        return content

    @model_validator(mode="after")
    def _check(self) -> Self:
        order = get_args(Isa)
        if order.index(self.isa) > order.index(_ISA[self.cpu]):
            raise ValueError(f"isa: a {self.cpu} has no {self.isa}; its best is {_ISA[self.cpu]}")
        if f"-mcpu={self.cpu}" not in self.flags:
            raise ValueError(f"flags lack -mcpu={self.cpu}")
        if ("emulator" in self.flash.methods) != (self.emulator is not None):
            raise ValueError("flash method 'emulator' and section [emulator] go together")
        if self.link == "usb" and self.usb_link is None:
            raise ValueError("link 'usb' and section [usb_link] go together")
        if self.helium and self.cpu != "cortex-m55":
            raise ValueError(f"helium: a {self.cpu} has no Helium")
        return self


def _section_document(part: Section, name: str) -> dict[str, Any]:
    """Content of a section of a source or sink; empty for one that every board has."""
    section = getattr(part, name, None)
    return section.document() if isinstance(section, Section) else {}


def with_link(board: Board, link: LinkKind) -> Board:
    """Copy of a board with another link; `EdgebioError` if it has no USB of its own."""
    if link == "usb" and board.usb_link is None:
        raise EdgebioError(f"{board.name}: its link is a UART; it has no [usb_link]")
    return board.model_copy(update={"link": link})


def names() -> list[str]:
    """Names of the boards that come with edgebio."""
    return sorted(path.stem for path in storage.assets("boards").glob("*.toml"))


def load(name_or_path: str | Path) -> Board:
    """Read a board by name, or from a TOML file.

    Raises
    ------
    EdgebioError
        If there is no such board, or a key is missing, unknown or its value impossible; names the
        key.
    """
    board = read_toml(Board, "board", storage.assets("boards"), name_or_path)
    ports = storage.assets("firmware_assets") / "ports"
    known = sorted({path.parent.name for path in ports.glob("*/port.c")} - {"host"})
    if board.port not in known:
        raise EdgebioError(
            f"{name_or_path}: port: no port {board.port!r}{nearest(board.port, known)}; "
            f"there are {', '.join(known)}"
        )
    return board
