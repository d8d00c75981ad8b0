"""A board: what its TOML file says, checked."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FftNumerics

Cpu = Literal["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
FlashMethod = Literal["emulator", "stm32-bootloader", "openocd", "pyocd", "uf2"]
Address = Annotated[int, Field(ge=0, lt=1 << 32)]
Hertz = Annotated[int, Field(gt=0, lt=1 << 32)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(_Section):
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


class Memory(_Section):
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


class Uart(_Section):
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


class Usb(_Section):
    """USB ids under which the board, or its probe or boot loader, shows up."""

    vid: Annotated[int, Field(ge=0, le=0xFFFF)]
    pid: Annotated[int, Field(ge=0, le=0xFFFF)]


class Emulation(_Section):
    """How the board is played: by QEMU's ``-M`` machine with ``options``, or by rp2040js.

    rp2040js has one machine, ``rp2040``, a serial port by TCP, and no semihosting.
    """

    machine: str
    options: tuple[str, ...] = ()
    program: Literal["qemu", "rp2040js"] = "qemu"


class Flashing(_Section):
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


class HeliumBound(_Section):
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


class Helium(_Section):
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


class Proof(_Section):
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


class Board(_Section):
    """A board, as its TOML file describes it.

    Attributes
    ----------
    name, title : str
        Name on the command line; name for people.
    cpu : str
        Core as the compiler's ``-mcpu`` calls it.
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

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=23)]
    title: str
    cpu: Cpu
    fft_numerics: FftNumerics
    clock_hz: Hertz
    port: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    flags: tuple[str, ...]
    memory: Memory
    uart: Uart
    boot2: bool = False
    defines: dict[Annotated[str, Field(pattern=r"^EB_[A-Z0-9_]+$")], int] = {}
    usb: tuple[Usb, ...] = ()
    emulator: Emulation | None = None
    helium: Helium | None = None
    flash: Flashing
    proven: Proof

    @model_validator(mode="after")
    def _consistent(self) -> Self:
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
            f"no board {str(name_or_path)!r}; there are {', '.join(names())}, or give a .toml file"
        )
    try:
        board = Board.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgebioError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EdgebioError(f"{path}: {field + ': ' if field else ''}{first['msg']}") from None
    ports = storage.assets("firmware_assets") / "ports"
    there = sorted({path.parent.name for path in ports.glob("*/port.c")} - {"host"})
    if board.port not in there:
        raise EdgebioError(f"{path}: port: no port {board.port!r}; there are {', '.join(there)}")
    return board
