"""ecg-heartbeat-ptb: beats of the PTB Diagnostic ECG Database as Kaggle has them, 125 Hz.

``ptbdb_normal.csv`` and ``ptbdb_abnormal.csv``; format, citation and quirks: see `heartbeats`. No
split is published. The database itself, with its people, is `ecg_ptb`.
"""

from pathlib import Path

from edgebio.datasets import ecg_ptb, heartbeats
from edgebio.datasets.dataset import DataSet
from edgebio.recordings.recording import Recording

DATASET = DataSet(
    name="ecg-heartbeat-ptb",
    title="beats of the PTB Diagnostic ECG Database as a table, people unknown",
    licence="Open Data Commons Attribution License v1.0 (of the database)",
    citation="Kachuee et al., IEEE ICHI 2018; Bousseljot et al., Biomed. Technik 40, suppl. 1, "
    "S317, 1995",
    rate=heartbeats.RATE,
    channels=1,
    units=heartbeats.UNITS,
    classes=ecg_ptb.DATASET.classes,
    sessions=("1",),
    page="https://www.kaggle.com/datasets/shayanfazeli/heartbeat",
    caveat=heartbeats.CAVEAT,
)


def subjects(folder: Path) -> list[str]:
    """``unknown``, where there are tables."""
    return [heartbeats.PERSON] if any(folder.glob("ptbdb_*.csv")) else []


def load(folder: Path, subject: str) -> list[Recording]:
    """Read both tables; see `heartbeats.read`."""
    seen: set[bytes] = set()
    return [
        r
        for name in DATASET.classes
        for r in heartbeats.read(folder / f"ptbdb_{name}.csv", "1", DATASET.classes, seen)
    ]
