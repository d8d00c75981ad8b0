"""Search networks and front ends for a board: the most accuracy within a budget."""

from edgebio.search.cost import Limits
from edgebio.search.search import DOCUMENT, Request, search

__all__ = ["DOCUMENT", "Limits", "Request", "search"]
