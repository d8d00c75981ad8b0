"""A board: what its TOML file says, checked."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FftNumerics
from edgebio.renamed import one_warning
from edgebio.section import Section, first_problem
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
FlashMethod = Literal["emulator", "stm32-bootloader", "openocd", "pyocd", "uf2"]
Address = Annotated[int, Field(ge=0, lt=1 << 32)]
Hertz = Annotated[int, Field(gt=0, lt=1 << 32)]


class Region(Section):
    """A run of memory.

    Attributes
    ----------
    origin : int
        First address.
    bytes : int
        Size.
    """

    origin: Address
    bytes: Annotated[int, Field(gt=0, lt=1 << 32)]


class Memory(Section):
    """Where the image goes (``flash``) and where it works (``ram``)."""

    flash: Region
    ram: Region

    @model_validator(mode="after")
    def _apart(self) -> Self:
        first, second = sorted((self.flash, self.ram), key=lambda region: region.origin)
        if first.origin + first.bytes > second.origin:
            raise ValueError("flash and ram overlap")
        if self.flash.origin % 512 or self.ram.origin % 8:
            raise ValueError("flash starts at a multiple of 512 bytes, ram at one of 8")
        return self


class Uart(Section):
    """The UART that the link speaks through.

    Attributes
    ----------
    name : str
        Its name and pins, for people.
    base : int
        Address of its registers.
    irqs : tuple of int
        Interrupt numbers that reception may raise.
    clock_hz : int
        Clock that its baud rate is divided from.
    baud : int
        Rate, 8 data bits, no parity, 1 stop bit.
    """

    name: str
    base: Address
    irqs: Annotated[tuple[Annotated[int, Field(ge=0, lt=480)], ...], Field(min_length=1)]
    clock_hz: Hertz
    baud: Annotated[int, Field(ge=1200, le=12_000_000)]


class Usb(Section):
    """USB ids under which the board, or its probe or boot loader, shows up."""

    vid: Annotated[int, Field(ge=0, le=0xFFFF)]
    pid: Annotated[int, Field(ge=0, le=0xFFFF)]


class Emulation(Section):
    """How the board is played: by QEMU's ``-M`` machine with ``options``, or by rp2040js.

    rp2040js has one machine, ``rp2040``, a serial port by TCP, and no semihosting.
    """

    machine: str
    options: tuple[str, ...] = ()
    program: Literal["qemu", "rp2040js"] = "qemu"


class Flashing(Section):
    """Ways of putting an image on the board.

    Attributes
    ----------
    methods : tuple of str
        The preferred one first.
    pyocd : str
        pyOCD's name of the chip.
    openocd : tuple of str
        OpenOCD's files for probe and chip.
    baud : int
        Rate of the serial boot loader.
    pages : tuple of int
        Sizes of the pages that are erased together, in bytes; the last one repeats.
    uf2_family : int or None
        Family id of UF2 files.
    """

    methods: Annotated[tuple[FlashMethod, ...], Field(min_length=1)]
    pyocd: str = ""
    openocd: tuple[str, ...] = ()
    baud: Annotated[int, Field(ge=1200, le=921_600)] = 115_200
    pages: tuple[Annotated[int, Field(gt=0, lt=1 << 24)], ...] = ()
    uf2_family: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for method, given in (
            ("pyocd", bool(self.pyocd)),
            ("stm32-bootloader", bool(self.pages)),
            ("openocd", bool(self.openocd)),
            ("uf2", self.uf2_family is not None),
        ):
            if (method in self.methods) != given:
                name = {"uf2": "uf2_family", "stm32-bootloader": "pages"}.get(method, method)
                raise ValueError(f"method {method!r} and {name!r} go together")
        return self


class HeliumBound(Section):
    """How far the FFT by Helium's intrinsics may be from the exact one, for one FFT length.

    Attributes
    ----------
    spectrum : int
        Steps of the q15 spectrum; those of frames of any kind.
    image : int
        Steps of a pixel at 32 steps an octave (a deviation of one octave) and a floor of 64
        counts. Most are 0; the largest are pixels of bins that hold next to nothing beside a
        strong one.
    """

    spectrum: Annotated[int, Field(ge=0, lt=1 << 15)]
    image: Annotated[int, Field(ge=0, le=255)]


class Helium(Section):
    """The core has Helium, and its FFT was measured.

    Attributes
    ----------
    bounds : dict of int to HeliumBound
        By FFT length.
    note : str
        How they were measured.
    """

    bounds: dict[int, HeliumBound]
    note: str

    def bound(self, fft: int) -> HeliumBound:
        """Bound of one FFT length.

        Raises
        ------
        EdgebioError
            Where it was not measured.
        """
        if fft not in self.bounds:
            raise EdgebioError(
                f"fft_numerics mve: the board file bounds no Helium FFT of {fft} points "
                "([helium.bounds]); train with fft_numerics dsp, or add it"
            )
        return self.bounds[fft]


class Proof(Section):
    """How far the board is proven, and by what.

    Attributes
    ----------
    level : {"builds", "emulated", "hardware"}
        ``builds``: images link; ``emulated``: they run in the emulator, bit for bit;
        ``hardware``: they did so on the board itself.
    note : str
        With what, and what was left out.
    """

    level: Literal["builds", "emulated", "hardware"]
    note: str


class Board(Section):
    """A board, as its TOML file describes it.

    Attributes
    ----------
    name, title : str
        Name on the command line; name for people.
    cpu : str
        Processor, as the compiler's ``-mcpu`` calls it.
    isa : {"portable", "dsp", "mve"}
        Kernels that the compiler may use; unset, the best of the CPU.
    fft_numerics : {"scalar", "dsp", "mve"}
        Numerics of the q15 FFT that the core computes exactly with its own instructions; a model
        may ask for another.
    clock_hz : int
        Core clock once the port has set it up.
    port : str
        Folder of ``firmware_assets/ports`` that drives the board.
    flags : tuple of str
        Compiler flags of the core.
    memory : Memory
        Memory map.
    uart : Uart
        Serial port of the link.
    boot2 : bool
        Whether the boot ROM wants a second stage before the image (the RP2040's does).
    defines : dict of str to int
        What the port wants to know besides (pins, crystal).
    usb : tuple of Usb
        Ids that the board may be found by.
    emulator : Emulation or None
        How it is emulated.
    helium : Helium or None
        How far the FFT by Helium's intrinsics is from the exact one, where the core has them.
    flash : Flashing
        How it is flashed.
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
    boot2: bool = False
    defines: dict[Annotated[str, Field(pattern=r"^EB_[A-Z0-9_]+$")], int] = Field(
        default_factory=dict
    )
    usb: tuple[Usb, ...] = ()
    emulator: Emulation | None = None
    helium: Helium | None = None
    flash: Flashing
    proven: Proof

    @model_validator(mode="before")
    @classmethod
    def _default_isa(cls, content: Any) -> Any:
        if isinstance(content, dict) and "isa" not in content:
            cpu = str(content.get("cpu", content.get("core")))
            return {**content, "isa": _ISA.get(cpu, "portable")}
        return content

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        order = get_args(Isa)
        if order.index(self.isa) > order.index(_ISA[self.cpu]):
            raise ValueError(f"isa: a {self.cpu} has no {self.isa}; its best is {_ISA[self.cpu]}")
        if f"-mcpu={self.cpu}" not in self.flags:
            raise ValueError(f"flags lack -mcpu={self.cpu}")
        if ("emulator" in self.flash.methods) != (self.emulator is not None):
            raise ValueError("flash method 'emulator' and section [emulator] go together")
        if self.helium and self.cpu != "cortex-m55":
            raise ValueError(f"helium: a {self.cpu} has none")
        return self


def names() -> list[str]:
    """Names of the boards that travel with edgebio."""
    return sorted(path.stem for path in storage.assets("boards").glob("*.toml"))


def load(name_or_path: str | Path) -> Board:
    """Read a board by name, or from a TOML file of one's own.

    Raises
    ------
    EdgebioError
        Where there is no such board, or a field is missing, unknown or impossible; the text
        names it.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise EdgebioError(f"{path}: no such board file")
    elif str(name_or_path) in names():
        path = storage.assets("boards") / f"{name_or_path}.toml"
    else:
        raise EdgebioError(
            f"no board {str(name_or_path)!r}{nearest(str(name_or_path), names())}; "
            f"there are {', '.join(names())}, or give a .toml file"
        )
    try:
        with one_warning(path):
            board = Board.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise EdgebioError(f"{path}: {first_problem(error)}") from None
    ports = storage.assets("firmware_assets") / "ports"
    there = sorted({path.parent.name for path in ports.glob("*/port.c")} - {"host"})
    if board.port not in there:
        raise EdgebioError(f"{path}: port: no port {board.port!r}; there are {', '.join(there)}")
    return board
