"""Functions of the public API, see `edgebio`.

They take names and paths where the packages below them take objects, and check their arguments.
The command line calls the same functions.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebio import boards, compiler, firmware, recipes, storage
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, load_recordings

if TYPE_CHECKING:  # training, evaluation and search are imported by the functions that need them
    import numpy as np
    import numpy.typing as npt

    from edgebio.calibration import CalibratedModel
    from edgebio.evaluation import Baseline, Evaluation
    from edgebio.firmware.bench import Bench
    from edgebio.firmware.manifest import Manifest
    from edgebio.recipes import Recipe, Scheme
    from edgebio.report.page import Page
    from edgebio.tasks import QuantizeResult, TrainResult, VerifyResult

__all__ = [
    "bench", "build", "calibrate", "compile_model", "compose_report", "evaluate", "flash",
    "load_board", "load_dataset", "load_recipe", "load_recordings", "quantize", "train", "verify",
    "write_report",
]  # fmt: skip

PathLike = Path | str


def load_recipe(name: PathLike) -> "Recipe":
    """Load a recipe by name, or from a .toml file.

    `Recipe.with_data` and `Recipe.with_epochs` return changed copies.
    """
    _check("name", name, PathLike, "the name of a recipe, or the path of a .toml file")
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
        Folder that holds one folder a set; ``EDGEBIO_DATA``, then the cache, if None.
    """
    from edgebio import datasets

    _check("name", name, PathLike, "the name of a data set, or the path of an .npz file")
    if isinstance(subjects, str):
        raise EdgebioError(f"subjects is a str; expected a sequence such as [{subjects!r}]")
    return datasets.load(str(name), data, subjects)


def load_board(name: Board | PathLike) -> Board:
    """Load a board by name, or from a .toml file."""
    _check("board", name, Board | PathLike, "the name of a board, a .toml file or a Board")
    return name if isinstance(name, Board) else boards.load(name)


def train(
    recipe: "Recipe | PathLike",
    recordings: Recording | Sequence[Recording] | None = None,
    folder: PathLike = "run",
    *,
    data: PathLike | None = None,
) -> "TrainResult":
    """Train by a recipe and leave a run behind.

    Parameters
    ----------
    recipe
        A recipe, its name, or a .toml file.
    recordings
        Recordings that the recipe's ``[data]`` splits; loaded as it says if None.
    folder
        Where the run goes; it replaces an earlier run.
    data
        See `load_dataset`.

    Raises
    ------
    EdgebioError
        If recordings and recipe do not fit, or `folder` holds something other than a run.
    """
    from edgebio import tasks

    recipe, root = _recipe(recipe), _path(data)
    own = _recordings(recordings) if recordings is not None else recipe.recordings(root)
    return tasks.train(recipe, own, Path(folder), recipe.pretraining_recordings(own, root))


def quantize(
    run: "TrainResult | PathLike", *, scheme: "Scheme | None" = None, data: PathLike | None = None
) -> "QuantizeResult":
    """Quantize a run to int8.

    Parameters
    ----------
    run
        Result of `train`, or the folder of a run.
    scheme
        ``"ptq"``, ``"qat"``, ``"prune"`` or ``"cluster"``; the recipe's if None.
    data
        See `load_dataset`; for schemes that train further.
    """
    from edgebio import tasks

    return tasks.quantize(_folder(run), scheme=scheme, data=_path(data))


def calibrate(
    model: "QuantizeResult | PathLike",
    recordings: Recording | Sequence[Recording],
    output: PathLike,
    *,
    labels: bool | None = None,
) -> "CalibratedModel":
    """Adapt a model to a wearer and write it; its C stays, its constants change.

    Parameters
    ----------
    model
        Result of `quantize`, a .tflite, or the folder of a run.
    recordings
        Recordings of the wearer, at the model's rate and channel count.
    output
        The .tflite to write.
    labels
        Learn from the labels too; if the recordings have any, if None.
    """
    from edgebio import calibration, tflite
    from edgebio.recordings.recording import UNLABELED
    from edgebio.runtime.session import check_recording
    from edgebio.tflite.metadata import require_metadata

    content = _model(model).read_bytes()
    spec = require_metadata(tflite.read(content), "calibrate").frontend
    own = _recordings(recordings)
    for recording in own:
        check_recording(recording, spec.rate, spec.channels)
    if labels is None:
        labels = any((recording.labels != UNLABELED).any() for recording in own)
    calibrated = calibration.calibrate(content, own, labels=labels)
    storage.write_bytes(Path(output), calibrated.content)
    return calibrated


def evaluate(
    recipe: "Recipe | PathLike",
    protocol: str,
    recordings: Sequence[Recording] | None = None,
    folder: PathLike | None = None,
    *,
    baseline: "Baseline | None" = None,
    calibration: Sequence[int] = (),
    seeds: int = 1,
    jobs: int | None = None,
    scheduler: str | None = None,
    data: PathLike | None = None,
    on_finished: Callable[[Any], None] = lambda result: None,
) -> "Evaluation":
    """Train, quantize and score a recipe on every fold of a protocol.

    Parameters
    ----------
    recipe, recordings, data
        See `train`.
    protocol
        Name of a protocol (`edgebio.protocols.names`).
    folder
        Where folds and ``evaluation.json`` are kept; the cache if None.
    baseline, calibration, seeds, jobs, scheduler, on_finished
        See `edgebio.evaluation.evaluate`.
    """
    from edgebio import evaluation

    recipe, root = _recipe(recipe), _path(data)
    own = _recordings(recordings) if recordings is not None else recipe.recordings(root)
    return evaluation.evaluate(
        recipe,
        own,
        protocol,
        storage.cache("evaluations") if folder is None else Path(folder),
        baseline=baseline,
        calibration=calibration,
        pretraining=recipe.pretraining_recordings(own, root),
        seeds=seeds,
        jobs=jobs,
        scheduler=scheduler,
        on_finished=on_finished,
    )


def verify(
    model: "QuantizeResult | PathLike",
    recordings: Recording | Sequence[Recording] | None = None,
    *,
    board: Board | PathLike | None = None,
    segments: int = 300,
    data: PathLike | None = None,
) -> "VerifyResult":
    """Compare every stage of a model with the one before it: the ladder.

    Parameters
    ----------
    model
        Result of `quantize`, a .tflite, or the folder of a run.
    recordings
        Inputs; the run's test set, or generated signals where there is none, if None.
    board
        An emulated board for rung 5; the ladder ends at rung 4 if None.
    segments
        Segments to take from the recordings.
    data
        See `load_dataset`.
    """
    from edgebio import tasks

    file = _model(model)
    return tasks.task_of_model(file).verify(
        file,
        None if board is None else load_board(board),
        segments=segments,
        recordings=None if recordings is None else _recordings(recordings),
        data=_path(data),
    )


def compile_model(
    model: "QuantizeResult | PathLike",
    folder: PathLike,
    *,
    isa: "compiler.KernelSet" = "portable",
    goal: compiler.Goal = compiler.SPEED,
) -> compiler.Generated:
    """Compile a .tflite to C.

    Parameters
    ----------
    model
        Result of `quantize`, a .tflite, or the folder of a run.
    folder
        Where ``model.h``, ``model.c`` and the kernels go.
    isa
        Kernel set: ``"portable"``, ``"dsp"`` or ``"mve"``.
    goal
        What to choose kernels for.
    """
    return compiler.generate(_model(model), Path(folder), isa, goal)


def build(
    model: "QuantizeResult | PathLike",
    board: Board | PathLike,
    folder: PathLike,
    **options: Any,
) -> "Manifest":
    """Build the firmware image of a model for a board.

    Parameters
    ----------
    model
        Result of `quantize`, a .tflite, or the folder of a run.
    board
        A board, its name, or a .toml file.
    folder
        Where the image, its sources and ``manifest.json`` go.
    options
        See `edgebio.firmware.build`.
    """
    return firmware.build(_model(model), load_board(board), Path(folder), **options)


def bench(
    model: "QuantizeResult | PathLike",
    board: Board | PathLike,
    inputs: "npt.NDArray[np.generic] | None" = None,
    budget: firmware.Budget | None = None,
) -> "Bench":
    """Count what one inference costs on an emulated board: instructions, flash and RAM.

    Parameters
    ----------
    model, board
        See `build`.
    inputs
        Inputs of the network to take the mean over, shape (n, ...); random ones if None.
    budget
        What to choose kernels for, and what the image may take; speed if None.
    """
    from edgebio.firmware import bench as benchmarks

    return benchmarks.bench(load_board(board), _model(model), inputs, budget or firmware.Budget())


def flash(folder: PathLike, port: str | None = None, **options: Any) -> Any:
    """Put an image on its board; without a port, start its emulator.

    Parameters
    ----------
    folder
        What `build` made.
    port
        Serial port of a real board.
    options
        See `edgebio.firmware.flashing.flash`.
    """
    from edgebio.firmware import flashing

    return flashing.flash(Path(folder), port, **options)


def write_report(folder: PathLike) -> Path:
    """Write ``report.html`` into the folder of a run, an evaluation or a search."""
    from edgebio.report import page

    return page.write(compose_report(Path(folder)), Path(folder) / page.FILE)


def compose_report(folder: Path) -> "Page":
    """Compose the page of a folder by what it holds.

    Raises
    ------
    EdgebioError
        If it holds no search, evaluation or finished run, or a file of it is damaged.
    """
    from edgebio import evaluation, search, tasks
    from edgebio.evaluation.report import evaluation_page
    from edgebio.search.report import search_page

    if (folder / search.DOCUMENT).is_file():
        return search_page(folder)
    if (folder / evaluation.DOCUMENT).is_file():
        return evaluation_page(folder)
    return tasks.task_of_run(folder).page(folder)


def _check(name: str, value: Any, kind: Any, expected: str) -> None:
    if not isinstance(value, kind):
        raise EdgebioError(f"{name} is a {type(value).__name__}; expected {expected}")


def _recipe(recipe: "Recipe | PathLike") -> "Recipe":
    _check("recipe", recipe, recipes.Recipe | PathLike, "a Recipe, its name or a .toml file")
    return recipe if isinstance(recipe, recipes.Recipe) else recipes.load(recipe)


def _recordings(recordings: Recording | Sequence[Recording]) -> list[Recording]:
    several = [recordings] if isinstance(recordings, Recording) else recordings
    _check("recordings", several, Sequence, "a Recording or a sequence of them")
    for number, recording in enumerate(several):
        _check(f"recordings[{number}]", recording, Recording, "a Recording (Recording.from_array)")
    if not several:
        raise EdgebioError("recordings is empty; expected at least one Recording")
    return list(several)


def _folder(run: "TrainResult | PathLike") -> Path:
    folder = getattr(run, "folder", run)
    _check("run", folder, PathLike, "the result of train, or the folder of a run")
    return Path(folder)


def _model(model: "QuantizeResult | PathLike") -> Path:
    file = getattr(model, "model", model)
    _check("model", file, PathLike, "the result of quantize, a .tflite or the folder of a run")
    return firmware.model_file(Path(file))


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else Path(path)
