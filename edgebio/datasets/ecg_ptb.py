"""ecg-ptb: fifteen-lead ECG of healthy and ill people, 1000 Hz; ecg-ptb-sample, one record of it.

PTB Diagnostic ECG Database, PhysioNet ptbdb 1.0.0: R. Bousseljot et al., Biomed. Technik 40, suppl.
1, S317, 1995; A. L. Goldberger et al., Circulation 101(23):e215-e220, 2000. Open Data Commons
Attribution License v1.0. The sample, of the package wfdb, is one subject of one class.

Files are ``patient<nnn>/<record>.hea``, ``.dat`` (12 leads) and ``.xyz`` (Frank leads): WFDB, 2000
counts per millivolt. The class of a record is the ``Reason for admission`` in its header: ``Healthy
control`` is normal, every other one abnormal, and a record without a reason is unlabeled.

Quirks
------
- Subjects have one to five records, hours to years apart: a session each, in order of their names.
- Records outside of ``patient<nnn>`` folders count as subjects of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgebio.datasets.dataset import DataSet
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.readers import wfdb
from edgebio.recordings.recording import UNLABELED, Recording

_REASON, _HEALTHY = "Reason for admission:", "healthy control"

DATASET = DataSet(
    name="ecg-ptb",
    title="PTB Diagnostic ECG Database: 15 leads, normal or abnormal",
    license="Open Data Commons Attribution License v1.0",
    citation="Bousseljot et al., Biomed. Technik 40, suppl. 1, S317, 1995; Goldberger et al., "
    "Circulation 101(23):e215-e220, 2000",
    rate=1000.0,
    channels=15,
    units="1/2000 mV",
    classes=("normal", "abnormal"),
    sessions=("1", "2", "3", "4", "5"),
    page="https://physionet.org/content/ptbdb/1.0.0/",
)


@dataclass(frozen=True)
class _PtbReader:
    """Reader of the database, or of a part of it."""

    DATASET: DataSet

    def list_subjects(self, folder: Path) -> list[str]:
        """Names of the subjects in `folder`."""
        loose = [path.stem for path in folder.glob("*.hea")]
        return loose + [p.name for p in folder.glob("patient*") if any(p.glob("*.hea"))]

    def read_subject(self, folder: Path, subject: str) -> Iterator[Recording]:
        """Read the records of one subject."""
        paths = {path.name: path for path in (folder / subject).glob("*.hea")} or {
            subject: folder / f"{subject}.hea"
        }
        for number, name in enumerate(sort_naturally(paths), 1):
            path = paths[name]
            record = wfdb.read_record(path)
            record.check(DATASET.channels, DATASET.rate, gain=2000.0)
            label = _label(record.comments)
            yield DATASET.recording(
                record.counts(), label, path, subject=subject, session=str(number)
            )


def _label(comments: Sequence[str]) -> int:
    for line in comments:
        if line.startswith(_REASON):
            reason = line.removeprefix(_REASON).strip().lower()
            if reason and reason != "n/a":
                return 0 if reason == _HEALTHY else 1
    return UNLABELED


READERS = {
    "ecg-ptb": _PtbReader(DATASET),
    "ecg-ptb-sample": _PtbReader(
        replace(
            DATASET,
            name="ecg-ptb-sample",
            title="one record of the PTB Diagnostic ECG Database, of the format's maintainers",
            page="https://github.com/MIT-LCP/wfdb-python",
        )
    ),
}
