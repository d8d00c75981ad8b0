"""MATLAB files: as SciPy reads them, and no memory beyond what the shape of a matrix needs."""

import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings.readers import mat

MIB = 1 << 20
BOMB = 160 * MIB
TYPES = {"f8": 9, "i2": 3, "u1": 2}  # numbers as a file has them: kind of part
DOUBLE, INT8 = 6, 1


def part(order: str, kind: int, body: bytes, claimed: int | None = None) -> bytes:
    size = len(body) if claimed is None else claimed
    return struct.pack(order + "II", kind, size) + body + bytes(-len(body) % 8)


def variable(order: str, name: bytes, shape: tuple[int, int], numbers: bytes) -> bytes:
    """An uncompressed element, byte by byte; `numbers` is a part."""
    head = part(order, 6, struct.pack(order + "II", DOUBLE, 0))
    head += part(order, 5, struct.pack(order + "ii", *shape)) + part(order, INT8, name)
    return struct.pack(order + "II", 14, len(head + numbers)) + head + numbers


def compressed(order: str, element: bytes, zeros: int = 0) -> bytes:
    """A compressed element with `zeros` bytes of 0 after it, made without holding them."""
    pack = zlib.compressobj(5)
    body = pack.compress(element) + b"".join(pack.compress(bytes(MIB)) for _ in range(zeros // MIB))
    body += pack.flush()
    return struct.pack(order + "II", 15, len(body)) + body


def written(path: Path, order: str, *elements: bytes) -> Path:
    mark = b"\0\1IM" if order == "<" else b"\1\0MI"
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(elements))
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("order", "<>")
def test_a_file_written_byte_by_byte_is_read(tmp_path, order, kind, packed) -> None:
    values = np.arange(24).reshape(8, 3)
    body = values.T.astype(order + kind).tobytes()
    elements = [
        variable(order, name, (8, 3), part(order, TYPES[kind], body)) for name in (b"a", b"b")
    ]
    if packed:
        elements = [compressed(order, element) for element in elements]
    path = written(tmp_path / "a.mat", order, *elements)
    assert mat.list_shapes(path) == {"a": (8, 3), "b": (8, 3)}
    result = mat.read_matrices(path, {"b": 3})
    assert list(result) == ["b"]
    np.testing.assert_array_equal(result["b"], values)


@given(
    st.dictionaries(
        st.from_regex("[a-z][a-z0-9_]{0,30}", fullmatch=True),
        st.tuples(
            st.sampled_from(["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]),
            st.integers(1, 70), st.integers(1, 70),
        ),
        min_size=1, max_size=4,
    ),
    st.booleans(),
    st.sampled_from(["4", "5"]),
)  # fmt: skip
def test_a_file_of_scipy_is_read(tmp_path_factory, arrays, packed, version) -> None:
    from scipy.io import savemat

    rng = np.random.default_rng(0)
    arrays = {
        name: rng.integers(0, 100, (rows, columns)).astype("f8" if version == "4" else kind)
        for name, (kind, rows, columns) in arrays.items()
    }
    path = tmp_path_factory.mktemp("mat") / "a.mat"
    savemat(path, arrays, format=version, do_compression=packed and version == "5")
    assert mat.list_shapes(path) == {name: values.shape for name, values in sorted(arrays.items())}
    result = mat.read_matrices(path, dict.fromkeys(arrays))
    for name, values in arrays.items():
        np.testing.assert_array_equal(result[name], values)


GOOD = variable("<", b"good", (10, 10), part("<", 9, np.ones(100).tobytes()))
LIE = variable("<", b"emg", (10, 10), part("<", 9, bytes(800), claimed=3 << 30))
LONG = struct.pack("<II", 9, BOMB)  # of a part that goes on for so long
BOMBS = {
    "more than 10 x 10 real numbers": compressed("<", variable("<", b"emg", (10, 10), LONG), BOMB),
    "a part claims 3,221,225,472 bytes": LIE,
    r"a part claims 3,221,225,472 bytes.*": compressed("<", LIE),
    "up to 268,435,456 numbers are read": compressed(
        "<", variable("<", b"emg", (1 << 30, 10), LONG), BOMB
    ),
    "compressed data are cut": compressed("<", GOOD.replace(b"good", b"emg\0"))[:-9],
    "more than 10,000 variables": GOOD * 10_001,
    "an element of kind 7": compressed("<", struct.pack("<II", 7, 8) + bytes(8)),
}


@pytest.mark.parametrize("message", BOMBS)
def test_no_memory_beyond_the_shape_is_allocated(tmp_path, message) -> None:
    path = written(tmp_path / "a.mat", "<", BOMBS[message])
    assert path.stat().st_size < 12 * MIB
    mat.read_matrices(written(tmp_path / "b.mat", "<", GOOD), {"good": 10})  # imports SciPy
    tracemalloc.start()
    try:
        with pytest.raises(EdgebioError, match=message) as caught:
            mat.read_matrices(path, {"emg": 10})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert peak < 24 * MIB


def test_a_compressed_bomb_beside_the_requested_matrix_is_not_inflated(tmp_path) -> None:
    bomb = compressed("<", variable("<", b"emg", (10, 10), LONG), BOMB)
    path = written(tmp_path / "a.mat", "<", bomb, compressed("<", GOOD))
    mat.read_matrices(written(tmp_path / "b.mat", "<", GOOD), {"good": 10})
    tracemalloc.start()
    try:
        assert mat.list_shapes(path) == {"emg": (10, 10), "good": (10, 10)}
        assert mat.read_matrices(path, {"good": 10})["good"].sum() == 100
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


def zipped(size: int) -> bytes:
    return compressed("<", b"", size)[8:]


def write_73(path: Path, bomb: str) -> Path:
    """A small matrix of version 7.3 for which HDF5 would allocate 160 MB."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    h5z = h5py.h5z
    with h5py.File(path, "w") as file:
        if bomb == "chunk":
            dataset = file.create_dataset("emg", (10, 10), "f8", chunks=(2000, 10_000),
                                       maxshape=(None, None), compression="gzip")  # fmt: skip
            dataset.id.write_direct_chunk((0, 0), zipped(BOMB))
        elif bomb == "stream":
            dataset = file.create_dataset(
                "emg", (10, 10), "f8", chunks=(10, 10), compression="gzip"
            )
            dataset.id.write_direct_chunk((0, 0), zipped(BOMB))
        else:
            how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            how.set_chunk((10, 10))
            for code in {"twice": (h5z.FILTER_DEFLATE,) * 2, "lzf": (h5z.FILTER_LZF,)}[bomb]:
                how.set_filter(code, 0, (6,))
            space = h5py.h5s.create_simple((10, 10))
            dataset = h5py.h5d.create(file.id, b"emg", h5py.h5t.IEEE_F64LE, space, how)
            dataset.write_direct_chunk((0, 0), zlib.compress(zipped(BOMB)))
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("bomb", "message"),
    [
        ("chunk", "emg is stored in chunks of 10000 x 2000 numbers"),
        ("stream", "emg: more in a chunk than 10 x 10 numbers"),
        ("twice", "compressed; expected gzip"),
        ("lzf", "compressed; expected gzip"),
    ],
)
def test_no_memory_for_chunks_that_inflate_to_more(tmp_path, bomb, message) -> None:
    path = write_73(tmp_path / "a.mat", bomb)
    assert path.stat().st_size < MIB
    script = """
import sys
from pathlib import Path
from typing import Any
import h5py
from edgebio.errors import EdgebioError
from edgebio.recordings.readers import mat
def peak():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
before = peak()
try:
    mat.read_matrices(Path(sys.argv[1]), {"emg": 10})
except EdgebioError as error:
    print(peak() - before, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    kibibytes, message_seen = done.stdout.rstrip("\n").split(" ", 1)
    assert message in message_seen
    assert str(path) in message_seen
    assert "\n" not in message_seen
    assert int(kibibytes) < 64 << 10


def test_legitimate_chunks_are_read(tmp_path) -> None:
    """Growing, noise that gzip cannot shrink, long constants, shuffled with a checksum."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "grows": np.ones((3, 5)),
        "noise": rng.random((4, 50_000)),
        "flat": np.zeros((4, 500_000), np.int16),
        "checked": rng.integers(-99, 99, (4, 100_000), np.int16),
        "steps": np.repeat(rng.integers(-99, 99, (4, 100_000), np.int16), 10, axis=1),
    }
    layouts: dict[str, dict[str, Any]] = {
        "grows": {"maxshape": (None, None)},
        "noise": {"chunks": (4, 50_000)},
        "flat": {"chunks": (4, 500_000)},
        "checked": {"chunks": (4, 50_000), "shuffle": True, "fletcher32": True},
        "steps": {"chunks": (4, 1_000_000)},
    }
    with h5py.File(tmp_path / "a.mat", "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values, compression="gzip", **layouts[name])
    result = mat.read_matrices(tmp_path / "a.mat", dict.fromkeys(arrays))
    for name, values in arrays.items():
        np.testing.assert_array_equal(result[name], values.T)
