"""Protocols: splitters over recordings, by name, and as cross-validators of scikit-learn."""

from edgebio.protocols.cross_validator import ProtocolSplitter
from edgebio.protocols.fold import Fold, Group, digest, hold_out
from edgebio.protocols.registry import (
    describe,
    diagram,
    names,
    split,
    split_for_training,
)

__all__ = [
    "Fold",
    "Group",
    "ProtocolSplitter",
    "describe",
    "diagram",
    "digest",
    "hold_out",
    "names",
    "split",
    "split_for_training",
]
