"""Models and front ends run on an emulated board, many inputs at a time, through files.

The image is ``firmware_assets/app/batch.c``, which says what the files hold.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import tflite
from edgebio.boards import Board, emulator
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import image, sources, toolchain
from edgebio.firmware.manifest import Hooks, Manifest
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.metadata import metadata

_MODE_IMAGES, _MODE_SAMPLES = 0, 1
_TRACE_LAYER, _TRACE_STAGE, _TRACE_TICKS = 0, 1, 2

Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class FrontendRun:
    """What the front end made of a recording on a board.

    Attributes
    ----------
    images : ndarray of int8 (n, columns, bins, channels)
        The images that fell due.
    outputs : ndarray of int8 (n, classes) or None
        The network's output for each of them, where it was asked for.
    """

    images: Int8
    outputs: Int8 | None


@dataclass(frozen=True)
class Stage:
    """One stage of the front end for one column and channel, as raw bytes (eb_frontend.h)."""

    stage: int
    channel: int
    data: bytes


class Chain:
    """A front end built for an emulated board, ready to be given samples.

    Use it by `prepare_frontend`. Every call starts the board anew.

    Attributes
    ----------
    board : Board
        Where it runs.
    elf : Path
        The image.
    sources : dict
        Source of each object file that was linked, relative to the sources' folder.
    stack_used : int
        Bytes of stack that the last run used.
    """

    def __init__(
        self,
        board: Board,
        spec: FrontendSpec | None,
        elf: Path,
        sources: Mapping[Path, Path] | None = None,
    ) -> None:
        self.board = board
        self.elf = elf
        self.sources = dict(sources or {})
        self.stack_used = 0
        self._spec = spec

    def images(self, samples: npt.NDArray[np.int16], options: Sequence[str] = ()) -> Int8:
        """Stream `samples` through the front end and return the images that fell due.

        Parameters
        ----------
        samples : ndarray of int16 (n, channels)
            Raw samples from reset.
        options
            More options of QEMU.

        Returns
        -------
        ndarray of int8 (n, columns, bins, channels)
        """
        with self._run_samples(samples, False, options) as (files, count):
            return self._images(files, count)

    def stages(self, samples: npt.NDArray[np.int16]) -> list[Stage]:
        """Stream `samples` through the front end and return all that its stages made.

        The image must have been prepared with ``traced``.
        """
        with self._run_samples(samples, False, ()) as (files, _):
            return [
                Stage(index, part, data)
                for kind, index, part, data in _trace(files / "trace.bin")
                if kind == _TRACE_STAGE
            ]

    @contextlib.contextmanager
    def _run_samples(
        self, samples: npt.NDArray[np.int16], network: bool, options: Sequence[str]
    ) -> Iterator[tuple[Path, int]]:
        channels = self._frontend().channels
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != channels:
            raise EdgebioError(
                f"the front end takes int16 samples of {channels} channels, not {samples.dtype} "
                f"of shape {samples.shape}"
            )
        with self._run(_MODE_SAMPLES, len(samples), samples.tobytes(), network, options) as files:
            yield files, int(np.fromfile(files / "result.bin", "<u4")[0])

    def _images(self, files: Path, count: int) -> Int8:
        images = np.fromfile(files / "images.bin", np.int8)
        return images.reshape(count, *self._frontend().image_shape)

    def _frontend(self) -> FrontendSpec:
        if self._spec is None:
            raise EdgebioError("the model carries no front end: it takes images, not samples")
        return self._spec

    @contextlib.contextmanager
    def _run(
        self, mode: int, count: int, inputs: bytes, network: bool, options: Sequence[str] = ()
    ) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
            files = Path(scratch)
            np.array([mode, count, network], "<u4").tofile(files / "job.bin")
            (files / "inputs.bin").write_bytes(inputs)
            # A slow inference takes some 0.5 s here; a minute covers the start of anything.
            limit = min(60.0 + 2.0 * count, 86_400.0)
            emulator.run(self.board, self.elf, files, limit, options)
            result = files / "result.bin"
            if not result.is_file() or result.stat().st_size != 12:
                raise DeviceError(f"{self.board.name} (emulated) ended without a result")
            self.stack_used = int(np.fromfile(result, "<u4")[1])
            yield files


class Batch(Chain):
    """A model built for an emulated board, ready to be given inputs.

    Use it by `prepare`. Every call starts the board anew.

    Attributes
    ----------
    manifest : Manifest
        What the image takes.
    """

    def __init__(self, board: Board, graph: tflite.Graph, manifest: Manifest, elf: Path) -> None:
        about = metadata(graph)
        super().__init__(board, about.frontend if about else None, elf)
        self.manifest = manifest
        self._graph = graph

    def network(self, x: npt.NDArray[np.generic], options: Sequence[str] = ()) -> Int8:
        """Run the network on `x`.

        Parameters
        ----------
        x : ndarray (n, height, width, channels)
            Inputs, of the model's own dtype.
        options
            More options of QEMU.

        Returns
        -------
        ndarray (n, classes)
            Its outputs.

        Raises
        ------
        EdgebioError
            Where `x` is not what the model takes.
        DeviceError
            Where the emulated board fails, hangs or ends early.
        """
        with self._run(_MODE_IMAGES, len(x), self._checked(x).tobytes(), False, options) as files:
            return self._outputs(files, len(x))

    def layers(self, x: npt.NDArray[np.generic]) -> list[npt.NDArray[np.uint8]]:
        """Run the network on `x` and return what each layer made, as bytes.

        The image must have been prepared with ``traced``.

        Returns
        -------
        list of ndarray of uint8 (n, bytes)
            One a layer.
        """
        with self._run(_MODE_IMAGES, len(x), self._checked(x).tobytes(), False) as files:
            made: dict[int, list[bytes]] = {}
            for kind, index, _, data in _trace(files / "trace.bin"):
                if kind == _TRACE_LAYER:
                    made.setdefault(index, []).append(data)
        return [
            np.frombuffer(b"".join(made[index]), np.uint8).reshape(len(x), -1)
            for index in sorted(made)
        ]

    def micros(
        self, x: npt.NDArray[np.generic], options: Sequence[str] = ()
    ) -> npt.NDArray[np.uint32]:
        """Run the network on `x` and return the time of each layer by the board's own clock.

        The image must have been prepared with ``timed``.

        Returns
        -------
        ndarray of uint32 (n, layers + 1)
            Microseconds; the last column is what lies outside of all layers.
        """
        inputs = self._checked(x).tobytes()
        with self._run(_MODE_IMAGES, len(x), inputs, False, options) as files:
            found = [d for kind, _, _, d in _trace(files / "trace.bin") if kind == _TRACE_TICKS]
        return np.frombuffer(b"".join(found), np.uint32).reshape(len(x), -1)

    def frontend(self, samples: npt.NDArray[np.int16], *, network: bool = False) -> FrontendRun:
        """Stream `samples` through the front end, and the images through the network if asked.

        Parameters
        ----------
        samples : ndarray of int16 (n, channels)
            Raw samples from reset.
        network
            Whether the network runs on each image.
        """
        with self._run_samples(samples, network, ()) as (files, count):
            images = self._images(files, count)
            return FrontendRun(images, self._outputs(files, count) if network else None)

    def _checked(self, x: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        tensor = self._graph.tensors[self._graph.inputs[0]]
        if x.dtype != tensor.dtype or x.shape[1:] != tensor.shape[1:]:
            raise EdgebioError(
                f"the model takes {tensor.dtype} inputs of shape (n, "
                f"{', '.join(map(str, tensor.shape[1:]))}), not {x.dtype} of {x.shape}"
            )
        return x

    def _outputs(self, files: Path, count: int) -> Int8:
        tensor = self._graph.tensors[self._graph.outputs[0]]
        classes = int(np.prod(tensor.shape[1:]))
        return np.fromfile(files / "outputs.bin", tensor.dtype).reshape(count, classes)


@contextlib.contextmanager
def prepare(
    board: Board,
    model: Path,
    *,
    traced: bool = False,
    timed: bool = False,
    budget: image.Budget = image.SPEED,
) -> Iterator[Batch]:
    """Build the batch image of `model` for `board`, for as long as the block runs.

    Parameters
    ----------
    board
        An emulated board.
    model
        A .tflite, or the folder of a run.
    traced
        Built for `Batch.layers` and `Batch.stages`: slower, as all that is made is written down.
    timed
        Built for `Batch.micros`.
    budget
        What to choose the network's kernels for, and what the image may take.

    Raises
    ------
    MissingToolError
        Where the compiler or the emulator is not installed.
    """
    emulator.command(board, Path())  # before the build: what is missing is said at once
    with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
        folder = Path(scratch) / "image"
        hooks: Hooks = "trace" if traced else "ticks" if timed else "none"
        manifest = image.build(model, board, folder, "batch", hooks=hooks, budget=budget)
        elf = folder / "firmware.elf"
        yield Batch(board, tflite.read(image.model_file(model)), manifest, elf)


@contextlib.contextmanager
def prepare_frontend(
    board: Board, spec: FrontendSpec, standard: Standardization, *, traced: bool = False
) -> Iterator[Chain]:
    """Build a batch image of a front end alone, for as long as the block runs.

    Parameters
    ----------
    board
        An emulated board.
    spec, standard
        The front end.
    traced
        Built for `Chain.stages`.
    """
    emulator.command(board, Path())
    with tempfile.TemporaryDirectory(prefix="edgebio-batch-") as scratch:
        root = Path(scratch) / "src"
        root.mkdir()
        tree = sources.write_frontend(root, spec, standard, board, "trace" if traced else "none")
        elf = Path(scratch) / "firmware.elf"
        units = tree.units()
        objects = toolchain.compile_all(units, root)
        image.link(tree, board, objects, elf)
        sources_of = zip((unit.source for unit in units), objects, strict=True)
        yield Chain(board, spec, elf, {made: source for source, made in sources_of})


def run_network(board: Board, model: Path, x: npt.NDArray[np.generic]) -> Int8:
    """Build `model` for `board` and run it on `x`: see `Batch.network`."""
    with prepare(board, model) as batch:
        return batch.network(x)


def run_layers(
    board: Board, model: Path, x: npt.NDArray[np.generic]
) -> list[npt.NDArray[np.uint8]]:
    """Build `model` for `board` and return what each layer makes of `x`: see `Batch.layers`."""
    with prepare(board, model, traced=True) as batch:
        return batch.layers(x)


def run_frontend(
    board: Board, model: Path, samples: npt.NDArray[np.int16], *, network: bool = False
) -> FrontendRun:
    """Build `model` for `board` and stream `samples` through it: see `Batch.frontend`."""
    with prepare(board, model) as batch:
        return batch.frontend(samples, network=network)


def _trace(path: Path) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the records of a trace: kind, index, part, data."""
    raw = path.read_bytes()
    at = 0
    while at < len(raw):
        kind, index, part, size = (int(v) for v in np.frombuffer(raw, "<u4", 4, at))
        yield kind, index, part, raw[at + 16 : at + 16 + size]
        at += 16 + size
