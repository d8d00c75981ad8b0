"""ecg-heartbeat-mitbih, -ptb: tables of heart beats, as Kaggle has them, 125 Hz.

"ECG Heartbeat Categorization Dataset": M. Kachuee, S. Fazeli, M. Sarrafzadeh, ECG heartbeat
classification: a deep transferable representation, IEEE ICHI 2018 (arXiv 1805.00794). The databases
themselves, with their subjects, are `ecg_mitbih` and `ecg_ptb`.

Files are ``mitbih_train.csv`` and ``mitbih_test.csv`` (sessions of these names), and
``ptbdb_normal.csv`` and ``ptbdb_abnormal.csv``. A row is one beat of one lead: 187 numbers within 0
to 1, from the R peak on, zeros after the end of the beat, and a last one, its class. Each beat was
scaled to its own range, so that amplitudes are lost.

Quirks
------
- Subject identity is not published: people are on both sides of any split, the published one
  included, and results say nothing about people who were not recorded.
- A row that repeats an earlier one is skipped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets import ecg_mitbih, ecg_ptb
from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import check_finite
from edgebio.recordings.readers import delimited_text as text
from edgebio.recordings.recording import Recording

_SAMPLES, _SCALE = 187, 4096


@dataclass(frozen=True)
class _TableReader:
    """Reader of one of the sets; `tables` are sessions by the names of its files, in order."""

    DATASET: DataSet
    tables: Mapping[str, str]

    def list_subjects(self, folder: Path) -> list[str]:
        """``unknown``, where there are tables."""
        return ["unknown"] if any((folder / name).is_file() for name in self.tables) else []

    def read_subject(self, folder: Path, subject: str) -> Iterator[Recording]:
        """Read all tables; every row becomes a recording with its beat in the middle."""
        earlier: set[bytes] = set()
        for name, session in self.tables.items():
            path = folder / name
            for number, (samples, label) in enumerate(self._rows(path)):
                content = samples.tobytes()
                if content in earlier:
                    continue
                earlier.add(content)
                yield self.DATASET.recording(
                    samples[:, None],
                    label,
                    f"{path}, line {number + 1}",
                    subject=subject,
                    session=session,
                    repetition=number,
                    beats=np.array([_SAMPLES // 2]),
                )

    def _rows(self, path: Path) -> Iterator[tuple[npt.NDArray[np.int16], int]]:
        source, line, classes = str(path), 1, len(self.DATASET.classes)
        for block in text.split_blocks(text.read_text(path)):
            values = text.parse_numbers(block, _SAMPLES + 1, source, "any", line).astype(np.float64)
            locate = text.line_locator(source, line)
            check_finite(values, locate)
            beats, labels = values[:, :-1], values[:, -1]
            for row, column in np.argwhere((beats < 0) | (beats > 1))[:1].tolist():
                raise EdgebioError(
                    f"{locate(row, column)}: {beats[row, column]:g}; expected 0 to 1"
                )
            for row in np.flatnonzero(~np.isin(labels, np.arange(classes)))[:1].tolist():
                raise EdgebioError(
                    f"{locate(row, _SAMPLES)}: class {labels[row]:g}; expected 0 to {classes - 1}"
                )
            counts = np.rint(beats * _SCALE).astype(np.int16)
            yield from zip(counts, labels.astype(int).tolist(), strict=True)
            line += len(values)


READERS = {
    f"ecg-heartbeat-{name}": _TableReader(
        DataSet(
            name=f"ecg-heartbeat-{name}",
            title=f"beats of the {database} as a table, subjects unknown",
            license="Open Data Commons Attribution License v1.0 (of the database)",
            citation=f"Kachuee et al., IEEE ICHI 2018; {origin.citation}",
            rate=125.0,
            channels=1,
            units=f"1/{_SCALE} of a beat's range",
            classes=origin.classes,
            sessions=tuple(dict.fromkeys(tables.values())),
            page="https://www.kaggle.com/datasets/shayanfazeli/heartbeat",
            caveat="Subject identity is not published: people are on both sides of any split of "
            "this set, and results say nothing about people who were not recorded.",
        ),
        tables,
    )
    for name, database, origin, tables in (
        (
            "mitbih",
            "MIT-BIH Arrhythmia Database",
            ecg_mitbih.DATASET,
            {"mitbih_train.csv": "train", "mitbih_test.csv": "test"},
        ),
        (
            "ptb",
            "PTB Diagnostic ECG Database",
            ecg_ptb.DATASET,
            {"ptbdb_normal.csv": "1", "ptbdb_abnormal.csv": "1"},
        ),
    )
}
