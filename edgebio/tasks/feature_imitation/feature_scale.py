"""Units of predicted features."""

from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from edgebio.training.features import IMITATED_FEATURES
from edgebio.training.metrics import r2_scores

_COUNT = len(IMITATED_FEATURES)
_LOGARITHMIC = np.array([name != "entropy" for name in IMITATED_FEATURES])
_QUIETEST = 2.0**-8  # standard deviations: half the companding's first step

Floats = npt.NDArray[np.float64]
PerFeature = Annotated[tuple[float, ...], Field(min_length=_COUNT, max_length=_COUNT)]


class FeatureScale(BaseModel):
    """From features to the network's units and back, by feature, in nats and octaves.

    A unit is a standard deviation of the training set: of the entropy itself, and of the base-2
    logarithm of the others, which range over four decades.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: PerFeature
    deviation: PerFeature

    @classmethod
    def learn(cls, features: npt.NDArray[np.floating]) -> Self:
        """Learn from the training set's features, shape (..., 4)."""
        values = _octaves(features).reshape(-1, _COUNT)
        deviation = np.maximum(values.std(axis=0), 2.0**-4)
        return cls(offset=tuple(values.mean(axis=0).tolist()), deviation=tuple(deviation.tolist()))

    def encode(self, features: npt.NDArray[np.floating]) -> Floats:
        """Network units of features, shape (..., 4)."""
        units: Floats = (_octaves(features) - np.array(self.offset)) / np.array(self.deviation)
        return units

    def decode(self, units: npt.NDArray[np.floating]) -> Floats:
        """Features of network units, shape (..., 4)."""
        values = units.astype(np.float64) * np.array(self.deviation) + np.array(self.offset)
        features: Floats = np.where(_LOGARITHMIC, np.exp2(values), values)
        return features


def r2_by_feature(
    true: npt.NDArray[np.floating], predicted: npt.NDArray[np.floating]
) -> dict[str, float]:
    """Coefficient of determination of every feature, over all segments and channels together.

    Of the features themselves: nats, deviations, and squares of deviations.
    """
    scores = r2_scores(true.reshape(-1, _COUNT), predicted.reshape(-1, _COUNT))
    return dict(zip(IMITATED_FEATURES, scores, strict=True))


def _octaves(features: npt.NDArray[np.floating]) -> Floats:
    floor = np.array([_QUIETEST if name == "rms" else _QUIETEST**2 for name in IMITATED_FEATURES])
    octaves: Floats = np.where(
        _LOGARITHMIC, np.log2(np.maximum(features, floor)), features.astype(np.float64)
    )
    return octaves
