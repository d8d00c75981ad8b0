"""emg-contraction-intensity: eight-channel forearm EMG of seven gestures at set levels of force.

E. Scheme, K. Englehart, J. Prosthetics and Orthotics 25(2):76-83, 2013, doi
10.1097/JPO.0b013e318289950b (University of New Brunswick). Carried by
github.com/LibEMG/ContractionIntensity, which states no licence.

Files are ``S<subject>/S<subject>_<level>_C<class>_R<repetition>.csv``: volts after the amplifier,
comma-separated, one row a sample, eight columns, no header, about 3 s at 1000 Hz. A label holds for
its whole file. The level (``20P`` to ``80P``: per cent of the strongest contraction, shown to the
wearer; ``Ramp``, ``Light``, ``Medium``, ``Hard`` and ``MVC`` in the full set) is the recording's
condition; there is one session.

Quirks
------
- Numbers lie half a step off the grid of a 16-bit converter over +-10 V (our inference from the
  steps) and are cut to five digits: a count is the step that a number lies in.
- A few samples clip near 5.01 V; the gain of the amplifier and the two recording days are not told.
- A network that was trained at 50P or 80P takes 20P for rest (protocol across-force).
"""

import re
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import text
from edgebio.recordings.order import natural
from edgebio.recordings.recording import Recording

_LSB = 10 / 32768
_FILE = re.compile(r"S[0-9]+_([0-9]+P|Ramp|Light|Medium|Hard|MVC)_C([0-9]+)_R([0-9]{1,6})\.csv")

DATASET = DataSet(
    name="emg-contraction-intensity",
    title="forearm EMG, 7 gestures at controlled levels of force",
    licence="none stated by the carrier",
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
    sessions=("1",),
    page="https://github.com/LibEMG/ContractionIntensity",
    files="https://raw.githubusercontent.com/LibEMG/ContractionIntensity/"
    "18139b3a7705f2ac523b6a7435830ab470435292/",
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`."""
    return [place.name[1:] for place in folder.glob("S*") if any(place.glob("S*_C*_R*.csv"))]


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the recordings of one person: seven classes at every level, four repetitions.

    Raises
    ------
    EdgebioError
        Where a file is cut, ragged, named otherwise, or holds anything but eight numbers a row.
    """
    recordings = []
    files = {path.name: path for path in (folder / f"S{subject}").glob("*.csv")}
    for name in natural(files):
        path, told = files[name], _FILE.fullmatch(name)
        if not told or not 1 <= int(told[2]) <= len(DATASET.classes):
            raise EdgebioError(
                f"{path}: expected a name like S{subject}_20P_C1_R1.csv, classes 1 to "
                f"{len(DATASET.classes)}"
            )
        values = text.numbers(text.read(path), DATASET.channels, str(path), "any")
        at = text.in_text(str(path))
        text.check_finite(values, at)
        samples = text.to_counts(np.floor(values / _LSB), at)
        recordings.append(
            DATASET.recording(
                samples,
                int(told[2]) - 1,
                path,
                subject=subject,
                repetition=int(told[3]) - 1,
                condition=told[1],
            )
        )
    return recordings
