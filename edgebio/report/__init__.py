"""Pictures and pages of what was found."""

from edgebio.report.kept import BENCHED, ON_BOARD, VALIDATED, keep
from edgebio.report.page import FILE, write

__all__ = ["BENCHED", "FILE", "ON_BOARD", "VALIDATED", "keep", "write"]
