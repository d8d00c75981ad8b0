"""From class probabilities to a decision: the settings that model.tflite carries."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

REJECTED = 255
"""The decision for no class: none was certain enough."""


class DecisionSettings(BaseModel):
    """Settings of the decision stage.

    Attributes
    ----------
    votes : int
        Length of the majority vote in windows; 1 takes every window by itself.
    confidence : float
        Smallest probability of the winning class; below it the window is rejected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    votes: Annotated[int, Field(ge=1, le=31)] = 1
    confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
