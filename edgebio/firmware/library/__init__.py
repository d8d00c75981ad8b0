"""A model as a C library for firmware of your own: front end, network and decision in one call.

A model without metadata becomes a library of its network alone. A library has no dependency: the C
of CMSIS-DSP's FFT is part of it, under names of the library.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from edgebio import storage, tflite
from edgebio.compiler import SPEED, Generated, Goal, KernelSet, compile_model, write_explanation
from edgebio.errors import EdgebioError
from edgebio.firmware.library.layouts import PACKAGES, Package, layout_files, pack
from edgebio.firmware.library.names import Names, check_prefix
from edgebio.firmware.library.sources import library_sources
from edgebio.firmware.sources import check_one_image
from edgebio.firmware.stream_choice import stream_hop
from edgebio.tflite.metadata import read_metadata

__all__ = ["PACKAGES", "PREFIX", "Library", "Package", "write"]

PREFIX = "edgebio"
"""Prefix of a library's names unless one is given."""

_EXTRAS = PurePosixPath("extras")
_RECORD = _EXTRAS / "library.json"


@dataclass(frozen=True, eq=False)
class Library:
    """A library in a folder.

    Attributes
    ----------
    network : Generated
        The compiled network; its sources are those of the whole library.
    header : Path
        The public header.
    explanation : Path
        Text that explains what the compiler decided.
    prefix : str
    package : str
    whole : bool
        With front end and decision, not the network alone.
    """

    network: Generated
    header: Path
    explanation: Path
    prefix: str
    package: Package
    whole: bool

    def document(self) -> dict[str, Any]:
        """Names, sizes, layers and memory plan as a JSON document."""
        return {
            "package": self.package,
            "prefix": self.prefix,
            "header": self.header.name,
            "whole": self.whole,
            **self.network.document(),
        }


def write(
    model: Path,
    folder: Path,
    package: Package = "cmake",
    prefix: str = PREFIX,
    isa: KernelSet = "portable",
    goal: Goal = SPEED,
    stream: bool | None = None,
) -> Library:
    """Write a model as a library.

    Parameters
    ----------
    model
        A .tflite.
    folder
        Gets the library; an earlier library there is replaced.
    package
        Build system.
    prefix
        Begins all C names and is the name of the header.
    isa, goal
        See `edgebio.compiler.compile_model`.
    stream
        Whether the network computes only what is new in a segment, which takes memory; None where
        it saves a fifth of the multiply-accumulates and fits the goal.

    Raises
    ------
    EdgebioError
        If the model cannot be compiled or decided on, the prefix cannot begin C names, or the
        folder has other content.
    MissingToolError
        If there is no C compiler, which computes the right answers that the library carries.
    """
    check_prefix(prefix)
    names = Names(prefix)
    graph = tflite.read(model)
    hop = stream_hop(graph, isa, stream)
    try:
        program = compile_model(model, isa, goal, hop)
    except EdgebioError:
        if hop is None or stream:
            raise
        program = compile_model(model, isa, goal)
    metadata = read_metadata(program.graph)
    if metadata is not None:
        check_one_image(program)  # which the front end makes
    sources = library_sources(names, program, metadata)
    texts = sources | layout_files(
        package, names, sources, whole=metadata is not None, sha256=program.graph.sha256
    )
    files = {path: text.encode() for path, text in texts.items()}
    files[PurePosixPath("LICENSE")] = storage.assets("LICENSE").read_bytes()
    with TemporaryDirectory(prefix="edgebio-library-") as scratch:
        write_explanation(program, Path(scratch))
        files |= {_EXTRAS / path.name: path.read_bytes() for path in Path(scratch).iterdir()}
    if package == "cmsis-pack":
        files.update([pack(names, files)])
    with _replaced(folder, sorted(files)):
        for path, content in files.items():
            storage.write_bytes(folder / path, content)
    compiled = [folder / path for path in sorted(sources) if path.suffix == ".c"]
    return Library(
        network=Generated(program, compiled, [folder / names.header.parent]),
        header=folder / names.header,
        explanation=folder / _EXTRAS / "explain.txt",
        prefix=prefix,
        package=package,
        whole=metadata is not None,
    )


@contextmanager
def _replaced(folder: Path, files: list[PurePosixPath]) -> Iterator[None]:
    """Remove what an earlier library left, as build systems compile every file of a folder."""
    if folder.exists() and not folder.is_dir():
        raise EdgebioError(f"{folder}: not a folder")
    record, earlier = folder / _RECORD, set[str]()
    if record.is_file():
        earlier = set(map(str, storage.read_json(record).get("files", [])))
    elif folder.is_dir() and any(folder.iterdir()):
        raise EdgebioError(f"{folder}: not empty, and no library of edgebio; choose another folder")
    own = set(map(str, files))
    try:
        # Written first: files of a library that was interrupted are known to the next.
        storage.write_json(record, {"files": sorted(earlier | own)})
        yield
        for name in earlier - own:
            path = folder / name
            if path.resolve().is_relative_to(folder.resolve()):
                path.unlink(missing_ok=True)
        storage.write_json(record, {"files": sorted(own)})
    except OSError as error:
        raise EdgebioError(f"{folder}: cannot be written: {error.strerror}") from None
