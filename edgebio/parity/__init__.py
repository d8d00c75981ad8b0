"""The ladder: every stage of the road held against the one before it."""

from edgebio.parity.comparison import Part, Rung
from edgebio.parity.ladder import climb
from edgebio.parity.stimuli import scored_on

__all__ = ["Part", "Rung", "climb", "scored_on"]
