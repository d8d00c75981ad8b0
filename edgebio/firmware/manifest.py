"""manifest.json: identity, origin and sizes of an image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationError

from edgebio import storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.sampling.ads1298 import Chip
from edgebio.section import Section, first_problem

App = Literal["link", "batch", "runner"]
"""Application of an image: "link" speaks the link, "batch" works on files of an emulator, "runner"
speaks the protocol of a benchmark's runner."""

Hooks = Literal["none", "trace", "ticks"]
"""Hooks of an application (eb_batch.h, eb_trace.h): all outputs, or their run time."""

FILE = "manifest.json"
MODEL_FILE = "model.tflite"
"""Copy of the model, to compare with."""

BOARD_FILE = "board.json"
"""Copy of the board file; boards may change."""


class ModelRecord(Section):
    """The model: file name and SHA-256 of the .tflite."""

    file: str
    sha256: str


class ImageRecord(Section):
    """The image: SHA-256 of firmware.bin, and the build's id, which the device reports, too."""

    sha256: str
    build: str  # 16 bytes, as hex, of the SHA-256 of all sources, flags and the compiler's version


class Flash(Section):
    """Bytes of flash: by section, in total with alignment, and on the board."""

    vectors: int
    code: int
    constants: int
    data: int
    total: int
    available: int


class Ram(Section):
    """Bytes of RAM: by use, in total, and on the board."""

    activations: int  # of the network, by the compiler's memory plan, like scratch
    scratch: int
    static: int  # all other variables, with alignment
    stack: int  # bound of the stack with interrupts
    total: int
    available: int
    stream: int = 0  # of `static`, for a network that computes only what is new


class Deadline(Section):
    """Time from one decision to the next, and how long the CPU is busy in it.

    The estimate has front end and network; converter, link and sink come on top of it.
    """

    due_us: int
    estimated_us: int
    frontend_us: int = 0  # of that, from one decision to the next
    network_us: int = 0
    ok: bool
    method: Literal["counted", "table"]  # executed instructions, or only the model's MACs
    note: str  # what the estimate is based on


class Converter(Section):
    """The chip's converter of an image that samples by it, and its scale (``eb_scale``)."""

    inputs: tuple[int, ...]  # of each channel
    bits: int
    period_us: tuple[int, int]  # between frames: numerator and denominator
    zero: int
    multiplier: int
    shift: int
    highpass: int


class ExternalConverter(Section):
    """ADS1298 or ADS1299 of an image that samples by it, and its scale (``eb_scale``)."""

    chip: Chip
    chips: int
    gain: int
    reference_mv: int
    lead_off: bool
    multiplier: int
    shift: int
    highpass: int


class Manifest(Section):
    """Content of manifest.json."""

    old_keys: ClassVar[Mapping[str, str]] = {"core": "cpu"}

    version: Annotated[int, Field(ge=1, le=1)] = 1
    edgebio: str
    app: App
    board: str
    cpu: str
    compiler: str
    model: ModelRecord
    image: ImageRecord
    flash: Flash
    ram: Ram
    hooks: Hooks = "none"
    kernels: tuple[str, ...] = ()  # C function of each layer
    weights: int = 0  # bytes of the network's constants in flash
    standalone: bool = False
    source: str | None = None  # of an image that stands alone, as its sink
    sink: str | None = None
    converter: Converter | None = None
    external_converter: ExternalConverter | None = None
    sink_pins: tuple[str, ...] = ()
    deadline: Deadline | None = None  # of an image that decides on a stream
    hop_frames: int | None = None  # of a network that computes only what is new


def describes(folder: Path) -> bool:
    """Whether a folder holds a manifest of an image, by its content."""
    try:
        Manifest.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return False
    return True


def load(folder: Path) -> Manifest:
    """Read the manifest of an image and check the image against it.

    Raises
    ------
    EdgebioError
        If the folder contains no image, or not the one that the manifest describes.
    """
    path = folder / FILE
    if not path.is_file():
        raise EdgebioError(f"{folder}: no image there; build one: edgebio build MODEL -o {folder}")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise EdgebioError(f"{path}: {first_problem(error)}") from None
    binary = folder / "firmware.bin"
    if not binary.is_file() or not (folder / "firmware.elf").is_file():
        raise EdgebioError(f"{folder}: firmware.bin or firmware.elf is missing; build it again")
    if storage.sha256(binary) != manifest.image.sha256:
        raise EdgebioError(f"{binary}: not the image that {FILE} describes; build it again")
    return manifest


def load_board(folder: Path) -> Board:
    """Read the board that the image in `folder` was built for."""
    try:
        return Board.model_validate_json((folder / BOARD_FILE).read_bytes())
    except (OSError, ValidationError):
        raise EdgebioError(f"{folder}/{BOARD_FILE}: missing or damaged; build it again") from None


def load_model(folder: Path) -> Path:
    """Path of the .tflite that the image in `folder` was built from; refuses another one."""
    path = folder / MODEL_FILE
    if not path.is_file():
        raise EdgebioError(f"{path}: missing; build it again")
    if storage.sha256(path) != load(folder).model.sha256:
        raise EdgebioError(f"{path}: not the model that the image contains; build it again")
    return path
