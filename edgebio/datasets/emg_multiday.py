"""emg-multiday: eleven movements of one person over many days, four channels, 2048 Hz.

P. Kaufmann, K. Englehart, M. Platzner, Fluctuating EMG signals: investigating long-term effects of
pattern matching algorithms, EMBC 2010, IEEE 5627288; carried by github.com/LibEMG/MultiDay. No
license is stated there; the carrier asks to cite the paper.

Files are ``S0_D<day>_C<class>.csv``: four columns separated by blanks, about 6 s, one repetition of
each class and day.

Quirks
------
- Units are not stated. Numbers have three decimals and reach 1590: a count is 0.05 here, the least
  round step that fits 16 bits. Noise at rest is several steps.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import scale_to_counts
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.readers.delimited_text import line_locator, parse_numbers, read_text
from edgebio.recordings.recording import Recording

_LSB = 0.05
_SUBJECT = "0"
_NAME = re.compile(r"S0_D(\d+)_C(\d+)\.csv")

DATASET = DataSet(
    name="emg-multiday",
    title="forearm EMG of one person over many days, 11 hand and wrist movements",
    license="none stated",
    citation="Kaufmann et al., EMBC 2010, IEEE 5627288",
    rate=2048.0,
    channels=4,
    units=f"{_LSB:g} of the published numbers",
    classes=(
        "no motion",
        "wrist extension",
        "wrist flexion",
        "wrist adduction",
        "wrist abduction",
        "wrist supination",
        "wrist pronation",
        "hand open",
        "hand closed",
        "key grip",
        "index point",
    ),
    sessions=tuple(str(day) for day in range(1, 122)),
    page="https://github.com/LibEMG/MultiDay",
    caveat="one person: it shows how signals drift, not how people differ",
)


def list_subjects(folder: Path) -> list[str]:
    """The one subject, where files are in `folder`."""
    return [_SUBJECT] if any(folder.glob("S0_D*_C*.csv")) else []


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read all days; each is a session."""
    days: dict[str, dict[int, Path]] = {}
    for path in folder.glob("S0_D*_C*.csv"):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[2]) >= len(DATASET.classes):
            raise EdgebioError(f"{path}: expected a name such as S0_D1_C0.csv, classes 0 to 10")
        days.setdefault(match[1], {})[int(match[2])] = path
    for day in sort_naturally(days):
        for label, path in sorted(days[day].items()):
            yield DATASET.recording(_read(path), label, path, subject=subject, session=day)


def _read(path: Path) -> npt.NDArray[np.int16]:
    body = b"\n".join(b",".join(line.split()) for line in read_text(path).splitlines()) + b"\n"
    values = parse_numbers(body, DATASET.channels, str(path), "any")
    return scale_to_counts(values, _LSB, line_locator(str(path)), str(path))
