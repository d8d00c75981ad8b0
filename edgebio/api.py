"""Functions of the public API, see `edgebio`; the commands call the same functions.

They take names and paths where the packages below them take objects, and check their arguments.
Longer than 400 lines: the whole API is in one place, and half of it is documentation.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebio import boards, compiler, firmware, recipes, storage
from edgebio.arguments import (
    BoardLike,
    ModelLike,
    PathLike,
    RecipeLike,
    Recordings,
    RunLike,
    check,
    model_file,
    optional_path,
    recording_list,
    run_folder,
    subject_names,
    training_inputs,
)  # fmt: skip
from edgebio.boards import Board, qemu
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, load_recordings

if TYPE_CHECKING:  # training, evaluation and search are imported by the functions that need them
    import numpy as np
    import numpy.typing as npt

    from edgebio.boards.board import FlashMethod, LinkKind
    from edgebio.boards.detached_emulator import DetachedEmulator
    from edgebio.boards.emulator_process import Serial
    from edgebio.calibration import CalibratedModel
    from edgebio.evaluation import Baseline, Evaluation
    from edgebio.evaluation.fold_run import FoldResult
    from edgebio.firmware.bench import Bench
    from edgebio.firmware.flashing import FlashResult
    from edgebio.firmware.library import Library, Package
    from edgebio.firmware.manifest import Hooks, Manifest
    from edgebio.quantization.model_quantizer import QuantizedModel
    from edgebio.report.page import Page
    from edgebio.search import Limits
    from edgebio.search.documents import SearchDocument
    from edgebio.search.optuna_study import Candidate
    from edgebio.search.request import Metric
    from edgebio.tasks import QuantizeResult, TrainResult, VerifyResult

__all__ = [
    "bench", "build", "calibrate", "compile_model", "compose_report", "evaluate", "flash", "infer",
    "infer_named",
    "load_board", "load_dataset", "load_recipe", "load_recordings", "quantize", "quantize_model",
    "search_networks", "train", "verify", "write_golden_vectors", "write_report",
]  # fmt: skip

_GOLDEN_IMAGES = 100  # STFT images from recordings of the test set


def load_recipe(name: PathLike) -> recipes.Recipe:
    """Load a recipe by name, or from a .toml file.

    `Recipe.with_data` and `Recipe.with_epochs` return changed copies.
    """
    check("name", name, PathLike, "the name of a recipe, or the path of a .toml file")
    return recipes.load(name)


def load_dataset(
    name: PathLike, *, subjects: Sequence[str] | None = None, data: PathLike | None = None
) -> list[Recording]:
    """Load the recordings of a data set.

    Parameters
    ----------
    name
        Name of a data set (``edgebio data list``), or an .npz file of ``edgebio data import``.
    subjects
        Names of the subjects to load; all if None.
    data
        Folder of data sets, one folder each; ``EDGEBIO_DATA``, then the cache, if None.
    """
    from edgebio import datasets

    check("name", name, PathLike, "the name of a data set, or the path of an .npz file")
    return datasets.load(str(name), optional_path(data), subject_names(subjects))


def load_board(name: BoardLike) -> Board:
    """Load a board by name, or from a .toml file."""
    check("board", name, BoardLike, "the name of a board, a .toml file or a Board")
    return name if isinstance(name, Board) else boards.load(name)


def train(
    recipe: RecipeLike,
    recordings: Recordings | None = None,
    folder: PathLike = "run",
    *,
    subjects: Sequence[str] | None = None,
    data: PathLike | None = None,
) -> "TrainResult":
    """Train by a recipe and leave a run behind.

    Parameters
    ----------
    recordings
        Recordings that the recipe's ``[data]`` splits; loaded as it says if None.
    folder
        Folder of the run; it replaces an earlier run.
    subjects, data
        Which subjects to load, and from where: see `load_dataset`.

    Raises
    ------
    EdgebioError
        If recordings and recipe do not fit, or `folder` holds something other than a run.
    """
    from edgebio import tasks

    recipe, own, pretraining = training_inputs(recipe, recordings, subjects, data)
    return tasks.train(recipe, own, Path(folder), pretraining)


def quantize(
    run: RunLike, *, scheme: recipes.Scheme | None = None, data: PathLike | None = None
) -> "QuantizeResult":
    """Quantize a run to int8.

    Parameters
    ----------
    scheme
        ``"ptq"``, ``"qat"``, ``"prune"`` or ``"cluster"``; the recipe's if None.
    data
        See `load_dataset`; for schemes that train further.
    """
    from edgebio import tasks

    return tasks.quantize(run_folder(run), scheme=scheme, data=optional_path(data))


def quantize_model(model: PathLike, calibration: PathLike, output: PathLike) -> "QuantizedModel":
    """Quantize a float model of another tool to an int8 .tflite.

    See `edgebio.quantization.model_quantizer.quantize_model`.

    Parameters
    ----------
    model
        A .keras or .h5 file, the folder of a SavedModel, or a float .tflite.
    calibration
        A .npy of inputs like those of training, shape (n, ...); a .npz for several inputs.
    output
        The .tflite to write.
    """
    from edgebio.quantization import model_quantizer

    for name, value in (("model", model), ("calibration", calibration), ("output", output)):
        check(name, value, PathLike, "the path of a file")
    return model_quantizer.quantize_model(Path(model), Path(calibration), Path(output))


def calibrate(
    model: ModelLike, recordings: Recordings, output: PathLike, *, labels: bool | None = None
) -> "CalibratedModel":
    """Adapt a model to a wearer and write it; its C stays, its constants change.

    Parameters
    ----------
    recordings
        Recordings of the wearer, at the model's rate and channel count.
    output
        The .tflite to write.
    labels
        Whether to learn from the labels too; if None, where the recordings have any.
    """
    from edgebio import calibration, tflite
    from edgebio.recordings.recording import UNLABELED
    from edgebio.runtime.session import check_recording
    from edgebio.tflite.metadata import require_metadata

    content = model_file(model).read_bytes()
    spec = require_metadata(tflite.read(content), "calibrate").frontend
    own = recording_list(recordings)
    for recording in own:
        check_recording(recording, spec.rate, spec.channels)
    if labels is None:
        labels = any((recording.labels != UNLABELED).any() for recording in own)
    calibrated = calibration.calibrate(content, own, labels=labels)
    storage.write_bytes(Path(output), calibrated.content)
    return calibrated


def evaluate(
    recipe: RecipeLike,
    protocol: str,
    recordings: Recordings | None = None,
    folder: PathLike | None = None,
    *,
    subjects: Sequence[str] | None = None,
    data: PathLike | None = None,
    baseline: "Baseline | None" = None,
    calibration: Sequence[int] = (),
    seeds: int = 1,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_finished: "Callable[[FoldResult], None]" = lambda result: None,
) -> "Evaluation":
    """Train, quantize and score a recipe on every fold of a protocol.

    Parameters
    ----------
    protocol
        Name of a protocol (`edgebio.protocols.names`).
    recordings, subjects, data
        See `train`.
    folder
        Folder of the folds and ``evaluation.json``; in the cache if None.
    baseline, calibration, seeds, jobs, scheduler, on_finished
        See `edgebio.evaluation.evaluate`.
    """
    from edgebio import evaluation, protocols

    protocols.describe(protocol)  # refuse an unknown name before recordings are read
    recipe, own, pretraining = training_inputs(recipe, recordings, subjects, data)
    return evaluation.evaluate(
        recipe, own, protocol, storage.cache("evaluations") if folder is None else Path(folder),
        baseline=baseline, calibration=calibration, pretraining=pretraining, seeds=seeds, jobs=jobs,
        scheduler=scheduler, on_finished=on_finished,
    )  # fmt: skip


def search_networks(
    recipe: RecipeLike,
    board: BoardLike,
    recordings: Recordings | None = None,
    folder: PathLike = "search",
    *,
    subjects: Sequence[str] | None = None,
    data: PathLike | None = None,
    limits: "Limits | None" = None,
    trials: int = 40,
    protocol: str | None = None,
    epochs: int | None = None,
    metric: "Metric" = "accuracy",
    seeds: int = 2,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_finished: "Callable[[Candidate], None]" = lambda candidate: None,
) -> "SearchDocument":
    """Search networks and front ends around a recipe for a board, within limits.

    Parameters
    ----------
    recordings, subjects, data
        See `train`.
    folder
        Folder of the study, ``search.json`` and the recipes; an interrupted search continues there.
    limits, trials, protocol, epochs, metric, seeds
        See `edgebio.search.Request`.
    jobs, scheduler, on_finished
        See `edgebio.search.search`.
    """
    from edgebio import search

    board = load_board(board)
    qemu.program()  # report a missing tool before recordings are read
    recipe, own, pretraining = training_inputs(recipe, recordings, subjects, data)
    limits = limits or search.Limits()
    request = search.Request(recipe, board, limits, trials, protocol, epochs, metric, seeds)
    return search.search(
        request, own, Path(folder), pretraining=pretraining, jobs=jobs, scheduler=scheduler,
        on_finished=on_finished,
    )  # fmt: skip


def verify(
    model: ModelLike,
    recordings: Recordings | PathLike | None = None,
    *,
    board: BoardLike | None = None,
    segments: int = 300,
    data: PathLike | None = None,
) -> "VerifyResult":
    """Compare every stage of a model with the one before it: the ladder.

    Parameters
    ----------
    recordings
        Inputs, or the name of a data set. If None: the run's test set, or generated signals where
        there is none.
    board
        A board for rung 5, or for one that is not emulated, its stand-in; the ladder ends at rung
        4 if None.
    segments
        Segments to take from the recordings.
    data
        See `load_dataset`.
    """
    from edgebio import tasks
    from edgebio.firmware.stand_in import emulated_board
    from edgebio.tasks import run_documents

    file, dataset = model_file(model), recordings
    target = None if board is None else load_board(board)
    if target:
        qemu.program()  # report a missing tool before the rungs that need none
    if isinstance(recordings, PathLike):
        recordings = load_dataset(recordings, data=data)
    result = tasks.task_of_model(file).verify(
        file,
        target,
        segments=segments,
        recordings=None if recordings is None else recording_list(recordings),
        data=optional_path(data),
    )
    if target:
        result = dataclasses.replace(result, emulated=emulated_board(target).name)
    if isinstance(dataset, PathLike):
        result = dataclasses.replace(result, inputs=str(dataset))
    run_documents.write_document(file, run_documents.VALIDATE, result.document())
    return result


def write_golden_vectors(
    model: ModelLike, folder: PathLike, *, data: PathLike | None = None
) -> dict[str, Any]:
    """Write the exact output of every stage of a model as raw files, to test other firmware with.

    Inputs are generated signals that stress fixed point and, for a model in its run, recordings of
    the test set, from `data` (see `load_dataset`). A network without a front end gets random
    inputs. Returns the content of ``golden.json``.
    """
    from edgebio import tflite
    from edgebio.parity import golden, stimuli
    from edgebio.tasks.provenance import load_test_recordings
    from edgebio.tflite.metadata import read_metadata

    file = model_file(model)
    metadata = read_metadata(tflite.read(file))
    if metadata is None:
        return golden.write_network(file, Path(folder))
    spec = metadata.frontend
    recordings = load_test_recordings(file.parent, optional_path(data))
    signals = [*stimuli.generated(spec), *stimuli.recorded(recordings, _GOLDEN_IMAGES, spec)]
    return golden.write(file, signals, Path(folder))


def compile_model(
    model: ModelLike,
    folder: PathLike,
    *,
    isa: compiler.KernelSet = "portable",
    goal: compiler.Goal = compiler.SPEED,
    package: "Package" = "cmake",
    prefix: str | None = None,
    stream: bool | None = None,
) -> "Library":
    """Write a model as a C library: front end, network and decision in one call.

    A .tflite without metadata becomes a library of its network alone.

    Parameters
    ----------
    folder
        Gets the library; one that is there already is replaced.
    isa
        Kernel set: ``"portable"``, ``"dsp"`` or ``"mve"``.
    goal
        What to choose kernels for.
    package
        Build system: ``"cmake"``, ``"arduino"``, ``"zephyr"``, ``"platformio"`` or
        ``"cmsis-pack"``.
    prefix
        Begins all C names and is the name of the header; ``"edgebio"`` if None.
    stream
        See `build`.
    """
    from edgebio.firmware import library

    return library.write(
        model_file(model), Path(folder), package, prefix or library.PREFIX, isa, goal, stream
    )


def build(
    model: ModelLike,
    board: BoardLike,
    folder: PathLike,
    *,
    budget: firmware.Budget | None = None,
    hooks: "Hooks" = "none",
    standalone: "firmware.Standalone | None" = None,
    link: "LinkKind | None" = None,
    allow_late: bool = False,
    stream: bool | None = None,
    runner: str | None = None,
) -> "Manifest":
    """Build the firmware image of a model for a board.

    Parameters
    ----------
    folder
        Gets the image, its sources and ``manifest.json``.
    budget
        What to choose kernels for, and the most that the image may take; speed if None.
    hooks
        ``"trace"`` for an image that ``edgebio hil`` compares layer by layer; it is slower.
    standalone
        Source and sink of an image that samples, decides and acts without a host.
    link
        What carries the link, ``"uart"`` or ``"usb"``; as the board file says if None.
    allow_late
        Whether to build an image that takes longer for a decision than there is time for.
    stream
        Whether the network computes only what is new; None where that saves, and fits.
    runner
        Benchmark's runner to speak with in place of the link: ``"mlperf-tiny:model=kws01"``.
    """
    from edgebio.firmware import image
    from edgebio.firmware import runner as runners
    from edgebio.firmware.timed_build import build_in_time

    target = load_board(board)
    if link is not None:
        target = boards.with_link(target, link)
    if runner is not None:
        return image.build(
            model_file(model), target, Path(folder), "runner", benchmark=runners.read(runner),
            budget=budget or firmware.Budget(),
        )  # fmt: skip
    return build_in_time(
        model_file(model), target, Path(folder), budget or firmware.Budget(), hooks,
        standalone, allow_late=allow_late, stream=stream,
    )  # fmt: skip


def bench(
    model: ModelLike,
    board: BoardLike,
    inputs: "npt.NDArray[np.generic] | Mapping[str, npt.NDArray[np.generic]] | None" = None,
    *,
    budget: firmware.Budget | None = None,
    stream: bool = False,
    hop_frames: int | None = None,
) -> "Bench":
    """Count what one inference costs on an emulated board: instructions, flash and RAM.

    Parameters
    ----------
    inputs
        Inputs of the network to take the mean over, shape (n, ...), by name if there are several;
        random ones if None.
    budget
        See `build`.
    stream
        Count a decision that computes only what is new, too.
    hop_frames
        Frames between windows; None for the step of the model's front end, or 1.
    """
    from edgebio.firmware import bench as benchmarks
    from edgebio.tasks import run_documents

    file, budget = model_file(model), budget or firmware.Budget()
    hop = stream_hop(file, hop_frames) if stream else None
    result = benchmarks.bench(load_board(board), file, inputs, budget, hop)
    run_documents.write_document(file, run_documents.BENCH, result.document())
    return result


def infer(
    model: ModelLike,
    inputs: "npt.NDArray[Any]",
    *,
    board: BoardLike | None = None,
    port: str | None = None,
    stream: bool = False,
    hop_frames: int | None = None,
) -> "npt.NDArray[Any]":
    """Run inputs, shape (n, ...), through a network; outputs have shape (n, classes).

    A network with a state gets them in order, from its first state on. See `infer_named` for one
    with several inputs or outputs.

    With `stream`, inputs are frames, shape (n, bins, channels), of which each `hop_frames` new ones
    end a window; only what they change is computed. See `bench`.

    The generated C runs on this machine, on an emulated `board`, or on the board at the serial URL
    `port`, which must have this model.
    """
    if port and board:
        raise EdgebioError("expected a board or a port, not both")
    file = model_file(model)
    if stream:
        return _infer_stream(file, inputs, board, port, stream_hop(file, hop_frames))
    if port:
        from edgebio.runtime.device import Device

        with Device(port, file) as device:
            return device.run_inputs(inputs)
    if board:
        from edgebio.firmware import batch

        return batch.run_network(load_board(board), file, inputs)
    from edgebio.compiler.host_model import HostModel

    return HostModel(file).run(inputs)


def infer_named(
    model: ModelLike,
    inputs: "npt.NDArray[Any] | Mapping[str, npt.NDArray[Any]]",
    *,
    board: BoardLike | None = None,
) -> "dict[str, npt.NDArray[Any]]":
    """Run inputs by name, each of shape (n, ...), through a network; give its outputs by name.

    Names are those of the file's signature, or of its tensors; a bare array is the only input. The
    generated C runs on this machine or on an emulated `board`. See `infer`.
    """
    file = model_file(model)
    if board:
        from edgebio.firmware import batch

        return batch.run_named(load_board(board), file, inputs)
    from edgebio.compiler.host_model import HostModel

    return HostModel(file).run_named(inputs)


def stream_hop(model: ModelLike, hop_frames: int | None = None) -> int:
    """Frames between windows of a model: those given, else its front end's step, else 1."""
    from edgebio import tflite
    from edgebio.firmware import bench_stream

    return bench_stream.choose_hop(tflite.read(model_file(model)), hop_frames)


def _infer_stream(
    file: Path, frames: "npt.NDArray[Any]", board: BoardLike | None, port: str | None, hop: int
) -> "npt.NDArray[Any]":
    if port:
        raise EdgebioError("a device takes samples, not frames: edgebio classify streams them")
    if board:
        from edgebio.firmware import batch

        with batch.prepare(load_board(board), file, hop=hop) as target:
            return target.stream(frames, hop)
    from edgebio.compiler.host_stream import HostStream

    return HostStream(file, hop).push(frames)


def flash(
    folder: PathLike,
    port: str | None = None,
    *,
    serial: "Serial" = "pty",
    method: "FlashMethod | None" = None,
    probe: str | None = None,
    bootloader_port: str | None = None,
    play: Sequence[Recording] = (),
) -> "FlashResult | DetachedEmulator":
    """Put an image that `build` made on its board; without a port, start its emulator.

    Parameters
    ----------
    port
        Serial port of a real board.
    serial, method, probe, bootloader_port
        See `edgebio.firmware.flashing.flash`.
    play
        Recordings at the electrodes of the emulator, one after the other.
    """
    from edgebio.firmware import flashing

    return flashing.flash(Path(folder), port, serial, method, probe, bootloader_port, play)


def converted_recording(folder: PathLike, recordings: Sequence[Recording]) -> Recording:
    """Samples that the model of an image in `folder` sees when recordings are played to it.

    They are limited and quantized by the chip's converter; the image samples by it
    (``--standalone --source adc``).
    """
    from edgebio.firmware import playback

    return playback.convert(Path(folder), recordings).recording


def write_report(folder: PathLike) -> Path:
    """Write ``report.html`` into the folder of a run, an evaluation or a search."""
    from edgebio.report import page

    return page.write(compose_report(folder), Path(folder) / page.FILE)


def compose_report(folder: PathLike) -> "Page":
    """Compose the page of a folder by what it holds.

    Raises
    ------
    EdgebioError
        If it holds no search, evaluation or finished run, or a file of it is damaged.
    """
    from edgebio import evaluation, search, tasks
    from edgebio.evaluation.report import evaluation_page
    from edgebio.search.report import search_page

    folder = Path(folder)
    if (folder / search.DOCUMENT).is_file():
        return search_page(folder)
    if (folder / evaluation.DOCUMENT).is_file():
        return evaluation_page(folder)
    return tasks.task_of_run(folder).page(folder)
