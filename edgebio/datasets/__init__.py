"""Named data sets: one file each, read from a folder of the user or from the cache."""

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from edgebio import progress, storage
from edgebio.datasets.dataset import DataSet, Reader
from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally
from edgebio.recordings.preprocessing import unify_classes
from edgebio.recordings.recording import Recording
from edgebio.recordings.recordings_file import read_recordings_file
from edgebio.suggest import nearest

__all__ = ["DataSet", "get", "load", "locate", "names", "subjects"]

_MODULES = {
    "emg-3dc": "emg_3dc",
    "emg-myo-grips10": "emg_myo_grips10",
    "emg-contraction-intensity": "emg_contraction_intensity",
    "emg-myo-transfer7": "emg_myo_transfer7",
    "emg-uci-gestures": "emg_uci_gestures",
    "emg-uci-basic-hand": "emg_uci_basic_hand",
    "emg-grabmyo": "emg_grabmyo",
    "emg-amputee-grips6": "emg_amputee_grips6",
    "emg-electrode-shift": "emg_electrode_shift",
    "emg-minimal-training": "emg_minimal_training",
    "emg-multiday": "emg_multiday",
    "ecg-mitbih": "ecg_mitbih",
    "ecg-ptb": "ecg_ptb",
    "ecg-ptb-sample": "ecg_ptb",
    "ecg-heartbeat-mitbih": "ecg_heartbeat",
    "ecg-heartbeat-ptb": "ecg_heartbeat",
    "eeg-bonn": "eeg_bonn",
    "ninapro-db1": "ninapro",
    "ninapro-db2": "ninapro",
    "ninapro-db3": "ninapro",
    "ninapro-db5": "ninapro",
    "ninapro-db7": "ninapro",
    "emg-synthetic": "emg_synthetic",
}


def names() -> list[str]:
    """Names of the data sets."""
    return list(_MODULES)


def get(name: str) -> DataSet:
    """Describe a data set of `names`, or a recordings file (.npz) or a folder of them by path."""
    if not _is_path(name):
        return _reader(name).DATASET
    recordings = _read_files(name)
    first = recordings[0]
    return DataSet(
        name=name,
        title=f"recordings in {Path(name).name}",
        license="the user's own",
        citation="",
        rate=first.rate,
        channels=first.channels,
        units=first.units,
        classes=first.classes,
        sessions=tuple(dict.fromkeys(r.session for r in recordings)),
    )


def locate(name: str, root: str | Path | None = None) -> Path | None:
    """Find the folder ``<folder of data sets>/<name>``; None where there is none.

    Only `root` is searched as a folder of data sets if it is given; otherwise the folder that
    ``EDGEBIO_DATA`` names, then the cache of ``edgebio data fetch``.
    """
    if root is not None:
        roots = [Path(root)]
    else:
        variable = os.environ.get("EDGEBIO_DATA")
        if variable and not Path(variable).is_dir():
            raise EdgebioError(f"EDGEBIO_DATA={variable}: no such folder")
        roots = [*([Path(variable)] if variable else []), storage.cache("data")]
    return next((r / name for r in roots if (r / name).is_dir()), None)


def subjects(name: str, root: str | Path | None = None) -> list[str]:
    """List the subjects of a data set that are on this machine, in natural order."""
    reader = _reader(name)
    folder = locate(name, root)
    if folder is None and not reader.DATASET.computed:
        return []
    return sort_naturally(reader.list_subjects(folder or Path()))


def load(
    name: str, root: str | Path | None = None, subjects: Sequence[str] | None = None
) -> list[Recording]:
    """Load the recordings of a data set.

    Parameters
    ----------
    name
        One of `names`, or the path of a recordings file (.npz) or of a folder of such files.
    root
        Folder of data sets; see `locate`.
    subjects
        Names of the subjects to load; all but the set's ``excluded_subjects`` if None.

    Returns
    -------
    list of Recording
        By subject, session and repetition, in the data set's order.

    Raises
    ------
    EdgebioError
        Where a name is unknown, or files are missing or damaged.
    """
    if _is_path(name):
        recordings = _read_files(name)
        chosen = _choose(name, [r.subject for r in recordings], subjects, {})
        return [r for r in recordings if r.subject in chosen]
    reader = _reader(name)
    description = reader.DATASET
    fetching = f": run `edgebio data fetch {name}`" if description.download_url else ""
    folder = Path() if description.computed else locate(name, root)
    if folder is None:
        raise EdgebioError(
            (f"{root} has no folder {name}" if root else f"{name} is not on this machine")
            + (fetching or f": get it from {description.page}")
            + f", or point EDGEBIO_DATA or --data at the folder that holds {name}/"
        )
    chosen = _choose(name, reader.list_subjects(folder), subjects, description.excluded_subjects)
    if not chosen:
        raise EdgebioError(f"{folder}: no recordings of {name}{fetching}")
    return [
        recording
        for subject in progress.track(chosen, f"reading {name}")
        for recording in reader.read_subject(folder, subject)
    ]


def _is_path(name: str) -> bool:
    """Whether a name is that of a recordings file, or of a folder with some."""
    return str(name).endswith(".npz") or (
        name not in _MODULES and any(Path(name).glob("*.npz")) and Path(name).is_dir()
    )


def _read_files(name: str) -> list[Recording]:
    """Recordings of a file, or of all files of a folder, with one list of classes."""
    path = Path(name)
    if not path.is_dir():
        return read_recordings_file(path)
    files = {file.name: file for file in path.glob("*.npz")}
    recordings = [r for key in sort_naturally(files) for r in read_recordings_file(files[key])]
    return unify_classes(recordings)


def _reader(name: str) -> Reader:
    if name not in _MODULES:
        raise EdgebioError(
            f"no data set {name!r}{nearest(str(name), _MODULES)}; there are {', '.join(_MODULES)}, "
            "or give the .npz file of `edgebio data import`"
        )
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return cast(Reader, getattr(module, "READERS", {}).get(name, module))


def _choose(
    name: str, present: Sequence[str], requested: Sequence[str] | None, excluded: Mapping[str, str]
) -> list[str]:
    """Subjects to load, in natural order, or in the order of `requested`."""
    available = sort_naturally(present)
    if requested is None:
        return [subject for subject in available if subject not in excluded]
    if isinstance(requested, str):
        raise EdgebioError(f"subjects={requested!r}; expected a list of names: [{requested!r}]")
    chosen = list(dict.fromkeys(map(str, requested)))
    for subject in chosen:
        if subject not in available:
            hint = nearest(subject, available)
            raise EdgebioError(
                f"{name} has no subject {subject!r} here; it has {', '.join(available)}{hint}"
            )
    return chosen
