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

from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
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


def read_subject(folder: Path, subject: str) -> list[Recording]:
    """Read the record of one subject, or the two of 201."""
    paths = [folder / f"{name}.hea" for name in (subject, _SECOND_RECORDS.get(subject, ""))]
    return [
        _read(path, subject, session)
        for path, session in zip(paths, DATASET.sessions, strict=True)
        if path.is_file()
    ]


def _read(path: Path, subject: str, session: str) -> Recording:
    record = wfdb.read_record(path)
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
    samples = record.counts()[:, [lead, 1 - lead]]
    positions, symbols = wfdb.read_annotations(path.with_suffix(".atr"), len(samples))
    beats = positions[[symbol in AAMI_CLASSES for symbol in symbols]]
    classes = np.array([AAMI_CLASSES[s] for s in symbols if s in AAMI_CLASSES], np.int16)
    return DATASET.recording(
        samples,
        label_around_beats(beats, classes, len(samples)),
        path,
        subject=subject,
        session=session,
        beats=np.unique(beats),
    )
