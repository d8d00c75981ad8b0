"""ninapro-db1, -db2, -db3, -db5, -db7: hand and wrist movements of 110 people.

========  ==================================  ===========================================
database  subjects                            ``emg``
========  ==================================  ===========================================
1         27                                  10 channels, 100 Hz, V (Otto Bock 13E200)
2         40                                  12 channels, 2 kHz, V (Delsys Trigno)
3         11 amputees                         12 channels, 2 kHz, V (Delsys Trigno)
5         10                                  16 channels, 200 Hz, counts (two Myo armbands)
7         20, and 2 amputees: 21, 22          12 channels, 2 kHz, V (Delsys Trigno)
========  ==================================  ===========================================

1, 2 and 3: M. Atzori et al., Sci. Data 1:140053, 2014, doi 10.1038/sdata.2014.53. 5: S. Pizzolato
et al., PLoS ONE 12(10):e0186132, 2017, doi 10.1371/journal.pone.0186132. 7: A. Krasoulis et al., J.
NeuroEng. Rehabil. 14:71, 2017, doi 10.1186/s12984-017-0284-4. Free of charge after registration
with the publisher.

Files are ``S<subject>_E<exercise>_A1.mat`` or ``S<subject>_A1_E<exercise>.mat``, MATLAB 5 or 7.3,
in any folders. They hold ``emg`` (n x channels), ``restimulus`` (n x 1: the movement, 0 for rest,
with corrected ends), ``rerepetition`` (n x 1), ``subject`` and ``exercise`` (1 x 1), and more that
is not read. A recording is a repetition of a movement with the rest that follows it. Labels are
``restimulus``, sample by sample; classes are ``rest`` and ``E<exercise> movement <number>``. Where
all numbers of a file are above those of the exercises before, they continue their numbering.

Quirks
------
- ``emg`` of database 1 is what the electrodes output: rectified and smoothed by their own circuit.
  Its band ends at 5 Hz: an STFT of it sees nothing of the EMG's own spectrum.
- The forearm of subjects 6 and 7 of database 3 had room for ten electrodes only: they are excluded
  unless named. Its subjects 1, 3 and 10 did not do all movements.
- Exercise 3 of databases 2 and 3 is force patterns of the fingers.
- The upper armband's eight channels come first in database 5.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet, by_file_name
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import scale_to_counts
from edgebio.recordings.preprocessing.repetitions import split_at_repetitions
from edgebio.recordings.readers import mat
from edgebio.recordings.recording import Recording

_FILE = re.compile(r"S([0-9]+)_(?:A1_E([0-9])|E([0-9])_A1)\.mat")


@dataclass(frozen=True)
class _Database:
    """Reader of one of the databases.

    `lsb` is the number in the files that is one count; `movements` are those of exercises 1, 2, 3;
    `fewer_channels` lists the subjects who have fewer.
    """

    number: int
    title: str
    citation: str
    rate: float
    channels: int
    units: str
    lsb: float
    movements: tuple[int, ...]
    fewer_channels: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def DATASET(self) -> DataSet:  # noqa: N802 - a constant of the modules of other sets
        """Description of the set."""
        movements = (
            f"E{exercise} movement {number}"
            for exercise, count in enumerate(self.movements, 1)
            for number in range(1, count + 1)
        )
        return DataSet(
            name=f"ninapro-db{self.number}",
            title=f"Ninapro DB{self.number}: {self.title}",
            license="the publisher's terms, after registration",
            citation=self.citation,
            rate=self.rate,
            channels=self.channels,
            units=self.units,
            classes=("rest", *movements),
            page=f"https://ninapro.hevs.ch/instructions/DB{self.number}.html",
            excluded_subjects={s: f"has {n} channels" for s, n in self.fewer_channels.items()},
        )

    def list_subjects(self, folder: Path) -> list[str]:
        """Names of the subjects in `folder`."""
        matches = (_FILE.fullmatch(path.name) for path in folder.rglob("S*.mat"))
        return list({match[1] for match in matches if match})

    def read_subject(self, folder: Path, subject: str) -> Iterator[Recording]:
        """Read the files of one subject."""
        paths = folder.rglob(f"S{subject}_*.mat")
        for path in by_file_name(path for path in paths if _FILE.fullmatch(path.name)).values():
            yield from self._read(path, subject)

    def _read(self, path: Path, subject: str) -> Iterator[Recording]:
        exercise = int(path.stem.partition("_E")[2][0])
        if not 1 <= exercise <= len(self.movements):
            raise EdgebioError(f"{path}: exercise {exercise}; there are 1 to {len(self.movements)}")
        widths = (self.channels, *self.fewer_channels.values())
        matrices = mat.read_matrices(
            path,
            {"emg": widths, "restimulus": 1, "rerepetition": 1, "subject": 1, "exercise": 1},
        )
        emg = matrices["emg"]
        for name in ("restimulus", "rerepetition"):
            if len(matrices[name]) != len(emg):
                raise EdgebioError(f"{path}: {name} has {len(matrices[name])} rows, emg {len(emg)}")
        for name, number in (("subject", int(subject)), ("exercise", exercise)):
            if matrices[name].shape != (1, 1) or matrices[name][0, 0] != number:
                raise EdgebioError(
                    f"{path}: {name} is {matrices[name].ravel()[:1].tolist()}; the file name says "
                    f"{number}"
                )
        movements = _whole_numbers(path, "restimulus", matrices)
        repetitions = _whole_numbers(path, "rerepetition", matrices)
        before, own = sum(self.movements[: exercise - 1]), self.movements[exercise - 1]
        done = movements[movements > 0]
        if done.size and done.min() > before > 0:  # numbering continues from the exercise before
            movements = np.where(movements > 0, movements - before, 0)
        if movements.min(initial=0) < 0 or movements.max(initial=0) > own:
            raise EdgebioError(f"{path}: restimulus is not within 0 to {own}")
        samples = scale_to_counts(emg, self.lsb, mat.matrix_locator(path, "emg"))
        labels = np.where(movements > 0, movements + before, 0).astype(np.int16)
        for begin, end, movement in split_at_repetitions(movements, repetitions):
            part, number = slice(begin, end), max(0, int(repetitions[movement]) - 1)
            yield self.DATASET.recording(
                samples[part], labels[part], path, subject=subject, repetition=number
            )


def _whole_numbers(path: Path, name: str, matrices: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    values = matrices[name][:, 0]
    if not (np.abs(values) < 1000).all() or (values != np.rint(values)).any():
        raise EdgebioError(f"{path}: {name} has values other than whole numbers up to 999")
    whole: npt.NDArray[np.int64] = values.astype(np.int64)
    return whole


_ATZORI = "Atzori et al., Sci. Data 1:140053, 2014"
_PIZZOLATO = "Pizzolato et al., PLoS ONE 12(10):e0186132, 2017"
_KRASOULIS = "Krasoulis et al., J. NeuroEng. Rehabil. 14:71, 2017"
# fmt: off
READERS = {
    database.DATASET.name: database
    for database in (
        _Database(1, "forearm EMG, 52 movements, 27 people, rectified EMG", _ATZORI,
                  100.0, 10, "5/32767 V", 5 / 32767, (12, 17, 23)),
        _Database(2, "forearm EMG, 49 movements, 40 people", _ATZORI,
                  2000.0, 12, "0.5 uV", 5e-7, (17, 23, 9)),
        _Database(3, "forearm EMG, 49 movements, 11 amputees", _ATZORI,
                  2000.0, 12, "0.5 uV", 5e-7, (17, 23, 9), {"6": 10, "7": 10}),
        _Database(5, "forearm EMG, 52 movements, 10 people, two Myo armbands", _PIZZOLATO,
                  200.0, 16, "counts of the armband's 8-bit converter", 1.0, (12, 17, 23)),
        _Database(7, "forearm EMG, 40 movements, 20 people and 2 amputees", _KRASOULIS,
                  2000.0, 12, "0.5 uV", 5e-7, (17, 23)),
    )
}
# fmt: on
