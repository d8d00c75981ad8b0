"""Recipes: one TOML file a job, called by name or by path."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator

from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes.imitation import FeatureImitationSettings
from edgebio.renamed import one_warning
from edgebio.section import Section, first_problem
from edgebio.suggest import nearest

if TYPE_CHECKING:
    from edgebio.recordings import Recording


Filters = Annotated[tuple[Annotated[int, Field(gt=0, le=512)], ...], Field(min_length=1)]


class ModelSettings(Section):
    """Network: a compact CNN, or its depthwise-separable sister, sized here.

    Attributes
    ----------
    family : {"cnn", "dscnn"}
        Plain 3x3 convolutions, or one of them followed by depthwise-separable blocks.
    filters : tuple of int
        Filters of each convolution block.
    pool_after : tuple of int
        Numbers (from 0) of the blocks that a 2x2 max-pool follows.
    flatten : bool
        Hand on every place of the last block's map, where the classes stand at known places of the
        image, as beats do; otherwise their mean.
    dense : int
        Units of a hidden layer before the classifier; 0 for none.
    dropout : float
        Rate before the classifier.
    """

    family: Literal["cnn", "dscnn"] = "cnn"
    filters: Filters = (32, 48, 64, 64)
    pool_after: tuple[int, ...] = (1, 2)
    flatten: bool = False
    dense: Annotated[int, Field(ge=0, le=1024)] = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3


Normalization = Literal["training", "session", "layers"]
"""Whose mean and deviation images are standardised by: those of everything that is trained on, or
of all the signal, labels unseen, of the sitting (person and session) that an image is of.
``layers`` does so behind every convolution too: a batch is of one sitting, and who is tested has
the layers' statistics of his or her own signal (AdaBN: Y. Li et al., arXiv 1603.04779; for EMG: Y.
Du et al., Sensors 17(3):458, 2017). A device has the second and the third by ``edgebio calibrate``,
from a recording that needs no labels."""


class AugmentSettings(Section):
    """What training adds to the images, in units of one standard deviation of a pixel.

    Attributes
    ----------
    noise : float
        Standard deviation of Gaussian noise.
    mains : float
        Most that the bins of 50 or 60 Hz are raised by, in every channel by another share, as hum
        comes and goes with the contact of an electrode.
    gain : float
        Standard deviation of an offset per channel (a gain, as images are logarithms).
    force : float
        Standard deviation of an offset of all channels together: a weaker or a stronger grip.
    channel_dropout : float
        Probability of blanking a channel, where there are several.
    mask_bins, mask_frames : int
        Widest band of bins, and longest stretch of columns, that is blanked, one an image.
    rotate : int
        Most electrodes that a ring of them is turned by, either way: channels are neighbours in
        order, the last one of the first.
    shift : float
        Largest share of a neighbour's signal that every channel takes, as where the ring is turned
        by less than an electrode.
    mixup : float
        Largest share of a second image mixed in.
    time_stretch : float
        Standard deviation of the logarithm of the factor that the distances between columns are
        multiplied by, about the image's middle: the heart beats slower or faster, each beat as
        wide as it was.
    """

    old_keys: ClassVar[dict[str, str]] = {"mask_columns": "mask_frames"}

    noise: Annotated[float, Field(ge=0)] = 0.0
    mains: Annotated[float, Field(ge=0)] = 0.0
    gain: Annotated[float, Field(ge=0)] = 0.0
    force: Annotated[float, Field(ge=0)] = 0.0
    channel_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    mask_bins: Annotated[int, Field(ge=0)] = 0
    mask_frames: Annotated[int, Field(ge=0)] = 0
    rotate: Annotated[int, Field(ge=0)] = 0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    mixup: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    time_stretch: Annotated[float, Field(ge=0, le=1)] = 0.0


class PretrainingSettings(Section):
    """Other data sets that a network learns from, with its own, before it learns from its own.

    All sets go through the job's front end, their signals brought to its rate first, and through
    one network that has outputs for the classes of each set; each has a standardisation of its own.

    Attributes
    ----------
    datasets : tuple of str
        Their names; the job's own set is passed over, so that one list serves several jobs. They
        have the job's number of channels.
    epochs : int
        How often everything is seen.
    """

    datasets: Annotated[tuple[str, ...], Field(min_length=1)]
    epochs: Annotated[int, Field(gt=0, le=10000)] = 15


class NewSubjectsSettings(Section):
    """What is done otherwise where nobody who is tested has been trained on.

    Attributes
    ----------
    epochs, label_smoothing, normalization, augment
        In place of the training's own; unsaid, they are the same.
    """

    old_keys: ClassVar[dict[str, str]] = {"normalise": "normalization"}

    epochs: Annotated[int, Field(gt=0, le=10000)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = None
    normalization: Normalization | None = None
    augment: AugmentSettings | None = None


class TeacherSettings(Section):
    """A larger network that is trained first, and that the network learns from beside the labels.

    G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network (arXiv 1503.02531).
    The teacher is shown every image as the network is shown it, augmented likewise.

    Attributes
    ----------
    filters : tuple of int
        Filters of its blocks, in place of the model's; all else is the model's.
    epochs : int
        Its epochs; unsaid, those of the training.
    temperature : float
        What both networks' logits are divided by before they are compared.
    share : float
        Of the loss that is the teacher's; the rest is that of the labels.
    """

    filters: Filters
    epochs: Annotated[int, Field(gt=0, le=10000)] | None = None
    temperature: Annotated[float, Field(gt=0, le=100)] = 3.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


class TrainingSettings(Section):
    """How the network is fitted.

    Attributes
    ----------
    epochs, batch, seed : int
        Longest training, mini-batch, and the seed of everything random.
    epoch_images : int
        Most images that one epoch draws; a larger set is then seen over several epochs.
    learning_rate : float
        Peak of the cosine schedule (Adam).
    weight_decay, label_smoothing : float
        Decoupled weight decay; mass that is moved from the true class to all classes.
    ema_momentum : float
        What a moving average of the weights keeps of itself at each step, such as 0.995; the
        trained network has the average. 0 takes the last weights. It needs ``patience = 0``. B.
        Polyak, A. Juditsky, SIAM J. Control Optim. 30(4):838-855, 1992.
    patience : int
        Epochs without a better validation loss before training stops; 0 never stops early, and
        trains on those whom the protocol would ask when to stop.
    validation_repetitions : int
        Repetitions of each class and session, the last ones, held out for early stopping; a tenth
        of them where that is more, as a set of single beats has thousands.
    tune_epochs : int
        Epochs that a trained network is tuned to a new person, where the protocol does so.
    tune_learning_rate : float
        Peak of the schedule while it is tuned.
    class_weights : float
        Weigh classes by their inverse frequency, to this power: 0 does not, 1 lets all classes
        count the same.
    prior : float
        Power of the classes' frequencies that the trained network's probabilities are divided by,
        so that rare classes are decided for sooner; 0 leaves them. It goes into the classifier's
        bias. Logit adjustment after the fact: A. K. Menon et al., ICLR 2021 (arXiv 2007.07314).
    costs : dict of str to float
        By class, how many times what another costs it costs to miss one: its probability is
        multiplied by that before classes are compared, in the same bias; 1 where nothing is said.
        C. Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
    normalization : {"training", "session"}
        See `Normalization`.
    augment : AugmentSettings
        Augmentation.
    new_subjects : NewPeopleSettings
        What is done otherwise for people whom the network has not seen.
    pretraining : PretrainingSettings
        What it learns from before; unsaid, nothing.
    teacher : TeacherSettings
        Whom the network learns from beside the labels; unsaid, nobody. It is not tuned by one, nor
        taught where layers are normalised by the sitting.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "normalise": "normalization",
        "new_people": "new_subjects",
        "average": "ema_momentum",
    }

    epochs: Annotated[int, Field(gt=0, le=10000)] = 30
    batch: Annotated[int, Field(gt=0, le=65536)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema_momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    patience: Annotated[int, Field(ge=0)] = 10
    validation_repetitions: Annotated[int, Field(ge=0)] = 1
    class_weights: Annotated[float, Field(ge=0, le=1)] = 1.0
    prior: Annotated[float, Field(ge=0, le=1)] = 0.0
    costs: dict[str, Annotated[float, Field(gt=0, le=1000)]] = Field(default_factory=dict)
    epoch_images: Annotated[int, Field(gt=0)] = 10_000
    tune_epochs: Annotated[int, Field(gt=0, le=10000)] = 10
    tune_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    seed: Annotated[int, Field(ge=0)] = 1
    normalization: Normalization = "training"
    augment: AugmentSettings = AugmentSettings()
    new_subjects: NewSubjectsSettings = NewSubjectsSettings()
    pretraining: PretrainingSettings | None = None
    teacher: TeacherSettings | None = None

    @model_validator(mode="after")
    def _nothing_to_stop_by(self) -> Self:
        for how in (self, self.for_new_subjects()):
            if how.normalization == "layers" and how.patience:
                raise ValueError(
                    "with normalization = 'layers' nothing tells when to stop: set patience = 0"
                )
        if self.ema_momentum and self.patience:
            raise ValueError(
                "with ema_momentum, what is stopped by is not what is kept: set patience = 0"
            )
        if self.normalization == "layers" and self.teacher:
            raise ValueError("with normalization = 'layers' nobody teaches: leave teacher out")
        return self

    def for_new_subjects(self) -> Self:
        """Return the settings with what `new_people` says in their place."""
        said = self.new_subjects
        update = {
            name: getattr(said, name)
            for name in type(said).model_fields
            if getattr(said, name) is not None
        }
        if update.get("normalization", self.normalization) == "layers":
            update["teacher"] = None  # it knows the statistics of no sitting
        return self.model_copy(update=update)


Scheme = Literal["ptq", "qat", "prune", "cluster"]
"""How a trained network becomes int8: as it is (post-training quantization); trained on with the
rounding of int8 in it; or trained on while small weights become 0, or while all weights become
few, and then as it is."""


class QatSettings(Section):
    """Quantization-aware training: the trained network is trained on, rounded as int8 will be.

    Attributes
    ----------
    epochs, learning_rate
        In place of the training's own.
    """

    epochs: Annotated[int, Field(gt=0, le=10000)] = 5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4


class PruneSettings(Section):
    """Pruning by magnitude while the trained network is trained on.

    Attributes
    ----------
    epochs, learning_rate
        In place of the training's own.
    sparsity : float
        Share of each layer's weights that becomes 0; it is reached half-way.
    """

    epochs: Annotated[int, Field(gt=0, le=10000)] = 8
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    sparsity: Annotated[float, Field(gt=0, lt=1)] = 0.7


class ClusterSettings(Section):
    """Clustering: the trained network is trained on, all weights of a layer having few values.

    Attributes
    ----------
    epochs, learning_rate
        In place of the training's own.
    clusters : int
        Values of a layer's weights; depthwise convolutions, which have few weights, keep theirs.
    """

    epochs: Annotated[int, Field(gt=0, le=10000)] = 5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    clusters: Annotated[int, Field(ge=2, le=256)] = 16


class QuantizeSettings(Section):
    """Full-integer quantization.

    Attributes
    ----------
    scheme : {"ptq", "qat", "prune", "cluster"}
        See `Scheme`.
    samples : int
        Images of the representative set.
    percentile : float
        Percentile of the representative set's activations that is kept; 100 keeps outliers.
        Quantization-aware training begins with these ranges, and goes on from there.
    qat, prune, cluster
        What each scheme does.
    """

    scheme: Scheme = "ptq"
    samples: Annotated[int, Field(gt=0)] = 500
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
    qat: QatSettings = QatSettings()
    prune: PruneSettings = PruneSettings()
    cluster: ClusterSettings = ClusterSettings()


class DataSettings(Section):
    """What is learned from.

    Attributes
    ----------
    dataset : str
        Name of a data set (``edgebio data list``).
    protocol : str
        Protocol whose first fold ``edgebio train`` takes; empty: the sides are named below.
    train_sessions, test_sessions : tuple of str
        Sessions that ``edgebio train`` learns from and scores on; empty: by repetitions.
    test_repetitions : int
        Where no test session is named: the last repetitions, that are scored on.
    classes : dict
        By name of a class: the data set's classes that are in it; those named nowhere are left
        out. Empty: all, as they are.
    channels : tuple of int
        Channels that are kept, numbered from 0; empty: all.
    rate : float
        Rate in Hz that recordings are resampled to, at which a board then has to sample; 0: theirs.
    band : tuple of float
        Corners in Hz of a zero-phase band-pass, for studies: a device does not have it. Empty:
        none; what the front end filters is ``frontend.highpass`` and ``lowpass``.
    segments : {"step", "beats"}
        Images every ``frontend.stride`` columns, of the class of most of their samples; or one for
        each heart beat, as near to its middle as a column allows.
    artifacts : float
        Leave windows out that are flat, clipped or have a range more than this many times the
        median of their recording; 0 keeps all.
    """

    old_keys: ClassVar[dict[str, str]] = {"windows": "segments", "artefacts": "artifacts"}

    dataset: str = "emg-3dc"
    protocol: str = ""
    train_sessions: tuple[str, ...] = ()
    test_sessions: tuple[str, ...] = ()
    test_repetitions: Annotated[int, Field(ge=0)] = 0
    classes: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    channels: tuple[Annotated[int, Field(ge=0)], ...] = ()
    rate: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    band: tuple[float, ...] = ()
    segments: Literal["step", "beats"] = "step"
    artifacts: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _old_segments(cls, content: Any) -> Any:
        """Read ``windows = "stride"``, the old ``segments = "step"``."""
        if isinstance(content, dict) and content.get("windows") == "stride":
            return {**content, "windows": "step"}
        return content

    @model_validator(mode="after")
    def _band(self) -> Self:
        if self.band and not (len(self.band) == 2 and 0 < self.band[0] < self.band[1]):
            raise ValueError("band is two corners in Hz, the lower one above 0 first; or empty")
        return self


Task = Literal["stft_classifier", "feature_imitation"]
"""What a recipe trains: a CNN on STFT images, or a network that imitates features of segments."""


class Recipe(Section):
    """One job, from recordings to a network: what ``edgebio train`` reads.

    Attributes
    ----------
    task : str
        What is trained, see `Task`; unset, what the sections say.
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
    feature_imitation: FeatureImitationSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _task_of_section(cls, content: Any) -> Any:
        """Take a recipe without ``task`` for what its sections say, as all were before."""
        if not isinstance(content, dict) or "task" in content:
            return content
        imitates = {"imitation", "feature_imitation"} & content.keys()
        return {**content, "task": "feature_imitation"} if imitates else content

    @model_validator(mode="after")
    def _sections_of_task(self) -> Self:
        if self.task == "feature_imitation":
            if self.feature_imitation is None:
                object.__setattr__(self, "feature_imitation", FeatureImitationSettings())
            if self.training.pretraining:
                raise ValueError("training.pretraining: task 'feature_imitation' has none")
        elif self.feature_imitation is not None:
            raise ValueError("feature_imitation: only task 'feature_imitation' has this section")
        return self

    def with_data(self, dataset: str | None, protocol: str | None = None) -> Self:
        """Return the same job on another data set, or by another protocol; its own if None."""
        said = {"dataset": dataset, "protocol": protocol}
        data = self.data.model_copy(update={k: v for k, v in said.items() if v is not None})
        return self.model_copy(update={"data": data})

    def with_horizon(self, horizon: int | None) -> Self:
        """Return the same job for features so many windows ahead; as it is if None.

        Raises
        ------
        EdgebioError
            Where the job imitates none.
        """
        if horizon is None:
            return self
        if self.feature_imitation is None:
            raise EdgebioError(
                f"{self.name} has no [feature_imitation]: it tells no features to be told ahead"
            )
        imitation = FeatureImitationSettings(
            **{**self.feature_imitation.model_dump(), "horizon": horizon}
        )
        return self.model_copy(update={"feature_imitation": imitation})

    def recordings(
        self, root: Path | None = None, subjects: Sequence[str] | None = None
    ) -> "list[Recording]":
        """Load the job's recordings, prepared as its ``[data]`` says.

        Parameters
        ----------
        root, subjects
            See `edgebio.datasets.load`.
        """
        from edgebio import datasets
        from edgebio.recordings import preprocessing

        data = self.data
        made = datasets.load(data.dataset, root, subjects)
        if data.classes:
            made = preprocessing.merge_classes(made, data.classes)
        if data.channels:
            made = preprocessing.select_channels(made, data.channels)
        return self._prepared(made, data.rate)

    def others(
        self, own: "Sequence[Recording]", root: Path | None = None
    ) -> "tuple[Recording, ...]":
        """Load the data sets that ``[training.pretraining]`` names besides the job's own.

        Parameters
        ----------
        own
            The job's own recordings, whose rate these are brought to.
        root
            See `edgebio.datasets.load`.

        Returns
        -------
        tuple of Recording
            People are called by their set and their name in it.
        """
        from edgebio import datasets

        return tuple(
            replace(r, subject=f"{name} {r.subject}")
            for name in self.other_datasets
            for r in self._prepared(datasets.load(name, root), own[0].rate)
        )

    @property
    def other_datasets(self) -> tuple[str, ...]:
        """Data sets that are learned from besides the own one."""
        how = self.training.pretraining
        return tuple(name for name in how.datasets if name != self.data.dataset) if how else ()

    def _prepared(self, made: "list[Recording]", rate: float) -> "list[Recording]":
        from edgebio.recordings import preprocessing

        data = self.data
        if data.segments == "beats":
            made = preprocessing.detect_beats(made)
        if data.band:
            made = [preprocessing.band_pass(r, data.band[0], data.band[1]) for r in made]
        return [preprocessing.resample(r, rate) for r in made] if rate else made


def names() -> list[str]:
    """Names of the recipes that travel with edgebio."""
    return sorted(
        f.name[:-5] for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")
    )


def load(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name, or from a TOML file.

    Raises
    ------
    EdgebioError
        Where there is no such recipe, or a field is unknown or cannot work; the text names it.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise EdgebioError(f"{path}: no such recipe file")
        text = path.read_text(encoding="utf-8")
    elif str(name_or_path) in names():
        text = (resources.files(__name__) / f"{name_or_path}.toml").read_text(encoding="utf-8")
    else:
        raise EdgebioError(
            f"no recipe {str(name_or_path)!r}{nearest(str(name_or_path), names())}; "
            f"there are {', '.join(names())}, or give a .toml file"
        )
    try:
        with one_warning(name_or_path):
            return Recipe.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise EdgebioError(f"{name_or_path}: not TOML: {error}") from None
    except ValidationError as error:
        raise EdgebioError(f"{name_or_path}: {first_problem(error)}") from None


def dump(recipe: Recipe) -> str:
    """Render a recipe as TOML, every default written out."""
    lines: list[str] = []

    def section(prefix: str, table: dict[str, object]) -> None:
        plain = {k: v for k, v in table.items() if not isinstance(v, dict) and v is not None}
        if prefix:
            lines.extend(["", f"[{prefix}]"])
        lines.extend(f"{_key(key)} = {_toml(value)}" for key, value in plain.items())
        for key, value in table.items():
            if isinstance(value, dict) and value:
                section(f"{prefix}.{key}" if prefix else key, value)

    section("", recipe.model_dump(exclude_none=True))
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return repr(value)
