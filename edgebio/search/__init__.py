"""Search networks and front ends for a board: the most accuracy within a budget."""

from edgebio.search.board_search import search
from edgebio.search.candidate_cost import Limits
from edgebio.search.front import DOCUMENT
from edgebio.search.request import Request

__all__ = ["DOCUMENT", "Limits", "Request", "search"]
