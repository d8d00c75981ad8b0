"""Hardware in the loop: a board compared with this machine, stage by stage."""

from edgebio.parity.hil.bench import Bench, run
from edgebio.parity.hil.check import Check, write_junit

__all__ = ["Bench", "Check", "run", "write_junit"]
