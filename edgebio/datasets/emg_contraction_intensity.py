"""emg-contraction-intensity: eight-channel forearm EMG of seven gestures at set levels of force.

E. Scheme, K. Englehart, J. Prosthetics and Orthotics 25(2):76-83, 2013, doi
10.1097/JPO.0b013e318289950b (University of New Brunswick). Carried by
github.com/LibEMG/ContractionIntensity, which states no license.

Files are ``S<subject>/S<subject>_<level>_C<class>_R<repetition>.csv``: volts after the amplifier,
comma-separated, one row per sample, eight columns, no header, about 3 s. A label holds for its
whole file. The level (``20P`` to ``80P``: percent of the strongest contraction; ``Ramp``,
``Light``, ``Medium``, ``Hard`` and ``MVC`` in the full set) is the recording's condition.

Quirks
------
- Numbers lie half a step off the grid of a 16-bit converter over +-10 V (inferred from the steps)
  and are truncated to five digits: a count is the step that a number lies in.
- A few samples clip near 5.01 V; the gain and the two recording days are not published.
- A network trained at 50P or 80P takes 20P for rest (protocol across-force).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet, by_file_name
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import check_finite, to_counts
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.recording import Recording

_LSB = 10 / 32768
_FILE = re.compile(r"S[0-9]+_([0-9]+P|Ramp|Light|Medium|Hard|MVC)_C([0-9]+)_R([0-9]{1,6})\.csv")

DATASET = DataSet(
    name="emg-contraction-intensity",
    title="forearm EMG, 7 gestures at controlled levels of force",
    license="none stated by the carrier",
    citation="Scheme and Englehart, doi 10.1097/JPO.0b013e318289950b",
    rate=1000.0,
    channels=8,
    units="10/32768 V after the amplifier",
    classes=(
        "no movement",
        "wrist flexion",
        "wrist extension",
        "pronation",
        "supination",
        "chuck grip",
        "hand open",
    ),
    page="https://github.com/LibEMG/ContractionIntensity",
    download_url="https://raw.githubusercontent.com/LibEMG/ContractionIntensity/"
    "18139b3a7705f2ac523b6a7435830ab470435292/",
    subject_prefix="S{subject}/",
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    return [path.name[1:] for path in folder.glob("S*") if any(path.glob("S*_C*_R*.csv"))]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the recordings of one subject: seven classes at every level, four repetitions."""
    for path in by_file_name((folder / f"S{subject}").glob("*.csv")).values():
        match = _FILE.fullmatch(path.name)
        if not match or not 1 <= int(match[2]) <= len(DATASET.classes):
            raise EdgebioError(
                f"{path}: expected a name like S{subject}_20P_C1_R1.csv, classes 1 to "
                f"{len(DATASET.classes)}"
            )
        values = text.parse_numbers(text.read_text(path), DATASET.channels, str(path), "any")
        locate = text.line_locator(str(path))
        check_finite(values, locate)
        yield DATASET.recording(
            to_counts(np.floor(values / _LSB), locate),
            int(match[2]) - 1,
            path,
            subject=subject,
            repetition=int(match[3]) - 1,
            condition=match[1],
        )
