"""From class probabilities to a decision: the settings that model.tflite carries."""

from typing import Annotated

from pydantic import Field

from edgebio.section import Section

REJECTED = 255
"""The decision for no class: none was certain enough."""

REST = 254
"""The decision for rest, where no class of the model is."""

MOST_CLASSES = 254

REST_NAMES = ("rest", "neutral")
"""Names by which a class that is rest is known, where the settings do not name it."""


class DecisionSettings(Section):
    """Settings of the decision stage.

    Attributes
    ----------
    votes : int
        Length of the majority vote in windows; 1 takes every window by itself.
    confidence : float
        Smallest probability of the winning class; below it the window is rejected.
    hold : int
        Windows that a class stays decided after the vote has become "rejected".
    onset : float
        Mean absolute difference from one sample to the next, in counts, over all channels, below
        which the muscle is quiet and the decision rest; 0 never asks.
    rest : str
        Class that is rest; empty: the one of `REST_NAMES` that the model has, if it has one.
    timeout : int
        Milliseconds without samples until the decision is rest; 0 waits for ever.
    """

    votes: Annotated[int, Field(ge=1, le=31)] = 1
    confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    hold: Annotated[int, Field(ge=0, le=255)] = 0
    onset: Annotated[float, Field(ge=0, le=65535, allow_inf_nan=False)] = 0.0
    rest: str = ""
    timeout: Annotated[int, Field(ge=0, le=60_000)] = 250


def rest_class(settings: DecisionSettings, classes: tuple[str, ...]) -> int:
    """Number of the class that is rest, or `REST`.

    Raises
    ------
    ValueError
        Where the settings name one that there is not.
    """
    if settings.rest:
        if settings.rest not in classes:
            raise ValueError(f"rest: no class {settings.rest!r}; there are {', '.join(classes)}")
        return classes.index(settings.rest)
    lower = [name.lower() for name in classes]
    return next((lower.index(name) for name in REST_NAMES if name in lower), REST)
