"""What the Ninapro databases share: one MATLAB file a person and exercise.

Files hold ``emg`` (n x channels), ``restimulus`` (n x 1: the movement, 0 for rest, its ends set
anew after the fact), ``rerepetition`` (n x 1), ``subject`` and ``exercise`` (1 x 1), and more that
is not read here.

A recording runs from the beginning of one repetition of a movement to the beginning of the next,
with the rest that follows it; what comes before the first movement goes with it. So a split over
repetitions parts movements and their rests alike. Labels are ``restimulus``, sample by sample;
classes are ``rest`` and ``E<exercise> movement <number>``, numbered within the exercise. Some
databases count on from one exercise to the next: so it is taken where all numbers of a file are
above those of the exercises before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import mat, text
from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.order import natural
from edgebio.recordings.recording import Recording

REST = "rest"


@dataclass(frozen=True)
class Database:
    """One of the databases.

    Attributes
    ----------
    described
        Name, terms, rate, classes.
    movements
        Movements of exercises 1, 2, 3.
    lsb
        The numbers in the files, per count.
    channels
        Columns of ``emg`` that occur; people with fewer than the set's most are left out where
        loading all, as what is learned together must be alike.
    """

    described: DataSet
    movements: tuple[int, ...]
    lsb: float
    channels: tuple[int, ...]

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
        held = mat.read(
            path,
            {"emg": self.channels, "restimulus": 1, "rerepetition": 1, "subject": 1, "exercise": 1},
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
        parts = _parts(movements, repetitions)
        return [
            Recording(
                samples=samples[begin:end],
                rate=self.described.rate,
                units=self.described.units,
                labels=labels[begin:end],
                classes=self.described.classes,
                subject=subject,
                session="1",
                repetition=repetition,
                source=str(path),
            )
            for begin, end, repetition in parts
        ]

    def _whole(self, path: Path, name: str, held: dict[str, Any]) -> npt.NDArray[np.int64]:
        values = held[name][:, 0]
        if not (np.abs(values) < 1000).all() or (values != np.rint(values)).any():
            raise EdgebioError(f"{path}: {name} holds others than whole numbers up to 999")
        whole: npt.NDArray[np.int64] = values.astype(np.int64)
        return whole


def classes(movements: Sequence[int]) -> tuple[str, ...]:
    """Class names of exercises of so many movements."""
    return (
        REST,
        *(
            f"E{exercise} movement {number}"
            for exercise, count in enumerate(movements, 1)
            for number in range(1, count + 1)
        ),
    )


def _parts(
    movements: npt.NDArray[np.int64], repetitions: npt.NDArray[np.int64]
) -> list[tuple[int, int, int]]:
    """Begin, end and number (from 0) of every repetition of a movement, with its rest."""
    # A repetition begins where a movement does, or where its number changes under it.
    active = movements > 0
    changed = np.concatenate(
        [[True], (movements[1:] != movements[:-1]) | (repetitions[1:] != repetitions[:-1])]
    )
    begins = np.flatnonzero(active & changed).tolist()
    if not begins:
        return []
    ends = [*begins[1:], len(movements)]
    first = [0, *begins[1:]]
    return [
        (begin, end, max(0, int(repetitions[at]) - 1))
        for begin, end, at in zip(first, ends, begins, strict=True)
    ]
