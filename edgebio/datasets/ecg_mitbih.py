"""ecg-mitbih: two-lead ECG with a label per beat, half an hour a record, 360 Hz.

MIT-BIH Arrhythmia Database, PhysioNet mitdb 1.0.0: G. B. Moody, R. G. Mark, IEEE Eng. Med. Biol.
20(3):45-50, 2001; A. L. Goldberger et al., Circulation 101(23):e215-e220, 2000. Open Data Commons
Attribution License v1.0.

Files are ``<record>.hea``, ``.dat`` (format 212) and ``.atr``: WFDB, 650,000 samples, 200 counts
per millivolt, and a symbol at every R peak. Symbols are grouped into the five classes of AAMI EC57
(`AAMI_CLASSES`). The class of a beat holds for the samples nearest to it; far before the first and
after the last nothing is labeled.

Quirks
------
- Lead MLII is channel 0 here, whatever its place in the record (114 has it second). 102 and 104 do
  not have it and are excluded unless named; the other lead differs from record to record.
- Records 201 and 202 are of one person: subject ``201`` with sessions "1" and "2".
- 102, 104, 107 and 217 are paced; AAMI excludes them.
- Classes are very unequal; of record 232 nearly all is S.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.recordings.preprocessing.beats import AAMI_CLASSES, label_around_beats
from edgebio.recordings.readers import wfdb
from edgebio.recordings.recording import Recording

_LEAD = "MLII"
_SECOND_RECORDS = {"201": "202"}  # of a subject that is named by the first record

DATASET = DataSet(
    name="ecg-mitbih",
    title="MIT-BIH Arrhythmia Database: ECG beats in the 5 classes of AAMI",
    license="Open Data Commons Attribution License v1.0",
    citation="Moody and Mark, IEEE Eng. Med. Biol. 20(3):45-50, 2001; Goldberger et al., "
    "Circulation 101(23):e215-e220, 2000",
    rate=360.0,
    channels=2,
    units="1/200 mV",
    classes=("normal", "supraventricular", "ventricular", "fusion", "unknown or paced"),
    sessions=("1", "2"),
    page="https://physionet.org/content/mitdb/1.0.0/",
    download_url="https://physionet.org/files/mitdb/1.0.0/",
    excluded_subjects={
        "102": "has no lead MLII and is paced",
        "104": "has no lead MLII and is paced",
        "107": "is paced; AAMI excludes it",
        "217": "is paced; AAMI excludes it",
    },
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`: those of their (first) records."""
    first = {second: subject for subject, second in _SECOND_RECORDS.items()}
    return list({first.get(path.stem, path.stem) for path in folder.glob("*.hea")})


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the record of one subject, or the two of 201."""
    names = (subject, _SECOND_RECORDS.get(subject, ""))
    for name, session in zip(names, DATASET.sessions, strict=True):
        path = folder / f"{name}.hea"
        if not path.is_file():
            continue
        record = wfdb.read_record(path)
        record.check(DATASET.channels, DATASET.rate, gain=200.0)
        lead = record.channels.index(_LEAD) if _LEAD in record.channels else 0
        samples = record.counts()[:, [lead, 1 - lead]]
        positions, symbols = wfdb.read_annotations(path.with_suffix(".atr"), len(samples))
        beats = positions[[symbol in AAMI_CLASSES for symbol in symbols]]
        classes = np.array([AAMI_CLASSES[s] for s in symbols if s in AAMI_CLASSES], np.int16)
        labels = label_around_beats(beats, classes, len(samples))
        yield DATASET.recording(
            samples, labels, path, subject=subject, session=session, beats=np.unique(beats)
        )
