"""MATLAB files: structs, cells, text, tables, trials; and Parquet and other arrays."""

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np

from signal_kinds.kind import COUNTS, LABELS, LSB, RATE, VOLTS, Kind

_BY_RATE = {"rate": RATE}
_TRIALS = COUNTS.reshape(6, 100, 4)
_CLASSES = LABELS[::100]
_STIMULUS = np.repeat([[0], [1], [0], [1], [2], [1]], 100, axis=0)


def _mat(**content: Any):  # type: ignore[no-untyped-def]
    def write(path: Path) -> None:
        from scipy.io import savemat

        savemat(path, content, do_compression=True)

    return write


def _cells(*items: Any) -> Any:
    cells = np.empty((1, len(items)), object)
    cells[0, :] = items
    return cells


def _struct_array() -> Any:
    records = np.zeros((1, 6), [("emg", object), ("label", object), ("fs", object)])
    for k, (trial, label) in enumerate(zip(_TRIALS, _CLASSES, strict=True)):
        records[0, k] = (trial, str(label), RATE)
    return records


def _table(path: Path) -> None:
    """An object of MATLAB: an element of class 17 (opaque), as ``table`` is stored."""

    def part(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    metadata = part(6, struct.pack("<II", 13, 0)) + part(5, struct.pack("<ii", 6, 1))
    metadata += part(1, b"") + part(6, struct.pack("<6I", 0xDD000000, 2, 1, 1, 1, 1))
    body = part(6, struct.pack("<II", 17, 0)) + part(1, b"t") + part(1, b"MCOS")
    body += part(1, b"table") + part(14, metadata)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + part(14, body))


def _text(group: Any, name: str, text: str) -> Any:
    codes = group.create_dataset(name, data=np.array([[ord(letter)] for letter in text], "u2"))
    codes.attrs["MATLAB_class"] = np.bytes_("char")
    return codes


def _struct_73(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        record = file.create_group("rec")
        record.attrs["MATLAB_class"] = np.bytes_("struct")
        record["emg"], record["fs"] = COUNTS.T.astype(np.float64), [[RATE]]
        _text(record, "label", "fist")


def _cells_73(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        store = file.create_group("#refs#")
        for name, items in (("emg", _TRIALS), ("label", _CLASSES)):
            references = []
            for k, item in enumerate(items):
                key = f"{name}{k}"
                if name == "emg":
                    store[key] = item.T
                else:
                    _text(store, key, str(item))
                references.append(store[key].ref)
            cells = np.array(references, h5py.ref_dtype).reshape(-1, 1)
            file.create_dataset(name, data=cells).attrs["MATLAB_class"] = np.bytes_("cell")


def _table_73(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        table = file.create_dataset("t", data=np.zeros((1, 6), "u4"))
        table.attrs["MATLAB_class"] = np.bytes_("table")


def _npz_of_trials(path: Path) -> None:
    np.savez(path, X=_TRIALS, y=_CLASSES, fs=RATE)


def _hdf5_with_attributes(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["a/emg"] = COUNTS
        file["a"].attrs["sampling_rate"] = RATE


def _parquet(path: Path) -> None:
    import pandas

    frame = pandas.DataFrame(VOLTS, columns=[f"emg {k} (mV)" for k in range(1, 5)])
    frame["gesture"] = LABELS
    frame.index = pandas.date_range("2024-03-01T23:59:59.5", periods=len(frame), freq="2ms")
    frame.to_parquet(path)


def _binary(path: Path) -> None:
    path.write_bytes(b"\0\1\2garbage")


_RUNS: dict[str, Any] = {"recordings": 6, "labels": LABELS}
_FIST = np.full(600, "fist")
KINDS: tuple[Kind, ...] = (
    Kind(
        "MATLAB struct",
        _mat(rec={"emg": COUNTS, "fs": RATE, "label": "fist"}),
        labels=_FIST,
        suffix=".mat",
    ),
    Kind("MATLAB array of structs", _mat(trials=_struct_array()), suffix=".mat", **_RUNS),
    Kind(
        "MATLAB cells",
        _mat(emg=_cells(*_TRIALS), labels=_cells(*_CLASSES)),
        _BY_RATE,
        suffix=".mat",
        **_RUNS,
    ),
    Kind(
        "MATLAB trials x samples x channels",
        _mat(emg=_TRIALS, y=np.array([0, 1, 0, 1, 2, 1])),
        {"rate": RATE, "classes": {"0": "rest", "1": "fist", "2": "open hand"}},
        suffix=".mat",
        **_RUNS,
    ),
    Kind(
        "MATLAB trials x channels x samples",
        _mat(emg=_TRIALS.swapaxes(1, 2)),
        _BY_RATE,
        suffix=".mat",
        refusal="expected trials x samples x channels",
    ),
    Kind(
        "MATLAB text as label",
        _mat(emg=COUNTS, gesture="fist", fs=RATE),
        labels=_FIST,
        suffix=".mat",
    ),
    Kind("MATLAB table", _table, suffix=".mat", refusal="in MATLAB, write it by writetable"),
    Kind("MATLAB 7.3 struct", _struct_73, labels=_FIST, suffix=".mat"),
    Kind("MATLAB 7.3 cells", _cells_73, _BY_RATE, suffix=".mat", **_RUNS),
    Kind("MATLAB 7.3 table", _table_73, suffix=".mat", refusal="in MATLAB, write it by writetable"),
    Kind(
        "Ninapro",
        _mat(
            emg=COUNTS * 1e-6,
            glove=COUNTS * 0.5,
            restimulus=_STIMULUS,
            stimulus=np.zeros((600, 1)),
            rerepetition=np.ones((600, 1)),
            subject=1,
        ),
        {
            "rate": RATE,
            "lsb": 1e-6,
            "units": "V",
            "classes": {"0": "rest", "1": "fist", "2": "open hand"},
        },
        suffix=".mat",
        **_RUNS,
    ),
    Kind(
        "CapgMyo",
        _mat(data=COUNTS * LSB, gesture=3, subject=7),
        {"rate": RATE, "lsb": LSB},
        labels=np.full(600, "3"),
        suffix=".mat",
    ),
    Kind("NPZ of trials, as for scikit-learn", _npz_of_trials, suffix=".npz", **_RUNS),
    Kind(
        "trials as a NumPy array",
        lambda path: np.save(path, _TRIALS),
        _BY_RATE,
        recordings=6,
        suffix=".npy",
    ),
    Kind("HDF5 with a rate as attribute", _hdf5_with_attributes, suffix=".h5"),
    Kind("Parquet", _parquet, {"lsb": LSB}, suffix=".parquet", **_RUNS)
    if importlib.util.find_spec("pyarrow")
    else Kind("Parquet", _binary, suffix=".parquet", refusal="pip install 'edgebio[parquet]'"),
    Kind("MNE's own format", _binary, suffix=".fif", refusal="write EDF from MNE"),
    Kind("EEGLAB", _binary, suffix=".set", refusal="write EDF from EEGLAB"),
    Kind("a binary file of no known kind", _binary, suffix=".bin", refusal="not text, and .bin is"),
    Kind("Excel", _binary, suffix=".xlsx", refusal="save the sheet as CSV"),
    Kind("pickle", _binary, suffix=".pkl", refusal="it may run anything when it is opened"),
)
