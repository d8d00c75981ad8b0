"""ecg-ptb: fifteen-lead ECG of healthy and ill people, 1000 Hz.

PTB Diagnostic ECG Database, PhysioNet ptbdb 1.0.0: R. Bousseljot et al., Biomed. Technik 40, suppl.
1, S317, 1995; A. L. Goldberger et al., Circulation 101(23):e215-e220, 2000. Open Data Commons
Attribution License v1.0.

Files are ``patient<nnn>/<record>.hea``, ``.dat`` (12 leads) and ``.xyz`` (Frank leads): WFDB, 2000
counts a millivolt. A record's class is the ``Reason for admission`` in its header: ``Healthy
control`` is normal, every other one abnormal, and one without a reason is not labelled.

Quirks
------
- People have one to five records, hours to years apart: a session each, in order of their names.
- Records that lie in no ``patient<nnn>`` folder count as people of their own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import wfdb
from edgebio.recordings.order import natural
from edgebio.recordings.recording import UNLABELLED, Recording

_LEADS = 15
_REASON, _HEALTHY = "Reason for admission:", "healthy control"

DATASET = DataSet(
    name="ecg-ptb",
    title="PTB Diagnostic ECG Database: 15 leads, normal or abnormal",
    licence="Open Data Commons Attribution License v1.0",
    citation="Bousseljot et al., Biomed. Technik 40, suppl. 1, S317, 1995; Goldberger et al., "
    "Circulation 101(23):e215-e220, 2000",
    rate=1000.0,
    channels=_LEADS,
    units="1/2000 mV",
    classes=("normal", "abnormal"),
    sessions=("1", "2", "3", "4", "5"),
    page="https://physionet.org/content/ptbdb/1.0.0/",
)


def subjects(folder: Path) -> list[str]:
    """Names of the people in `folder`."""
    loose = [path.stem for path in folder.glob("*.hea")]
    return loose + [p.name for p in folder.glob("patient*") if any(p.glob("*.hea"))]


def load(folder: Path, subject: str) -> list[Recording]:
    """Read the records of one person.

    Raises
    ------
    EdgebioError
        Where a file is missing, cut or damaged, or not of this database.
    """
    place = folder / subject
    paths = {path.name: path for path in place.glob("*.hea")} or {
        f"{subject}.hea": folder / f"{subject}.hea"
    }
    recordings = []
    for number, name in enumerate(natural(paths), 1):
        path = paths[name]
        record = wfdb.read(path)
        if (record.rate, len(record.channels)) != (DATASET.rate, _LEADS):
            raise EdgebioError(
                f"{path}: {len(record.channels)} leads at {record.rate:g} Hz; expected {_LEADS} "
                f"at {DATASET.rate:g}"
            )
        if set(record.gains) != {2000.0}:
            raise EdgebioError(f"{path}: gain {record.gains[0]:g}; expected 2000 per mV")
        recordings.append(
            Recording(
                samples=record.samples,
                rate=record.rate,
                units=DATASET.units,
                labels=np.full(len(record.samples), _label(record.comments), np.int16),
                classes=DATASET.classes,
                subject=subject,
                session=str(number),
                repetition=0,
                source=str(path),
            )
        )
    return recordings


def _label(comments: Sequence[str]) -> int:
    for line in comments:
        if line.startswith(_REASON):
            reason = line.removeprefix(_REASON).strip().lower()
            if reason and reason != "n/a":
                return 0 if reason == _HEALTHY else 1
    return UNLABELLED
