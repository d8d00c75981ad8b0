"""What a data set is: its description, and how a module reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.recording import Recording


@dataclass(frozen=True)
class DataSet:
    """A named data set: origin, terms, and what its files hold.

    Attributes
    ----------
    name, title
        Name on the command line, and one line of description.
    license, citation
        Terms as the publisher states them, and the work to cite.
    rate, channels, units
        Sampling rate in Hz, number of channels, and meaning of one count, as published.
    classes, sessions
        Class names, which labels index; names of the sessions of each subject.
    page, download_url
        Web page about the set, and the address that the paths of the checksum list are appended to;
        empty where the set is not published file by file, or needs registration.
    subject_prefix
        Beginning of the paths of a subject's files, whose name takes the place of ``{subject}``;
        empty where paths do not tell.
    computed
        The set has no files: it is computed.
    excluded_subjects
        Subjects that are loaded only when named, with the reason.
    caveat
        A limit of every result on this set; empty for none.
    """

    name: str
    title: str
    license: str
    citation: str
    rate: float
    channels: int
    units: str
    classes: tuple[str, ...]
    sessions: tuple[str, ...] = ("1",)
    page: str = ""
    download_url: str = ""
    subject_prefix: str = ""
    computed: bool = False
    excluded_subjects: Mapping[str, str] = field(default_factory=dict)
    caveat: str = ""

    def recording(
        self,
        samples: npt.NDArray[np.int16],
        labels: int | npt.NDArray[np.int16],
        source: Path | str,
        *,
        subject: str,
        session: str = "1",
        repetition: int = 0,
        condition: str = "",
        beats: npt.NDArray[np.int64] | None = None,
    ) -> Recording:
        """Make a recording of this set; `labels` is the class of every sample, or one of all."""
        return Recording(
            samples=samples,
            rate=self.rate,
            units=self.units,
            labels=np.broadcast_to(labels, len(samples)).astype(np.int16),
            classes=self.classes,
            subject=subject,
            session=session,
            repetition=repetition,
            source=str(source),
            condition=condition,
            beats=beats,
        )


class Reader(Protocol):
    """What reads a data set: a module, or an object where one module reads several sets.

    Where a file is missing, misnamed, cut, or holds anything but what was published, it raises
    `EdgebioError`.
    """

    @property
    def DATASET(self) -> DataSet:  # noqa: N802 - a constant of the modules
        """Description of the set."""

    def list_subjects(self, folder: Path) -> list[str]:
        """Names of the subjects in `folder`, in any order."""

    def read_subject(self, folder: Path, subject: str) -> Iterable[Recording]:
        """Read the recordings of one subject."""


def by_file_name(paths: Iterable[Path]) -> dict[str, Path]:
    """Files by lower-case name, in natural order; a name in two folders is refused."""
    files: dict[str, Path] = {}
    for path in sorted(paths):
        other = files.setdefault(path.name.lower(), path)
        if other != path:
            raise EdgebioError(f"{path}: is also in {other.parent}")
    return {name: files[name] for name in sort_naturally(files)}
