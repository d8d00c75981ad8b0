"""Files of arrays and of clinical formats."""

import json
import struct
from pathlib import Path

import numpy as np

from signal_kinds.kind import (
    BY_RATE,
    COUNTS,
    LABELED_RUNS,
    LABELS,
    RATE,
    TIMES,
    Kind,
)


def _npy(path: Path) -> None:
    np.save(path, COUNTS)


def _npz(path: Path) -> None:
    np.savez(path, samples=COUNTS, grip=LABELS)


def _hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["session/emg"] = COUNTS


def _matlab(path: Path) -> None:
    from scipy.io import savemat

    savemat(path, {"emg": COUNTS, "fs": 500.0}, do_compression=True)


def _edf(path: Path) -> None:
    import edfio

    signals = [
        edfio.EdfSignal.from_digital(
            channel, 500, label=f"EMG {k}", physical_dimension="uV",
            physical_range=(-32.768, 32.767), digital_range=(-32768, 32767),
        )
        for k, channel in enumerate(COUNTS[:500].T.copy())
    ]  # fmt: skip
    edfio.Edf(signals).write(path)


def _edf_with_offset(path: Path) -> None:
    """An EDF as MNE exports: the physical range is that of the data, far from 0."""
    import edfio

    signals = [
        edfio.EdfSignal.from_digital(
            channel, 500, label=f"EMG {k}", physical_dimension="uV",
            physical_range=(0, 65535), digital_range=(-32768, 32767),
        )
        for k, channel in enumerate(COUNTS[:500].T.copy())
    ]  # fmt: skip
    edfio.Edf(signals).write(path)


def _wfdb(path: Path) -> None:
    import wfdb

    wfdb.wrsamp(
        path.stem, fs=RATE, units=["mV"] * 4, sig_name=list("abcd"), fmt=["16"] * 4,
        d_signal=COUNTS.astype(np.int64), adc_gain=[1000] * 4, baseline=[0] * 4,
        write_dir=str(path.parent),
    )  # fmt: skip


def _brainvision(path: Path) -> None:
    channels = "".join(f"Ch{k}=E{k},,0.5,uV\n" for k in range(1, 5))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=file.eeg\n"
        "MarkerFile=file.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        "NumberOfChannels=4\nSamplingInterval=2000\n[Binary Infos]\nBinaryFormat=INT_16\n"
        f"[Channel Infos]\n{channels}"
    )
    path.with_suffix(".eeg").write_bytes(COUNTS.astype("<i2").tobytes())
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0\nMk2=Stimulus,fist,101,100,0\n"
    )


def _epn(path: Path) -> None:
    trials = {
        f"idx_{k}": {
            "gestureName": "fist" if k % 2 else "open",
            "emg": {f"ch{c + 1}": column.tolist() for c, column in enumerate(part.T)},
        }
        for k, part in enumerate(np.split(np.hstack([COUNTS, COUNTS]), 6))
    }
    path.write_text(json.dumps({"userInfo": {"name": "user7"}, "trainingSamples": trials}))


def _xdf(path: Path) -> None:
    """Chunks of the XDF specification 1.0: header, a stream's header, its samples and footer."""

    def chunk(tag: int, content: bytes) -> bytes:
        body = struct.pack("<H", tag) + content
        return struct.pack("<BI", 4, len(body)) + body

    stream = struct.pack("<I", 1)
    names = "".join(f"<channel><label>E{k}</label><unit>uV</unit></channel>" for k in range(4))
    header = (
        "<?xml version='1.0'?><info><name>EMG</name><type>EMG</type><channel_count>4"
        "</channel_count><nominal_srate>500</nominal_srate><channel_format>int16</channel_format>"
        f"<desc><channels>{names}</channels></desc></info>"
    )
    samples = b"".join(
        struct.pack("<Bd", 8, 10 + t) + row.astype("<i2").tobytes()
        for t, row in zip(TIMES.tolist(), COUNTS, strict=True)
    )
    path.write_bytes(
        b"XDF:"
        + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
        + chunk(2, stream + header.encode())
        + chunk(3, stream + struct.pack("<BI", 4, len(COUNTS)) + samples)
        + chunk(6, stream + b"<?xml version='1.0'?><info></info>")
    )


KINDS: tuple[Kind, ...] = (
    Kind("NumPy array", _npy, BY_RATE, suffix=".npy"),
    Kind("NPZ with labels", _npz, LABELED_RUNS, recordings=6, suffix=".npz"),
    Kind("HDF5", _hdf5, BY_RATE, suffix=".h5"),
    Kind("MATLAB 5", _matlab, {"rate_column": "fs"}, suffix=".mat"),
    Kind("EDF", _edf, samples=COUNTS[:500], suffix=".edf"),
    Kind("EDF whose zero is beyond 16 bits", _edf_with_offset, samples=COUNTS[:500], suffix=".edf"),
    Kind("WFDB", _wfdb, suffix=".hea"),
    Kind("BrainVision", _brainvision, recordings=1, suffix=".vhdr"),
    Kind(
        "EPN-612",
        _epn,
        rate=200.0,
        samples=np.hstack([COUNTS, COUNTS]),
        recordings=6,
        suffix=".json",
    ),
    Kind("XDF", _xdf, suffix=".xdf"),
)
