"""ecg-heartbeat-mitbih: beats of the MIT-BIH Arrhythmia Database as Kaggle has them, 125 Hz.

``mitbih_train.csv`` and ``mitbih_test.csv``; format, citation and quirks: see `heartbeats`. The
database itself, with its people, is `ecg_mitbih`.
"""

from pathlib import Path

from edgebio.datasets import ecg_mitbih, heartbeats
from edgebio.datasets.dataset import DataSet
from edgebio.recordings.recording import Recording

_SESSIONS = ("train", "test")

DATASET = DataSet(
    name="ecg-heartbeat-mitbih",
    title="beats of the MIT-BIH Arrhythmia Database as a table, people unknown",
    licence="Open Data Commons Attribution License v1.0 (of the database)",
    citation="Kachuee et al., IEEE ICHI 2018; Moody and Mark, IEEE Eng. Med. Biol. 20(3):45-50, "
    "2001",
    rate=heartbeats.RATE,
    channels=1,
    units=heartbeats.UNITS,
    classes=ecg_mitbih.DATASET.classes,
    sessions=_SESSIONS,
    page="https://www.kaggle.com/datasets/shayanfazeli/heartbeat",
    caveat=heartbeats.CAVEAT,
)


def subjects(folder: Path) -> list[str]:
    """``unknown``, where there are tables."""
    return [heartbeats.PERSON] if any(folder.glob("mitbih_*.csv")) else []


def load(folder: Path, subject: str) -> list[Recording]:
    """Read both tables; see `heartbeats.read`."""
    seen: set[bytes] = set()
    return [
        r
        for session in _SESSIONS
        for r in heartbeats.read(
            folder / f"mitbih_{session}.csv", session, DATASET.classes, seen
        )
    ]  # fmt: skip
