"""Settings of the decision, as a recipe and model.tflite hold them."""

from typing import Annotated

from pydantic import Field

from edgebio.errors import EdgebioError
from edgebio.section import Section
from edgebio.suggest import nearest

REJECTED = 255
"""Decision for no class: none was certain enough."""

REST = 254
"""Decision for rest, for a model without a class for it."""

MAX_CLASSES = 254

REST_NAMES = ("rest", "neutral")
"""Names of a class that is rest unless the settings name one."""


class DecisionSettings(Section):
    """Settings of the decision.

    Attributes
    ----------
    votes : int
        Segments of the majority vote; 1 decides each segment alone.
    confidence : float
        Smallest probability of the winning class; below it the segment is rejected.
    hold : int
        Segments that a class stays decided after the vote rejects it.
    onset : float
        Mean absolute difference of consecutive samples over all channels, in counts, below which
        the muscle is quiet and the decision is rest; 0 for no such threshold.
    rest : str
        Class that is rest; empty: the model's class with one of `REST_NAMES`, if any.
    timeout : int
        Milliseconds without samples until the decision is rest; 0 for never.
    """

    votes: Annotated[int, Field(ge=1, le=31)] = 1
    confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    hold: Annotated[int, Field(ge=0, le=255)] = 0
    onset: Annotated[float, Field(ge=0, le=65535, allow_inf_nan=False)] = 0.0
    rest: str = ""
    timeout: Annotated[int, Field(ge=0, le=60_000)] = 250


def rest_class(settings: DecisionSettings, classes: tuple[str, ...]) -> int:
    """Index of the class that is rest, or `REST`.

    Raises
    ------
    EdgebioError
        If the settings name a class that does not exist.
    """
    if settings.rest:
        if settings.rest not in classes:
            raise EdgebioError(
                f"decision settings: rest: no class {settings.rest!r}"
                f"{nearest(settings.rest, classes)}; there are {', '.join(classes)}"
            )
        return classes.index(settings.rest)
    lower = [name.lower() for name in classes]
    return next((lower.index(name) for name in REST_NAMES if name in lower), REST)
