"""What is known of a data set besides its samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgebio.recordings.recording import Recording


@dataclass(frozen=True)
class DataSet:
    """A named data set: where it comes from, under which terms, and what its files hold.

    Attributes
    ----------
    name, title
        Name on the command line, and one line of description.
    licence, citation
        Terms as its publisher states them, and the work to cite.
    rate
        Samples a second.
    channels
        Channels of a sample.
    units
        What one count is, as published.
    classes
        Class names; labels index them.
    sessions
        Names of the sittings of each person.
    page
        Where a person reads about it; empty where nothing is published.
    files
        Address that the paths of its checksum list are appended to; empty for a set that is not
        published file by file, or asks for registration: people get it from its page.
    computed
        The set has no files: it is computed.
    left_out
        People that are loaded only when named, with the reason.
    caveat
        What no figure on this set can say, to be told beside each; empty for nothing.
    """

    name: str
    title: str
    licence: str
    citation: str
    rate: float
    channels: int
    units: str
    classes: tuple[str, ...]
    sessions: tuple[str, ...]
    page: str = ""
    files: str = ""
    computed: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    caveat: str = ""

    def recording(
        self,
        samples: npt.NDArray[np.int16],
        labels: int | npt.NDArray[np.int16],
        path: Path,
        *,
        subject: str,
        session: str = "1",
        repetition: int = 0,
        condition: str = "",
    ) -> Recording:
        """Make a recording of this set.

        Parameters
        ----------
        samples
            int16, shape (n, channels): counts.
        labels
            Class of every sample, shape (n,), or one of all.
        path
            File that they came from.
        subject, session, repetition, condition
            See `Recording`.
        """
        if isinstance(labels, int):
            labels = np.full(len(samples), labels, np.int16)
        return Recording(
            samples=samples,
            rate=self.rate,
            units=self.units,
            labels=labels,
            classes=self.classes,
            subject=subject,
            session=session,
            repetition=repetition,
            source=str(path),
            condition=condition,
        )


class Reader(Protocol):
    """What reads a data set: a module, or an object where several sets are read alike."""

    @property
    def DATASET(self) -> DataSet:  # noqa: N802 - the modules' own name for it
        """What is known of the set."""

    def subjects(self, folder: Path) -> list[str]:
        """Names of the people in `folder`."""

    def load(self, folder: Path, subject: str) -> list[Recording]:
        """Read the recordings of one person."""
