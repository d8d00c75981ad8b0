"""ninapro-db1, -db2, -db3, -db5, -db7: hand and wrist movements of 110 people.

========  ==================================  ===========================================
database  people                              ``emg``
========  ==================================  ===========================================
1         27                                  10 channels, 100 Hz, V (Otto Bock 13E200)
2         40                                  12 channels, 2 kHz, V (Delsys Trigno)
3         11 without a hand                   12 channels, 2 kHz, V (Delsys Trigno)
5         10                                  16 channels, 200 Hz, counts (two Myo armbands)
7         20, and 2 without a hand: 21, 22    12 channels, 2 kHz, V (Delsys Trigno)
========  ==================================  ===========================================

1, 2 and 3: M. Atzori et al., Sci. Data 1:140053, 2014, doi 10.1038/sdata.2014.53. 5: S. Pizzolato
et al., PLoS ONE 12(10):e0186132, 2017, doi 10.1371/journal.pone.0186132. 7: A. Krasoulis et al., J.
NeuroEng. Rehabil. 14:71, 2017, doi 10.1186/s12984-017-0284-4. Free of charge after registration
with the publisher.

Files are ``S<person>_E<exercise>_A1.mat`` or ``S<person>_A1_E<exercise>.mat``, MATLAB 5 or 7.3.
They hold ``emg`` (n x channels), ``restimulus`` (n x 1: the movement, 0 for rest, its ends set
anew after the fact), ``rerepetition`` (n x 1), ``subject`` and ``exercise`` (1 x 1), and more that
is not read here.

A recording is a repetition of a movement with the rest that follows it (`parts.cut`). Labels are
``restimulus``, sample by sample; classes are ``rest`` and ``E<exercise> movement <number>``,
numbered within the exercise. Some databases count on from one exercise to the next: so it is taken
where all numbers of a file are above those of the exercises before.

Quirks
------
- ``emg`` of database 1 is what the electrodes give: rectified and smoothed by their own circuit.
  Its band ends at 5 Hz: an STFT of it sees nothing of the EMG's own spectrum.
- The forearm of people 6 and 7 of database 3 had room for ten electrodes only: they are left out
  unless named. Its people 1, 3 and 10 did not do all movements.
- Exercise 3 of databases 2 and 3 is force patterns of the fingers.
- The upper armband's eight channels come first in database 5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.errors import EdgebioError
from edgebio.recordings import mat, parts, text
from edgebio.recordings.order import natural
from edgebio.recordings.recording import Recording

REST = "rest"


@dataclass(frozen=True)
class Database:
    """One of the databases.

    Attributes
    ----------
    number
        Of the database.
    title
        What it holds, in a few words.
    work
        The work to cite.
    rate, channels
        Samples a second, and columns of ``emg``.
    units, lsb
        A count as it is said, and the numbers of the files that are one.
    movements
        Movements of exercises 1, 2, 3.
    fewer
        People of whom there are fewer channels, and how many: loaded only when named, as what is
        learned together must be alike.
    """

    number: int
    title: str
    work: str
    rate: float
    channels: int
    units: str
    lsb: float
    movements: tuple[int, ...]
    fewer: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def DATASET(self) -> DataSet:  # noqa: N802 - named as in the modules of other sets
        """What is known of the set."""
        return DataSet(
            name=f"ninapro-db{self.number}",
            title=f"Ninapro DB{self.number}: {self.title}",
            licence="the publisher's terms, after registration",
            citation=self.work,
            rate=self.rate,
            channels=self.channels,
            units=self.units,
            classes=_classes(self.movements),
            sessions=("1",),
            page=f"https://ninapro.hevs.ch/instructions/DB{self.number}.html",
            left_out={person: f"has {count} channels" for person, count in self.fewer.items()},
        )

    def subjects(self, folder: Path) -> list[str]:
        """Names of the people in `folder`, whose files may lie in folders of their own."""
        return list({path.name.split("_")[0][1:] for path in self._files(folder)})

    def load(self, folder: Path, subject: str) -> list[Recording]:
        """Read the files of one person.

        Raises
        ------
        EdgebioError
            Where a file is cut, lacks a matrix, holds another person or exercise than its name
            says, or a number that is none.
        """
        files = [p for p in self._files(folder) if p.name.startswith(f"S{subject}_")]
        recordings: list[Recording] = []
        for name in natural({path.name for path in files}):
            found = [path for path in files if path.name == name]
            if len(found) > 1:
                raise EdgebioError(f"{found[1]}: is also in {found[0].parent}")
            recordings += self._read(found[0], subject)
        return recordings

    def _files(self, folder: Path) -> list[Path]:
        pattern = re.compile(r"S[0-9]+_(?:A1_E[0-9]|E[0-9]_A1)\.mat")
        return [path for path in folder.rglob("S*.mat") if pattern.fullmatch(path.name)]

    def _read(self, path: Path, subject: str) -> list[Recording]:
        exercise = int(re.search(r"_E([0-9])", path.name)[1])  # type: ignore[index]
        if not 1 <= exercise <= len(self.movements):
            raise EdgebioError(f"{path}: exercise {exercise}; there are 1 to {len(self.movements)}")
        widths = (self.channels, *self.fewer.values())
        held = mat.read(
            path,
            {"emg": widths, "restimulus": 1, "rerepetition": 1, "subject": 1, "exercise": 1},
        )
        emg = held["emg"]
        for name in ("restimulus", "rerepetition"):
            if len(held[name]) != len(emg):
                raise EdgebioError(f"{path}: {name} has {len(held[name])} rows, emg {len(emg)}")
        for name, told in (("subject", int(subject)), ("exercise", exercise)):
            if held[name].shape != (1, 1) or held[name][0, 0] != told:
                raise EdgebioError(
                    f"{path}: {name} is {held[name].ravel()[:1].tolist()}; its name says {told}"
                )
        movements = self._whole(path, "restimulus", held)
        repetitions = self._whole(path, "rerepetition", held)
        before, own = sum(self.movements[: exercise - 1]), self.movements[exercise - 1]
        done = movements[movements > 0]
        if done.size and done.min() > before > 0:  # counted on from the exercise before
            movements = np.where(movements > 0, movements - before, 0)
        if movements.min(initial=0) < 0 or movements.max(initial=0) > own:
            raise EdgebioError(f"{path}: restimulus is not within 0 to {own}")

        def at(row: int, column: int) -> str:
            return f"{path}: emg row {row + 1}, column {column + 1}"

        text.check_finite(emg, at)
        samples = text.to_counts(np.rint(emg / self.lsb), at)
        labels = np.where(movements > 0, movements + before, 0).astype(np.int16)
        return [
            self.DATASET.recording(
                samples[begin:end],
                labels[begin:end],
                path,
                subject=subject,
                repetition=max(0, int(repetitions[at_movement]) - 1),
            )
            for begin, end, at_movement in parts.cut(movements, repetitions)
        ]

    def _whole(self, path: Path, name: str, held: dict[str, Any]) -> npt.NDArray[np.int64]:
        values = held[name][:, 0]
        if not (np.abs(values) < 1000).all() or (values != np.rint(values)).any():
            raise EdgebioError(f"{path}: {name} holds others than whole numbers up to 999")
        whole: npt.NDArray[np.int64] = values.astype(np.int64)
        return whole


def _classes(movements: Sequence[int]) -> tuple[str, ...]:
    """Class names of exercises of so many movements."""
    return (
        REST,
        *(
            f"E{exercise} movement {number}"
            for exercise, count in enumerate(movements, 1)
            for number in range(1, count + 1)
        ),
    )


_ATZORI = "Atzori et al., Sci. Data 1:140053, 2014"
_PIZZOLATO = "Pizzolato et al., PLoS ONE 12(10):e0186132, 2017"
_KRASOULIS = "Krasoulis et al., J. NeuroEng. Rehabil. 14:71, 2017"
# fmt: off
READERS = {
    database.DATASET.name: database
    for database in (
        Database(1, "forearm EMG, 52 movements, 27 people, rectified EMG", _ATZORI,
                 100.0, 10, "5/32767 V", 5 / 32767, (12, 17, 23)),
        Database(2, "forearm EMG, 49 movements, 40 people", _ATZORI,
                 2000.0, 12, "0.5 uV", 5e-7, (17, 23, 9)),
        Database(3, "forearm EMG, 49 movements, 11 amputees", _ATZORI,
                 2000.0, 12, "0.5 uV", 5e-7, (17, 23, 9), {"6": 10, "7": 10}),
        Database(5, "forearm EMG, 52 movements, 10 people, two Myo armbands", _PIZZOLATO,
                 200.0, 16, "counts of the armband's 8-bit converter", 1.0, (12, 17, 23)),
        Database(7, "forearm EMG, 40 movements, 20 people and 2 amputees", _KRASOULIS,
                 2000.0, 12, "0.5 uV", 5e-7, (17, 23)),
    )
}
# fmt: on
