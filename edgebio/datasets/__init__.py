"""Named data sets: one short file each, read from a folder of the user's or from the cache."""

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from edgebio import progress, storage
from edgebio.datasets.dataset import DataSet, Reader
from edgebio.errors import EdgebioError
from edgebio.recordings import files
from edgebio.recordings.order import natural
from edgebio.recordings.recording import Recording

__all__ = ["DataSet", "get", "load", "locate", "names", "people"]

_MODULES = {
    "emg-3dc": "emg_3dc",
    "emg-myo-grips10": "emg_myo_grips10",
    "emg-contraction-intensity": "emg_contraction_intensity",
    "emg-myo-transfer7": "emg_myo_transfer7",
    "emg-uci-gestures": "emg_uci_gestures",
    "emg-uci-basic-hand": "emg_uci_basic_hand",
    "emg-grabmyo": "emg_grabmyo",
    "emg-amputee-grips6": "emg_amputee_grips6",
    "ecg-mitbih": "ecg_mitbih",
    "ecg-ptb": "ecg_ptb",
    "ecg-ptb-sample": "ecg_ptb_sample",
    "ecg-heartbeat-mitbih": "ecg_heartbeat_mitbih",
    "ecg-heartbeat-ptb": "ecg_heartbeat_ptb",
    "eeg-bonn": "eeg_bonn",
    "ninapro-db1": "ninapro",
    "ninapro-db2": "ninapro",
    "ninapro-db3": "ninapro",
    "ninapro-db5": "ninapro",
    "ninapro-db7": "ninapro",
    "emg-synthetic": "synthetic",
}


def names() -> list[str]:
    """Names of the data sets that edgebio knows."""
    return list(_MODULES)


def get(name: str) -> DataSet:
    """Describe a data set.

    Parameters
    ----------
    name
        A name of `names`, or the path of a file that ``edgebio data import`` made.

    Raises
    ------
    EdgebioError
        Where there is none of that name.
    """
    if name.endswith(".npz"):
        return _of_file(Path(name), files.load(Path(name)))
    return _reader(name).DATASET


def locate(name: str, root: Path | None = None) -> Path | None:
    """Folder that holds the files of a data set.

    Parameters
    ----------
    name
        A name of `names`.
    root
        Folder of data sets that the user named; looked at alone if given. Otherwise the folder
        that ``EDGEBIO_DATA`` names is looked at, then what ``edgebio data fetch`` has brought.

    Returns
    -------
    Path or None
        ``<folder of data sets>/<name>``; None where it is nowhere.

    Raises
    ------
    EdgebioError
        Where ``EDGEBIO_DATA`` names a folder that does not exist.
    """
    variable = os.environ.get("EDGEBIO_DATA")
    if variable and not root and not Path(variable).is_dir():
        raise EdgebioError(f"EDGEBIO_DATA={variable}: no such folder")
    roots = [root] if root else [Path(variable)] if variable else []
    if not root:
        roots.append(storage.cache("data"))
    return next((r / name for r in roots if (r / name).is_dir()), None)


def people(name: str, root: Path | None = None) -> list[str]:
    """List the people of a data set that are on this machine, in natural order."""
    reader = _reader(name)
    folder = locate(name, root)
    if folder is None and not reader.DATASET.computed:
        return []
    return natural(reader.subjects(folder or Path()))


def load(
    name: str, root: Path | None = None, subjects: Sequence[str] | None = None
) -> list[Recording]:
    """Load the recordings of a data set.

    Parameters
    ----------
    name
        A name of `names`, or the path of a file that ``edgebio data import`` made.
    root
        Folder of data sets; see `locate`.
    subjects
        People to load; all but the set's ``left_out`` if None.

    Returns
    -------
    list of Recording
        By person, session and repetition, in the data set's order.

    Raises
    ------
    EdgebioError
        Where the files are missing or damaged, or a person is not among them; one line that names
        the file and what was expected.
    """
    if name.endswith(".npz"):
        everything = files.load(Path(name))
        chosen = _chosen(name, [r.subject for r in everything], subjects, {})
        return [r for r in everything if r.subject in chosen]
    reader = _reader(name)
    description = reader.DATASET
    folder = Path()
    if not description.computed:
        found = locate(name, root)
        if found is None:
            where = f"{root} has no folder {name}" if root else f"{name} is not on this machine"
            how = (
                f"run `edgebio data fetch {name}`"
                if description.files
                else f"get it from {description.page}"
            )
            raise EdgebioError(
                f"{where}: {how}, or point EDGEBIO_DATA or --data at the folder that holds {name}/"
            )
        folder = found
    chosen = _chosen(name, reader.subjects(folder), subjects, description.left_out)
    if not chosen:
        how = f": run `edgebio data fetch {name}`" if description.files else ""
        raise EdgebioError(f"{folder}: no recordings of {name}{how}")
    return [
        r
        for person in progress.track(chosen, f"reading {name}")
        for r in reader.load(folder, person)
    ]


def _reader(name: str) -> Reader:
    if name not in _MODULES:
        raise EdgebioError(
            f"no data set {name!r}; there are {', '.join(_MODULES)}, or give a .npz file that "
            "`edgebio data import` made"
        )
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return cast(Reader, getattr(module, "READERS", {}).get(name, module))


def _chosen(
    name: str, here: Sequence[str], wanted: Sequence[str] | None, left_out: Mapping[str, str]
) -> list[str]:
    """People to load, in natural order, or as `wanted` has them."""
    known = natural(here)
    if wanted is None:
        return [person for person in known if person not in left_out]
    for person in wanted:
        if person not in known:
            raise EdgebioError(f"{name} has no subject {person!r} here; it has {', '.join(known)}")
    return list(dict.fromkeys(wanted))


def _of_file(path: Path, recordings: Sequence[Recording]) -> DataSet:
    first = recordings[0]
    return DataSet(
        name=str(path),
        title=f"recordings imported into {path.name}",
        licence="the user's own",
        citation="",
        rate=first.rate,
        channels=first.channels,
        units=first.units,
        classes=first.classes,
        sessions=tuple(dict.fromkeys(r.session for r in recordings)),
    )
