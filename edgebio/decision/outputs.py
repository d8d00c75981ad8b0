"""What a network's int8 outputs mean, and what the decision's C computes with."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.decision.spec import MOST_CLASSES, DecisionSettings, rest_class
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph
from edgebio.tflite.metadata import metadata

_ONE = 1 << 15  # Q15, as eb_decision.h's `exponential`


@dataclass(frozen=True)
class Outputs:
    """Outputs of a classifier.

    Attributes
    ----------
    classes
        How many there are.
    scale, zero_point
        real = scale * (output - zero_point).
    softmax
        They are probabilities; else they are what goes into a softmax.
    names
        Of the classes; empty where the model does not tell.
    """

    classes: int
    scale: float
    zero_point: int
    softmax: bool
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """Read them from a model.

        Raises
        ------
        EdgebioError
            Where its output is not one row of int8 with one scale, or too long to decide by.
        """
        tensor = graph.tensors[graph.outputs[0]]
        classes = int(np.prod(tensor.shape[1:], dtype=int))
        if tensor.dtype != "int8" or len(tensor.scale) != 1:
            raise EdgebioError(
                f"decisions need int8 outputs with one scale; the model's are {tensor.dtype} "
                f"with {len(tensor.scale)} scales"
            )
        if not 2 <= classes <= MOST_CLASSES:
            raise EdgebioError(
                f"decisions need 2 to {MOST_CLASSES} classes; the model has {classes}"
            )
        known = metadata(graph)
        last = next((o for o in graph.operators if graph.outputs[0] in o.outputs), None)
        return cls(
            classes=classes,
            scale=float(tensor.scale[0]),
            zero_point=int(tensor.zero_point[0]),
            softmax=last is not None and last.kind == "SOFTMAX",
            names=known.classes if known else (),
        )

    def probabilities(self, outputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """Probabilities of int8 outputs, both of shape (n, classes)."""
        real = self.scale * (outputs.astype(np.float64) - self.zero_point)
        if self.softmax:
            return real
        weights = np.exp(real - real.max(axis=-1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
        return probabilities


@dataclass(frozen=True)
class Constants:
    """Fields of eb_decision.h's ``eb_decision_config`` (see there)."""

    classes: int
    votes: int
    hold: int
    rest: int
    least: int
    exponential: tuple[int, ...] | None
    limit: int
    onset: int
    timeout: int


def constants(settings: DecisionSettings, outputs: Outputs) -> Constants:
    """Integers that make the C decide by `settings`.

    Raises
    ------
    EdgebioError
        Where the settings name a class that the model does not have.
    """
    try:
        rest = rest_class(settings, outputs.names)
    except ValueError as error:
        raise EdgebioError(f"decision settings: {error}") from None
    least, exponential, limit = -128, None, 2**32 - 1
    if outputs.softmax:
        reachable = np.arange(-128, 128)
        certain = outputs.scale * (reachable - outputs.zero_point) >= settings.confidence
        if settings.confidence:
            least = int(reachable[certain][0]) if certain.any() else 128
    else:
        weights = np.rint(_ONE * np.exp(-outputs.scale * np.arange(256)))
        exponential = tuple(weights.astype(int).tolist())
        if settings.confidence:
            limit = min(int(_ONE / settings.confidence), limit)
    return Constants(
        classes=outputs.classes,
        votes=settings.votes,
        hold=settings.hold,
        rest=rest,
        least=least,
        exponential=exponential,
        limit=limit,
        onset=round(16 * settings.onset),
        timeout=settings.timeout,
    )
