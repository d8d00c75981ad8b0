"""Guided recording from a live source: prompts, signal checks, and files that survive a crash."""

from edgebio.acquisition.assemble import Assembly, assemble
from edgebio.acquisition.plan import Plan, Trial
from edgebio.acquisition.quality import Finding, SignalCheck, check_signal
from edgebio.acquisition.session import Placement, RecordingSession, SessionState

__all__ = [
    "Assembly", "Finding", "Placement", "Plan", "RecordingSession", "SessionState", "SignalCheck",
    "Trial", "assemble", "check_signal",
]  # fmt: skip
