"""Models and front ends on an emulated board, many inputs at a time, through files.

The image is ``firmware_assets/app/batch.c``, which describes the files.
"""

import contextlib
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.boards import Board, qemu
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import image, linking, sources, toolchain
from edgebio.firmware.manifest import Hooks, Manifest
from edgebio.firmware.stand_in import emulated_board
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.edges import inputs_of, outputs_of
from edgebio.tflite.metadata import read_metadata

_MODE_IMAGES, _MODE_SAMPLES, _MODE_STREAM = 0, 1, 2
_TRACE_LAYER, _TRACE_STAGE, _TRACE_TICKS = 0, 1, 2

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Inputs = npt.NDArray[np.generic]
NamedInputs = Inputs | Mapping[str, Inputs]
"""Inputs of a network: the only one, or each by its name."""


@dataclass(frozen=True)
class Stage:
    """One stage of the front end for one frame and channel, as raw bytes (eb_frontend.h)."""

    stage: int
    channel: int
    data: bytes


class EmulatedFrontend:
    """A front end, built for an emulated board by `prepare_frontend`.

    Every call starts the board anew. `options` are more options of QEMU.
    """

    def __init__(
        self,
        board: Board,
        spec: FrontendSpec | None,
        elf: Path,
        objects: Mapping[Path, Path] = MappingProxyType({}),
    ) -> None:
        self.board = board
        self.elf = elf
        self.objects = objects  # by source; empty for a model
        self.stack_used = 0  # bytes, by the last run
        self._frontend = spec

    def images(self, samples: Int16, options: Sequence[str] = ()) -> Int8:
        """Images (n, frames, bins, channels) of int16 samples (n, channels), from reset."""
        with self._run_samples(samples, options=options) as files:
            return self._images(files)

    def stages(self, samples: Int16) -> list[Stage]:
        """Stream samples and return the outputs of all stages, of an image with ``traced``."""
        with self._run_samples(samples) as files:
            return [Stage(index, part, data) for index, part, data in _trace(files, _TRACE_STAGE)]

    def spec(self) -> FrontendSpec:
        """The front end; `EdgebioError` if the model has none."""
        if self._frontend is None:
            raise EdgebioError("the model has no front end: it takes images, not samples")
        return self._frontend

    def _run_samples(
        self, samples: Int16, *, network: bool = False, options: Sequence[str] = ()
    ) -> contextlib.AbstractContextManager[Path]:
        channels = self.spec().channels
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != channels:
            raise EdgebioError(
                f"the front end takes int16 samples of {channels} channels, not {samples.dtype} "
                f"of shape {samples.shape}"
            )
        return self._run(_MODE_SAMPLES, samples, network=network, options=options)

    def _images(self, files: Path) -> Int8:
        images = np.fromfile(files / "images.bin", np.int8)
        return images.reshape(-1, *self.spec().image_shape)

    @contextlib.contextmanager
    def _run(
        self, mode: int, inputs: Inputs, *, network: bool = False, options: Sequence[str] = ()
    ) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
            files = Path(scratch)
            np.array([mode, len(inputs), network], "<u4").tofile(files / "job.bin")
            (files / "inputs.bin").write_bytes(inputs.tobytes())
            # A slow inference takes 0.5 s here; a minute covers every start.
            limit = min(60.0 + 2.0 * len(inputs), 86_400.0)
            qemu.run(self.board, self.elf, files, limit, options)
            result = files / "result.bin"
            if not result.is_file() or result.stat().st_size != 12:
                raise DeviceError(f"{self.board.name} (emulated) ended without a result")
            self.stack_used = int(np.fromfile(result, "<u4")[1])
            yield files


class EmulatedModel(EmulatedFrontend):
    """A model, built for an emulated board by `prepare`."""

    def __init__(self, board: Board, graph: tflite.Graph, manifest: Manifest, elf: Path) -> None:
        metadata = read_metadata(graph)
        super().__init__(board, metadata.frontend if metadata else None, elf)
        self.manifest = manifest
        self._inputs, self._outputs = inputs_of(graph), outputs_of(graph)

    def network(self, x: NamedInputs, options: Sequence[str] = ()) -> Int8:
        """Run the network on inputs (n, height, width, channels); return outputs (n, classes).

        The inputs are by name if there are several. A network with a state gets them in order.

        Raises
        ------
        EdgebioError
            If type or shape are not the model's, or there are several outputs; `DeviceError` if
            the board fails or hangs.
        """
        outputs = self.network_named(x, options)[self._outputs.only.name]
        return outputs.reshape(len(outputs), math.prod(outputs.shape[1:]))

    def network_named(
        self, x: NamedInputs, options: Sequence[str] = ()
    ) -> dict[str, npt.NDArray[Any]]:
        """The same with all outputs (n, ...) by name."""
        with self._run_inputs(x, options) as files:
            return self._outputs.unpack(self._rows(files))

    def stream(self, frames: Inputs, hop: int, options: Sequence[str] = ()) -> Int8:
        """Push frames (n * hop, ...) into a network built with that hop; return its outputs.

        Raises
        ------
        EdgebioError
            If type, shape or number are not the model's; `DeviceError` if the board fails or hangs.
        """
        source = self._inputs.only
        if frames.dtype != source.dtype or frames.shape[1:] != source.shape[1:]:
            shape = ", ".join(map(str, ("frames", *source.shape[1:])))
            raise EdgebioError(
                f"the model takes {source.dtype} frames of shape ({shape}), not "
                f"{frames.dtype} of {frames.shape}"
            )
        hops, rest = divmod(len(frames), hop)
        if rest:
            raise EdgebioError(f"{len(frames)} frames are no multiple of the hop of {hop} frames")
        with self._run(_MODE_STREAM, frames.reshape(hops, -1), options=options) as files:
            return self._flat_outputs(files)

    def layers(self, x: NamedInputs) -> list[npt.NDArray[np.uint8]]:
        """Output of each layer as uint8 (n, bytes), of an image with ``traced``."""
        outputs: dict[int, list[bytes]] = {}
        with self._run_inputs(x) as files:
            for index, _, data in _trace(files, _TRACE_LAYER):
                outputs.setdefault(index, []).append(data)
        return [
            np.frombuffer(b"".join(outputs[index]), np.uint8).reshape(len(outputs[index]), -1)
            for index in sorted(outputs)
        ]

    def micros(self, x: NamedInputs, options: Sequence[str] = ()) -> npt.NDArray[np.uint32]:
        """Microseconds of each layer (n, layers + 1), of an image with ``timed``.

        The last column is the time outside of all layers.
        """
        with self._run_inputs(x, options) as files:
            ticks = [data for _, _, data in _trace(files, _TRACE_TICKS)]
        return np.frombuffer(b"".join(ticks), np.uint32).reshape(len(ticks), -1)

    def images_and_outputs(self, samples: Int16, options: Sequence[str] = ()) -> tuple[Int8, Int8]:
        """Stream samples as in `images`, and the images through the network."""
        with self._run_samples(samples, network=True, options=options) as files:
            return self._images(files), self._flat_outputs(files)

    def _run_inputs(
        self, x: NamedInputs, options: Sequence[str] = ()
    ) -> contextlib.AbstractContextManager[Path]:
        return self._run(_MODE_IMAGES, self._inputs.pack(x), options=options)

    def _rows(self, files: Path) -> npt.NDArray[np.uint8]:
        return np.fromfile(files / "outputs.bin", np.uint8).reshape(-1, self._outputs.bytes)

    def _flat_outputs(self, files: Path) -> Int8:
        outputs = self._outputs.unpack_only(self._rows(files))
        return outputs.reshape(len(outputs), math.prod(outputs.shape[1:]))


@contextlib.contextmanager
def prepare(
    board: Board,
    model: Path,
    *,
    traced: bool = False,
    timed: bool = False,
    budget: image.Budget = image.SPEED,
    hop: int | None = None,
) -> Iterator[EmulatedModel]:
    """Build the batch image of a model for the duration of the block.

    For a board that QEMU does not emulate, its stand-in runs the model.

    Parameters
    ----------
    traced
        For `EmulatedModel.layers` and `EmulatedModel.stages`: slower, as all outputs are written.
    timed
        For `EmulatedModel.micros`.
    hop
        For `EmulatedModel.stream`.
    """
    board = emulated_board(board)
    qemu.command(board, Path())  # reports a missing tool before the build
    with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
        folder = Path(scratch) / "image"
        hooks: Hooks = "trace" if traced else "ticks" if timed else "none"
        manifest = image.build(model, board, folder, "batch", hooks=hooks, budget=budget, hop=hop)
        graph = tflite.read(image.model_file(model))
        yield EmulatedModel(board, graph, manifest, folder / "firmware.elf")


@contextlib.contextmanager
def prepare_frontend(
    board: Board, spec: FrontendSpec, standardization: Standardization, *, traced: bool = False
) -> Iterator[EmulatedFrontend]:
    """Build the batch image of a front end for the duration of the block; see `prepare`."""
    board = emulated_board(board)
    qemu.command(board, Path())
    with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
        hooks: Hooks = "trace" if traced else "none"
        tree = sources.write_frontend(Path(scratch), spec, standardization, board, hooks)
        elf = Path(scratch) / "firmware.elf"
        units = tree.units()
        objects = toolchain.compile_all(units, tree.root)
        linking.link(tree, board, objects, elf)
        sources_of = (unit.source for unit in units)
        yield EmulatedFrontend(board, spec, elf, dict(zip(sources_of, objects, strict=True)))


def run_network(board: Board, model: Path, x: Inputs) -> Int8:
    """Build a model for an emulated board and run it; see `EmulatedModel.network`."""
    with prepare(board, model) as target:
        return target.network(x)


def run_named(board: Board, model: Path, x: NamedInputs) -> dict[str, npt.NDArray[Any]]:
    """The same; see `EmulatedModel.network_named`."""
    with prepare(board, model) as target:
        return target.network_named(x)


def _trace(files: Path, kind: int) -> Iterator[tuple[int, int, bytes]]:
    """Index, part and data of the records of one kind."""
    raw = (files / "trace.bin").read_bytes()
    at = 0
    while at < len(raw):
        record, index, part, size = np.frombuffer(raw, "<u4", 4, at).tolist()
        if record == kind:
            yield index, part, raw[at + 16 : at + 16 + size]
        at += 16 + size
