"""Arguments of the public API: what they may be, and how wrong ones are refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from edgebio import firmware, protocols, recipes
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.recipes.signal_checks import check_classes, check_rate
from edgebio.recordings import Recording

if TYPE_CHECKING:
    from edgebio.tasks import QuantizeResult, TrainResult

PathLike = Path | str
RecipeLike = recipes.Recipe | PathLike
"""A recipe, its name, or the path of a .toml file."""
BoardLike = Board | PathLike
"""A board, its name, or the path of a .toml file."""
RunLike = Union["TrainResult", PathLike]
"""Result of `train`, or the folder of a run."""
ModelLike = Union["QuantizeResult", PathLike]
"""Result of `quantize`, a .tflite, or the folder of a run."""
Recordings = Recording | Sequence[Recording]


def check(name: str, value: Any, kind: Any, expected: str) -> None:
    """Raise `EdgebioError` unless an argument is of a kind."""
    if not isinstance(value, kind):
        raise EdgebioError(f"{name} is a {type(value).__name__}; expected {expected}")


def training_inputs(
    recipe: RecipeLike,
    recordings: Recordings | None,
    subjects: Sequence[str] | None,
    data: PathLike | None,
) -> tuple[recipes.Recipe, list[Recording], tuple[Recording, ...]]:
    """Recipe, its recordings, and those of other data sets that it is pretrained on."""
    check("recipe", recipe, RecipeLike, "a Recipe, its name or a .toml file")
    loaded = recipe if isinstance(recipe, recipes.Recipe) else recipes.load(recipe)
    root = optional_path(data)
    if loaded.data.protocol:
        protocols.describe(loaded.data.protocol)  # an unknown name, before any reading
    if recordings is None:
        own = loaded.recordings(root, subject_names(subjects))
    elif subjects is not None:
        raise EdgebioError("subjects choose what is loaded; expected no recordings with them")
    else:
        own = recording_list(recordings)
    check_classes(own)
    check_rate(loaded.name, loaded.frontend.segment_length, loaded.designed_rate, own)
    return loaded, own, loaded.pretraining_recordings(own, root)


def subject_names(subjects: Sequence[str] | None) -> Sequence[str] | None:
    """Names of subjects; one string is refused, as it would be a sequence of letters."""
    if isinstance(subjects, str):
        raise EdgebioError(f"subjects is a str; expected a sequence such as [{subjects!r}]")
    return subjects


def recording_list(recordings: Recordings) -> list[Recording]:
    """Recordings as a list that is not empty."""
    several = [recordings] if isinstance(recordings, Recording) else recordings
    check("recordings", several, Sequence, "a Recording or a sequence of them")
    for number, recording in enumerate(several):
        check(f"recordings[{number}]", recording, Recording, "a Recording (Recording.from_array)")
    if not several:
        raise EdgebioError("recordings is empty; expected at least one Recording")
    return list(several)


def run_folder(run: RunLike) -> Path:
    """Folder of a run."""
    folder: Any = getattr(run, "folder", run)
    check("run", folder, PathLike, "the result of train, or the folder of a run")
    return Path(folder)


def model_file(model: ModelLike) -> Path:
    """Path of a .tflite."""
    file: Any = getattr(model, "model", model)
    check("model", file, PathLike, "the result of quantize, a .tflite or the folder of a run")
    return firmware.model_file(Path(file))


def optional_path(path: PathLike | None) -> Path | None:
    """Path, or None."""
    return None if path is None else Path(path)
