"""manifest.json: what an image is, what it was built from and what it takes."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgebio import storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError

App = Literal["link", "batch"]
"""Applications: the device that speaks the link, or the one that works through files."""

Hooks = Literal["none", "trace", "ticks"]
"""Hooks of an application (eb_batch.h, eb_trace.h): all that is computed, or how long it takes."""

FILE = "manifest.json"
MODEL_FILE = "model.tflite"
"""The model inside, for what is to be compared with it."""

BOARD_FILE = "board.json"
"""The board that the image was built for, as its own file says; boards may change."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelRecord(_Section):
    """The model inside: file name and SHA-256 of the .tflite."""

    file: str
    sha256: str


class ImageRecord(_Section):
    """The image: SHA-256 of firmware.bin, and of everything it was built from.

    Attributes
    ----------
    sha256 : str
        Of firmware.bin, byte for byte what lies in flash.
    build : str
        First 16 bytes, as hex, of the SHA-256 of all sources, flags and the compiler's version;
        the device reports it.
    """

    sha256: str
    build: str


class Flash(_Section):
    """Bytes of flash: by section, in all (alignment included), and on the board."""

    vectors: int
    code: int
    constants: int
    data: int
    total: int
    available: int


class Ram(_Section):
    """Bytes of RAM.

    Attributes
    ----------
    activations, scratch : int
        Of the network, by the compiler's memory plan.
    static : int
        All other variables, alignment included.
    stack : int
        Bound of the stack, interrupts included; so much is set aside.
    total, available : int
        All of it, and what the board has.
    """

    activations: int
    scratch: int
    static: int
    stack: int
    total: int
    available: int


class Manifest(_Section):
    """Content of manifest.json."""

    version: Annotated[int, Field(ge=1, le=1)] = 1
    edgebio: str
    app: App
    board: str
    core: str
    compiler: str
    model: ModelRecord
    image: ImageRecord
    flash: Flash
    ram: Ram
    hooks: Hooks = "none"
    kernels: list[str] = Field(default=[], description="C function of each layer.")
    weights: int = Field(default=0, description="Bytes of the network's constants in flash.")


def load_board(folder: Path) -> Board:
    """Read the board that the image in `folder` was built for.

    Raises
    ------
    EdgebioError
        Where it is missing or damaged.
    """
    try:
        return Board.model_validate_json((folder / BOARD_FILE).read_bytes())
    except (OSError, ValidationError):
        raise EdgebioError(f"{folder}/{BOARD_FILE}: missing or damaged; build it again") from None


def load_model(folder: Path) -> Path:
    """Return the .tflite of the image in `folder`, once it is known to be that.

    Raises
    ------
    EdgebioError
        Where it is missing or another one.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise EdgebioError(f"{path}: missing; build it again")
    if storage.sha256(path) != load(folder).model.sha256:
        raise EdgebioError(f"{path}: not the model that the image carries; build it again")
    return path


def load(folder: Path) -> Manifest:
    """Read the manifest of an image and hold the image against it.

    Raises
    ------
    EdgebioError
        Where the folder holds no image, or one that is not the manifest's.
    """
    path = folder / FILE
    if not path.is_file():
        raise EdgebioError(f"{folder}: no image there; make one: edgebio build MODEL -o {folder}")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise EdgebioError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    binary = folder / "firmware.bin"
    if not binary.is_file() or not (folder / "firmware.elf").is_file():
        raise EdgebioError(f"{folder}: firmware.bin or firmware.elf is missing; build it again")
    if storage.sha256(binary) != manifest.image.sha256:
        raise EdgebioError(f"{binary}: not the image that {FILE} describes; build it again")
    return manifest
