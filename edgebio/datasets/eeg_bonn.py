"""eeg-bonn: one-channel EEG of 23.6 s, five sets of 100, 173.61 Hz.

R. G. Andrzejak et al., Phys. Rev. E 64:061907, 2001 (University of Bonn); offered for research with
citation, no license stated by the carrier, github.com/arushnab/bonn-eeg-ml.

Files are ``<set>/<set><001-100>.txt``, one whole number per line, 4097 lines. Sets: Z and O, scalp
of healthy people, eyes open and closed; N and F, inside the skull between seizures, opposite side
and seizing side; S, during a seizure.

Quirks
------
- Subject identity is not published: five people per group gave 100 files. The only subject is
  ``unknown`` here, a repetition is a file, and no split of this set is cross-subject: one person
  can be on both sides of it.
- Scalp against implanted electrodes makes ZO against NFS easier than it should be.
- F and S reach 2047, where the converter clips. Artifacts were removed by hand before publication.
- Units are microvolts according to the literature; files of N end in ``.TXT``.
"""

from collections.abc import Iterator
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.readers.delimited_text import read_counts
from edgebio.recordings.recording import Recording

_SETS = ("Z", "O", "N", "F", "S")
_SAMPLES = 4097

DATASET = DataSet(
    name="eeg-bonn",
    title="EEG of healthy and epileptic people, 5 sets",
    license="none stated by the carrier; offered for research with citation",
    citation="Andrzejak et al., Phys. Rev. E 64:061907, 2001",
    rate=173.61,
    channels=1,
    units="counts, taken as uV",
    classes=(
        "healthy, eyes open",
        "healthy, eyes closed",
        "between seizures, opposite side",
        "between seizures, seizing side",
        "seizure",
    ),
    page="https://github.com/arushnab/bonn-eeg-ml",
    caveat="Subject identity is not published: a split of this set is one of files, never "
    "cross-subject, and one person can be on both sides. Scalp against implanted electrodes makes "
    "healthy against ill easier than it should be.",
)


def list_subjects(folder: Path) -> list[str]:
    """``unknown``, where there are files."""
    return ["unknown"] if any(folder.glob("[ZONFS]/*.[tT][xX][tT]")) else []


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read all files; the repetition is the number in a file's name, from 0."""
    for label, name in enumerate(_SETS):
        files = sorted(p for p in (folder / name).glob("*") if p.suffix.lower() == ".txt")
        if not files:
            raise EdgebioError(
                f"{folder / name}: no files of set {name} ({DATASET.classes[label]})"
            )
        for path in files:
            number = path.stem.removeprefix(name)
            if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= 100):
                raise EdgebioError(f"{path}: expected a name from {name}001.txt to {name}100.txt")
            samples = read_counts(path, 1)
            if len(samples) != _SAMPLES:
                raise EdgebioError(f"{path}: {len(samples)} samples, expected {_SAMPLES}")
            yield DATASET.recording(
                samples, label, path, subject=subject, repetition=int(number) - 1
            )
