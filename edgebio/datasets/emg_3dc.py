"""emg-3dc: ten-channel forearm EMG of eleven hand and wrist gestures, 1000 Hz (3DC armband).

U. Côté-Allard et al., Frontiers in Bioengineering and Biotechnology 8:158, 2020, doi
10.3389/fbioe.2020.00158 (as LibEMG cites it; the carrier's page names IEEE TNSRE 27(4):760-771,
2019). Carried by github.com/LibEMG/3DCDataset, which states no license and asks to credit the
authors.

Files are ``Participant<P>/{train,test}/EMG/3dc_EMG_gesture_<cycle>_<gesture>.txt``: comma-separated
converter counts, one row per sample, ten columns, no header. A label holds for its whole file.
Session "1" is ``train/`` and "2" is ``test/``, recorded about five minutes later; a repetition is a
cycle, four per session.

Quirks
------
- A file is cut from a continuous cycle: its first part can hold the transition from the previous
  gesture, under the new label.
- 60 Hz mains is visible at rest; counts per volt are not published.
- Of the 22 published subjects, 19 and 21 are byte-identical, and 13 and 14 share 13 files: they are
  excluded unless named, as a split over subjects would put one person on both sides.
- 1 and 3 have one bad channel (index 1); 1, 3, 4 and 5 have short files (363 rows and up).
"""

from collections.abc import Iterator
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers.delimited_text import read_counts
from edgebio.recordings.recording import Recording

_FOLDERS = {"1": "train", "2": "test"}
_CYCLES = 4
_PREFIX = "Participant"

DATASET = DataSet(
    name="emg-3dc",
    title="3DC armband: forearm EMG, 11 hand and wrist gestures",
    license="none stated by the carrier, which asks to credit the authors",
    citation="Cote-Allard et al., doi 10.3389/fbioe.2020.00158; IEEE TNSRE 27(4):760-771, 2019",
    rate=1000.0,
    channels=10,
    units="counts",
    classes=(
        "neutral",
        "radial deviation",
        "wrist flexion",
        "ulnar deviation",
        "wrist extension",
        "supination",
        "pronation",
        "power grip",
        "open hand",
        "chuck grip",
        "pinch grip",
    ),
    sessions=tuple(_FOLDERS),
    page="https://github.com/LibEMG/3DCDataset",
    download_url="https://raw.githubusercontent.com/LibEMG/3DCDataset/"
    "1af9058237a5d79a883feb2ce61f4d59090288ac/",
    subject_prefix=f"{_PREFIX}{{subject}}/",
    excluded_subjects={
        "13": "shares 13 files with 14",
        "14": "shares 13 files with 13",
        "19": "is byte-identical to 21",
        "21": "is byte-identical to 19",
    },
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    paths = folder.glob(f"{_PREFIX}*")
    return [path.name.removeprefix(_PREFIX) for path in paths if any(path.glob("*/EMG/*.txt"))]


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the 88 recordings of one subject."""
    for session, part in _FOLDERS.items():
        for cycle in range(_CYCLES):
            for label in range(len(DATASET.classes)):
                path = folder / f"{_PREFIX}{subject}/{part}/EMG/3dc_EMG_gesture_{cycle}_{label}.txt"
                if not path.is_file():
                    raise EdgebioError(
                        f"{path}: missing; emg-3dc has {_CYCLES} cycles of "
                        f"{len(DATASET.classes)} gestures in {part}/EMG: edgebio data fetch emg-3dc"
                    )
                samples = read_counts(path, DATASET.channels)
                yield DATASET.recording(
                    samples, label, path, subject=subject, session=session, repetition=cycle
                )
