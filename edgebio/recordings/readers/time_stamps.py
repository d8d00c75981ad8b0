"""Time stamps that are text: ISO 8601 with and without a zone, and times of day, as seconds."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

_DAY = 86_400.0
_CLOCK = r"(?P<hour>\d{1,3}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:[.,:](?P<part>\d{1,9}))?"
_ISO = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?:[T ]+|$)"
    rf"(?:{_CLOCK})?\s*(?P<zone>Z|UTC|[+-]\d{{2}}:?\d{{2}}|[+-]\d{{2}})?"
)
_OF_DAY = re.compile(
    rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}[T ]+)?{_CLOCK}\s*(?P<half>[AaPp][Mm])?"
    r"(?: \d{1,2}[/.]\d{1,2}[/.]\d{4})?"
)


class TimeStamps:
    """Seconds of time stamps that come one after the other.

    Those with a date that begins by its year count from the first one's day. Of others, the order
    of day and month is not known: only the time of day is read, and a new day begins where it falls
    by over half a day.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._days: dict[tuple[str, str, str], int] = {}
        self._passed, self._last = 0.0, 0.0

    def parse(self, text: str) -> float:
        """Return the seconds of a time stamp; NaN of any other text."""
        text = text.strip(" '\"[]")
        if (match := _ISO.fullmatch(text)) and match["hour"]:
            key = match["year"], match["month"], match["day"]
            if key not in self._days:
                try:
                    self._days[key] = date(*map(int, key)).toordinal()
                except ValueError:
                    return np.nan
                if self._first is None:
                    self._first = self._days[key]
            days = self._days[key] - (self._first or 0)
            return days * _DAY + _seconds(match, text) - _zone(match["zone"])
        if match := _OF_DAY.fullmatch(text):
            seconds = _seconds(match, text)
            if match["half"]:
                seconds = seconds % (_DAY / 2) + _DAY / 2 * (match["half"].lower() == "pm")
            if seconds < self._last - _DAY / 2:
                self._passed += _DAY
            self._last = seconds
            return self._passed + seconds
        return np.nan

    def parse_all(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the seconds of each, shape (n,)."""
        return np.array([self.parse(text) for text in texts], np.float64)


def are_time_stamps(texts: Sequence[str]) -> bool:
    """Return whether all texts are time stamps."""
    return bool(texts) and bool(np.isfinite(TimeStamps().parse_all(texts)).all())


def _seconds(match: re.Match[str], text: str) -> float:
    """Seconds of a day; two numbers before a decimal point are minutes and seconds."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), match["second"]
    part = int(match["part"]) / 10 ** len(match["part"]) if match["part"] else 0.0
    if second is None and match["part"] and match["part"] in text.rpartition(".")[2]:
        return hour * 60 + minute + part
    return hour * 3600 + minute * 60 + int(second or 0) + part


def _zone(text: str | None) -> float:
    """Seconds by which a zone is before UTC."""
    if text is None or text[0] not in "+-":
        return 0.0
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return float(size if text[0] == "+" else -size)
