"""The errors that a user sees: one line each, saying what is wrong, where and what to do."""

from typing import Any


class EdgebioError(Exception):
    """Wrong use or wrong input; the command line prints it as one line and exits with 2."""

    exit_code = 2


class CheckFailedError(EdgebioError):
    """A check ran and did not hold (a rung of the ladder, a size limit); exit code 1.

    Attributes
    ----------
    document : dict or None
        What was found all the same; ``--json`` prints it.
    """

    exit_code = 1

    def __init__(self, text: str, document: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.document = document


class InterruptedWorkError(EdgebioError):
    """The user stopped long work (Ctrl-C); exit code 130, as a shell says it."""

    exit_code = 130


class DeviceError(EdgebioError):
    """A board or an emulator did not answer, answered nonsense or went away; exit code 1."""

    exit_code = 1


class MissingToolError(EdgebioError):
    """A compiler, emulator or package is missing; the text holds the line that installs it."""


class EdgebioWarning(UserWarning):
    """Something works, but perhaps not as intended; the command line prints it as one line."""
