"""A recipe: all settings from recordings to a trained network."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from edgebio import datasets
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes.data import DataSettings
from edgebio.recipes.feature_imitation import FeatureImitationSettings
from edgebio.recipes.model import ModelSettings
from edgebio.recipes.quantize import QuantizeSettings
from edgebio.recipes.signal_checks import check_resampling
from edgebio.recipes.training import TrainingSettings
from edgebio.recordings import Recording, preprocessing
from edgebio.section import Section

Task = Literal["stft_classifier", "feature_imitation"]
"""What a recipe trains: a CNN on STFT images, or a network that predicts features of segments."""

Degrees = Annotated[
    tuple[Annotated[float, Field(ge=0, le=360)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, int | float) else value),
]
"""A number, or one for each servo."""


class Recipe(Section):
    """One job from recordings to a network, as ``edgebio train`` reads it.

    Attributes
    ----------
    name, title : str
        Name on the command line; one line for people.
    task : {"stft_classifier", "feature_imitation"}
        See `Task`; unset, ``feature_imitation`` if the recipe has that section.
    grips : dict of str to tuple of float
        Degrees of each servo of a hand by class, and for ``rest``: the angles of ``--sink servo``.
    """

    old_keys: ClassVar[dict[str, str]] = {"imitation": "feature_imitation"}

    name: str
    title: str = ""
    task: Task = "stft_classifier"
    data: DataSettings = DataSettings()
    frontend: FrontendSettings = FrontendSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    quantize: QuantizeSettings = QuantizeSettings()
    decision: DecisionSettings = DecisionSettings()
    grips: dict[str, Degrees] = Field(default_factory=dict)
    feature_imitation: FeatureImitationSettings | None = None
    _own_dataset: str = PrivateAttr("")  # that another one was chosen for, see `with_data`

    @model_validator(mode="before")
    @classmethod
    def _task_and_section(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        if "task" not in content and {"imitation", "feature_imitation"} & content.keys():
            return {**content, "task": "feature_imitation"}
        if content.get("task") == "feature_imitation":
            return {"feature_imitation": {}, **content}
        return content

    @model_validator(mode="after")
    def _check_section(self) -> Self:
        if self.feature_imitation and self.task != "feature_imitation":
            raise ValueError(f"feature_imitation: task {self.task!r} has no such section")
        return self

    def with_data(self, dataset: str | None, protocol: str | None = None) -> Self:
        """Return the recipe with another data set or protocol; None keeps its own."""
        changes = {"dataset": dataset, "protocol": protocol}
        data = self.data.model_copy(update={k: v for k, v in changes.items() if v is not None})
        changed = self.model_copy(update={"data": data})
        if dataset is not None:
            changed._own_dataset = self._own_dataset or self.data.dataset
        return changed

    @property
    def designed_rate(self) -> float:
        """Rate in Hz whose samples and frames the recipe counts; 0 if unknown.

        It is ``data.rate``, or the rate of the data set that the recipe's file names.
        """
        own = self._own_dataset or self.data.dataset
        if self.data.rate or own not in datasets.names():
            return self.data.rate
        return datasets.get(own).rate

    def with_epochs(self, epochs: int) -> Self:
        """Return the recipe with another length of training, for new subjects too."""
        changes: dict[str, Any] = {"epochs": epochs}
        if self.training.new_subjects.epochs is not None:
            new = self.training.new_subjects.model_copy(update={"epochs": epochs})
            changes["new_subjects"] = new
        training = TrainingSettings.model_validate({**dict(self.training), **changes})
        return self.model_copy(update={"training": training})

    def with_horizon(self, horizon: int | None) -> Self:
        """Return the recipe with another ``feature_imitation.horizon``; None keeps its own.

        Raises
        ------
        EdgebioError
            If the recipe has another task.
        """
        if horizon is None:
            return self
        if self.feature_imitation is None:
            raise EdgebioError(f"{self.name}: task {self.task!r} has no feature_imitation.horizon")
        content = {**self.feature_imitation.model_dump(), "horizon": horizon}
        section = FeatureImitationSettings.model_validate(content)
        return self.model_copy(update={"feature_imitation": section})

    def recordings(
        self, root: Path | None = None, subjects: Sequence[str] | None = None
    ) -> list[Recording]:
        """Load the recordings and prepare them by ``[data]``; see `edgebio.datasets.load`."""
        data = self.data
        recordings = datasets.load(data.dataset, root, subjects)
        if data.classes:
            recordings = preprocessing.merge_classes(recordings, data.classes)
        if data.channel_numbers:
            recordings = preprocessing.select_channels(recordings, data.channel_numbers)
        if data.rate:
            check_resampling(recordings[0], data.rate, always=bool(self._own_dataset))
        return self._prepare(recordings, data.rate)

    def pretraining_recordings(
        self, own: Sequence[Recording], root: Path | None = None
    ) -> tuple[Recording, ...]:
        """Load the data sets of ``[training.pretraining]``, at the rate of the `own` recordings.

        The name of the set precedes that of each subject.
        """
        others = list[Recording]()
        for name in self.other_datasets:
            loaded = datasets.load(name, root)
            check_resampling(loaded[0], own[0].rate, key="training.pretraining")
            others += [
                replace(r, subject=f"{name} {r.subject}")
                for r in self._prepare(loaded, own[0].rate)
            ]
        return tuple(others)

    @property
    def other_datasets(self) -> tuple[str, ...]:
        """Data sets of ``[training.pretraining]`` without the recipe's own."""
        pretraining = self.training.pretraining
        names = pretraining.datasets if pretraining else ()
        return tuple(name for name in names if name != self.data.dataset)

    def _prepare(self, recordings: list[Recording], rate: float) -> list[Recording]:
        data = self.data
        if data.segments == "beats":
            recordings = preprocessing.detect_beats(recordings)
        if data.band:
            recordings = [preprocessing.band_pass(r, *data.band) for r in recordings]
        return [preprocessing.resample(r, rate) for r in recordings] if rate else recordings


def refuse_unused(recipe: Recipe, unused: Iterable[str]) -> None:
    """Refuse a recipe that changes a setting which its task does not use.

    Parameters
    ----------
    recipe
        The recipe.
    unused
        Sections and keys that the task does not use, such as ``model`` or ``training.teacher``.

    Raises
    ------
    EdgebioError
        Names the first key with a value other than its default.
    """
    defaults = dict(_settings(Recipe(name=recipe.name, task=recipe.task).model_dump()))
    for key, value in _settings(recipe.model_dump()):
        if any(f"{key}.".startswith(f"{path}.") for path in unused) and value != defaults.get(key):
            raise EdgebioError(f"{recipe.name}: task {recipe.task!r} does not use {key}: remove it")


def _settings(content: dict[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every setting."""
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _settings(value, f"{section}{key}.")
        else:
            yield f"{section}{key}", value
