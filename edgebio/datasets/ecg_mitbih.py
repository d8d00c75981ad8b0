"""ecg-mitbih: two-lead ECG with a label a beat, half an hour a record, 360 Hz.

MIT-BIH Arrhythmia Database, PhysioNet mitdb 1.0.0: G. B. Moody, R. G. Mark, IEEE Eng. Med. Biol.
20(3):45-50, 2001; A. L. Goldberger et al., Circulation 101(23):e215-e220, 2000. Open Data Commons
Attribution License v1.0.

Files are ``<record>.hea``, ``.dat`` (format 212) and ``.atr``: WFDB, 650,000 samples, 200 counts a
millivolt, and a symbol at every R peak. Symbols are gathered to the five classes of AAMI EC57 as P.
de Chazal et al. do (2004). A beat's class holds from midway to the beat before until midway to the
next; before the first and after the last nothing is labelled.

Quirks
------
- Lead MLII is channel 0 here, whatever the record's order (114 has it second). 102 and 104 have
  none and are left out unless named; the other lead differs from record to record.
- Records 201 and 202 are of one person, who is ``201`` here with sessions "1" and "2".
- 102, 104, 107 and 217 are paced; AAMI leaves them out.
- Classes are very unequal; of record 232 nearly all is S.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import wfdb
from edgebio.recordings.recording import UNLABELLED, Recording

_LEAD = "MLII"
_AAMI = {
    symbol: label
    for label, symbols in enumerate(("NLRej", "AaJS", "VE", "F", "/fQ"))
    for symbol in symbols
}
BEATS = frozenset(_AAMI)
"""Symbols that stand at an R peak."""

_SECOND = {"202": "201"}  # records of a person whom another record is named by
_PACED = "is paced; AAMI leaves it out"

DATASET = DataSet(
    name="ecg-mitbih",
    title="MIT-BIH Arrhythmia Database: ECG beats in the 5 classes of AAMI",
    licence="Open Data Commons Attribution License v1.0",
    citation="Moody and Mark, IEEE Eng. Med. Biol. 20(3):45-50, 2001; Goldberger et al., "
    "Circulation 101(23):e215-e220, 2000",
    rate=360.0,
    channels=2,
    units="1/200 mV",
    classes=(
        "normal",
        "supraventricular",
        "ventricular",
        "fusion",
        "unknown or paced",
    ),
    sessions=("1", "2"),
    page="https://physionet.org/content/mitdb/1.0.0/",
    files="https://physionet.org/files/mitdb/1.0.0/",
    left_out={
        "102": "has no lead MLII and is paced",
        "104": "has no lead MLII and is paced",
        "107": _PACED,
        "217": _PACED,
    },
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`: those of their (first) records."""
    return list({_SECOND.get(path.stem, path.stem) for path in folder.glob("*.hea")})


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the record of one person, or the two of 201.

    Raises
    ------
    EdgebioError
        Where a file is missing, cut or damaged, or not of this database.
    """
    names = [subject, *(record for record, person in _SECOND.items() if person == subject)]
    found = [(folder / f"{name}.hea", session) for name, session in zip(names, "12", strict=False)]
    return [_read(path, subject, session) for path, session in found if path.is_file()]


def beat_labels(
    places: npt.NDArray[np.int64], classes: npt.NDArray[np.int16], samples: int
) -> npt.NDArray[np.int16]:
    """Label every sample by the beat that is nearest.

    Parameters
    ----------
    places
        int64, shape (n,): R peaks, rising.
    classes
        int16, shape (n,): of the beats; `UNLABELLED` for marks that are none of them.
    samples
        How many there are.

    Returns
    -------
    ndarray
        int16, shape (samples,): `UNLABELLED` farther outside the first and last beat than half the
        distance to its neighbour.
    """
    labels = np.full(samples, UNLABELLED, np.int16)
    if len(places) < 2:
        return labels
    middle = (places[1:] + places[:-1] + 1) // 2
    first = max(0, int(places[0] - (middle[0] - places[0])))
    last = min(samples, int(places[-1] + (places[-1] - middle[-1]) + 1))
    edges = np.concatenate([[first], middle, [last]])
    labels[first:last] = np.repeat(classes, np.diff(edges))
    return labels


def _read(path: Path, subject: str, session: str) -> Recording:
    record = wfdb.read(path)
    if (record.rate, len(record.channels)) != (DATASET.rate, DATASET.channels):
        raise EdgebioError(
            f"{path}: {len(record.channels)} channels at {record.rate:g} Hz; expected "
            f"{DATASET.channels} at {DATASET.rate:g}"
        )
    if set(record.gains) != {200.0} or set(record.units) != {"mV"}:
        raise EdgebioError(
            f"{path}: gains {', '.join(f'{g:g}' for g in record.gains)} per "
            f"{', '.join(record.units)}; expected 200 per mV"
        )
    lead = record.channels.index(_LEAD) if _LEAD in record.channels else 0
    places, symbols = wfdb.annotations(path.with_suffix(".atr"), len(record.samples))
    beats = np.array([symbol in _AAMI for symbol in symbols], bool)
    classes = np.array([_AAMI[symbol] for symbol in symbols if symbol in _AAMI], np.int16)
    return Recording(
        samples=record.samples[:, [lead, 1 - lead]],
        rate=record.rate,
        units=DATASET.units,
        labels=beat_labels(places[beats], classes, len(record.samples)),
        classes=DATASET.classes,
        subject=subject,
        session=session,
        repetition=0,
        source=str(path),
        beats=np.unique(places[beats]),
    )
