"""Section ``[training]``: how the network is fitted."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from edgebio.recipes.model import Filters
from edgebio.recipes.quantize import Epochs
from edgebio.section import Section

Normalization = Literal["training", "session", "layers"]
"""Statistics that standardize an image: of the whole training set; of all signal of the same
subject and session, without labels; or those of the session behind every convolution too, with
batches of one session and the test session's own statistics (AdaBN: Y. Li et al., arXiv
1603.04779; for EMG: Y. Du et al., Sensors 17(3):458, 2017). On a device, ``edgebio calibrate``
gives the latter two from a recording without labels."""

Share = Annotated[float, Field(ge=0, lt=1)]


class AugmentSettings(Section):
    """Augmentation of the images, in standard deviations of a pixel.

    Attributes
    ----------
    noise : float
        Standard deviation of Gaussian noise.
    mains : float
        Largest increase of the bins at 50 or 60 Hz, with a random share for each channel, like hum
        that varies with an electrode's contact.
    gain : float
        Standard deviation of an offset per channel: a gain, as images are logarithms.
    force : float
        Standard deviation of an offset common to all channels: a weaker or stronger grip.
    channel_dropout : float
        Probability of blanking a channel, if there are several.
    mask_bins, mask_frames : int
        Most neighboring bins, and frames, that one mask per image blanks.
    rotate : int
        Most electrodes that a ring is rotated by in either direction; the last channel is a
        neighbor of the first.
    shift : float
        Largest share of a neighbor's signal mixed into each channel: a rotation by a fraction of
        an electrode.
    mixup : float
        Largest share of a second image mixed in.
    time_stretch : float
        Standard deviation of the logarithm of a factor on the distances of frames from the image's
        middle: a faster or slower heart with beats of unchanged width.
    """

    old_keys: ClassVar[dict[str, str]] = {"mask_columns": "mask_frames"}

    noise: Annotated[float, Field(ge=0)] = 0.0
    mains: Annotated[float, Field(ge=0)] = 0.0
    gain: Annotated[float, Field(ge=0)] = 0.0
    force: Annotated[float, Field(ge=0)] = 0.0
    channel_dropout: Share = 0.0
    mask_bins: Annotated[int, Field(ge=0)] = 0
    mask_frames: Annotated[int, Field(ge=0)] = 0
    rotate: Annotated[int, Field(ge=0)] = 0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    mixup: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    time_stretch: Annotated[float, Field(ge=0, le=1)] = 0.0


class PretrainingSettings(Section):
    """Data sets that the network learns from, with its own, before its own alone.

    Each set is resampled to the recipe's rate, passes the same front end with a standardization of
    its own, and has its own classifier on the shared network.

    Attributes
    ----------
    datasets : tuple of str
        Names of sets with the recipe's number of channels. The recipe's own is skipped, so that
        several recipes can share one list.
    epochs : int
        Epochs over all sets.
    """

    datasets: Annotated[tuple[str, ...], Field(min_length=1)]
    epochs: Epochs = 15


class NewSubjectsSettings(Section):
    """Settings that differ if no test subject is in the training set; None: the same."""

    old_keys: ClassVar[dict[str, str]] = {"normalise": "normalization"}

    epochs: Epochs | None = None
    label_smoothing: Share | None = None
    normalization: Normalization | None = None
    augment: AugmentSettings | None = None


class TeacherSettings(Section):
    """Knowledge distillation from a larger network, trained first on the same images.

    G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network (arXiv 1503.02531).

    Attributes
    ----------
    filters : tuple of int
        Filters of its blocks; all else is the model's.
    epochs : int
        Its epochs; None: those of the training.
    temperature : float
        Divisor of both networks' logits in the teacher's loss.
    share : float
        Weight of the teacher's loss; the labels' loss has the rest.
    """

    filters: Filters
    epochs: Epochs | None = None
    temperature: Annotated[float, Field(gt=0, le=100)] = 3.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


class TrainingSettings(Section):
    """Settings of the training.

    Attributes
    ----------
    epochs, batch, seed : int
        Most epochs, batch size, and the seed of all randomness.
    epoch_images : int
        Most images of one epoch; a larger set is spread over several epochs.
    learning_rate : float
        Peak of the cosine schedule (Adam).
    weight_decay, label_smoothing : float
        Decoupled weight decay; share of the true class that all classes get.
    ema_momentum : float
        Momentum of an exponential moving average of the weights, such as 0.995, that the trained
        network gets; 0 for its last weights. Needs ``patience = 0``. B. Polyak, A. Juditsky, SIAM
        J. Control Optim. 30(4):838-855, 1992.
    patience : int
        Epochs without a better validation loss before training stops; 0 never stops early, and
        trains on the validation set too.
    validation_repetitions : int
        Repetitions of each class and session, the last ones, in the validation set; but at least a
        tenth, as a set of single beats has thousands.
    tune_epochs : int
        Epochs of tuning to a new subject, in protocols with tuning.
    tune_learning_rate : float
        Peak of the schedule while tuning.
    class_weights : float
        Power of the classes' inverse frequencies that weights them: 0 for no weights, 1 for
        classes that count the same.
    prior : float
        Power of the classes' frequencies that divides the probabilities, in favor of rare classes;
        0 for none. Part of the classifier's bias. Logit adjustment: A. K. Menon et al., ICLR 2021
        (arXiv 2007.07314).
    costs : dict of str to float
        Cost of missing a class relative to others, a factor on its probability in the same bias;
        1 for classes without an entry. C. Elkan, The foundations of cost-sensitive learning,
        IJCAI 2001.
    normalization : {"training", "session", "layers"}
        See `Normalization`.
    augment : AugmentSettings
        Augmentation.
    new_subjects : NewSubjectsSettings
        Differences for subjects outside the training set.
    pretraining : PretrainingSettings or None
        Pretraining on other data sets.
    teacher : TeacherSettings or None
        Knowledge distillation; not used for tuning, nor with normalization ``layers``.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "normalise": "normalization",
        "new_people": "new_subjects",
        "average": "ema_momentum",
    }

    epochs: Epochs = 30
    batch: Annotated[int, Field(gt=0, le=65536)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    label_smoothing: Share = 0.0
    ema_momentum: Share = 0.0
    patience: Annotated[int, Field(ge=0)] = 10
    validation_repetitions: Annotated[int, Field(ge=0)] = 1
    class_weights: Annotated[float, Field(ge=0, le=1)] = 1.0
    prior: Annotated[float, Field(ge=0, le=1)] = 0.0
    costs: dict[str, Annotated[float, Field(gt=0, le=1000)]] = Field(default_factory=dict)
    epoch_images: Annotated[int, Field(gt=0)] = 10_000
    tune_epochs: Epochs = 10
    tune_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    seed: Annotated[int, Field(ge=0)] = 1
    normalization: Normalization = "training"
    augment: AugmentSettings = AugmentSettings()
    new_subjects: NewSubjectsSettings = NewSubjectsSettings()
    pretraining: PretrainingSettings | None = None
    teacher: TeacherSettings | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for settings in (self, self.for_new_subjects()):
            if settings.normalization == "layers" and settings.patience:
                raise ValueError("normalization 'layers' cannot stop early: set patience = 0")
        if self.ema_momentum and self.patience:
            raise ValueError("ema_momentum cannot stop early: set patience = 0")
        if self.normalization == "layers" and self.teacher:
            raise ValueError("normalization 'layers' works without a teacher only: remove it")
        return self

    def for_new_subjects(self) -> Self:
        """Settings for test subjects outside the training set, by `new_subjects`."""
        changes: dict[str, Any] = {
            name: value for name, value in self.new_subjects if value is not None
        }
        if changes.get("normalization", self.normalization) == "layers":
            changes["teacher"] = None  # it has no statistics of single sessions
        return self.model_copy(update=changes)
