"""The meaning of a network's int8 outputs, and the constants of the decision's C."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.decision.spec import MAX_CLASSES, DecisionSettings, rest_class
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph
from edgebio.tflite.metadata import read_metadata

_ONE = 1 << 15  # Q15, as eb_decision.h's `exponential`


@dataclass(frozen=True)
class Outputs:
    """Outputs of a classifier: ``real = scale * (output - zero_point)``."""

    classes: int  # number of outputs
    scale: float
    zero_point: int
    softmax: bool  # whether they are probabilities, and not the inputs of a softmax
    names: tuple[str, ...] = ()  # of the classes; empty for a model without metadata

    @classmethod
    def from_graph(cls, graph: Graph) -> Self:
        """Outputs of a model.

        Raises
        ------
        EdgebioError
            If the output is not one row of int8 with one scale, or has too many classes.
        """
        tensor = graph.tensors[graph.outputs[0]]
        classes = int(np.prod(tensor.shape[1:], dtype=int))
        if tensor.dtype != "int8" or len(tensor.scale) != 1:
            raise EdgebioError(
                f"decisions need int8 outputs with one scale; the model's are {tensor.dtype} "
                f"with {len(tensor.scale)} scales"
            )
        if not 2 <= classes <= MAX_CLASSES:
            raise EdgebioError(
                f"decisions need 2 to {MAX_CLASSES} classes; the model has {classes}"
            )
        metadata = read_metadata(graph)
        last = next((o for o in graph.operators if graph.outputs[0] in o.outputs), None)
        return cls(
            classes=classes,
            scale=float(tensor.scale[0]),
            zero_point=int(tensor.zero_point[0]),
            softmax=last is not None and last.kind == "SOFTMAX",
            names=metadata.classes if metadata else (),
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
    """Fields of ``eb_decision_config``, see eb_decision.h."""

    classes: int
    votes: int
    hold: int
    rest: int
    least: int
    exponential: tuple[int, ...] | None
    limit: int
    onset: int
    timeout_ms: int


def constants(settings: DecisionSettings, outputs: Outputs) -> Constants:
    """Compute the C configuration that decides by `settings`."""
    least, exponential, limit = -128, None, 2**32 - 1
    if outputs.softmax:
        values = np.arange(-128, 128)
        certain = outputs.scale * (values - outputs.zero_point) >= settings.confidence
        if settings.confidence:
            least = int(values[certain][0]) if certain.any() else 128
    else:
        weights = np.rint(_ONE * np.exp(-outputs.scale * np.arange(256)))
        exponential = tuple(weights.astype(int).tolist())
        if settings.confidence:
            limit = min(int(_ONE / settings.confidence), limit)
    return Constants(
        classes=outputs.classes,
        votes=settings.votes,
        hold=settings.hold,
        rest=rest_class(settings, outputs.names),
        least=least,
        exponential=exponential,
        limit=limit,
        onset=round(16 * settings.onset),
        timeout_ms=settings.timeout,
    )
