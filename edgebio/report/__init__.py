"""Pictures and pages of what was found."""

from edgebio.report.kept import BENCHED, VALIDATED, keep
from edgebio.report.page import FILE, write

__all__ = ["BENCHED", "FILE", "VALIDATED", "keep", "write"]
