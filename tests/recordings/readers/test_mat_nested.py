"""Structs and cells of MATLAB files: read by path, checked before anything is allocated."""

import contextlib
import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, load_recordings
from edgebio.recordings.readers.mat5 import Mat5File

COUNTS = np.random.default_rng(0).integers(-99, 99, (40, 3)).astype(np.int16)
OPTIONS = ImportOptions(rate=500)

leaves = st.one_of(
    st.integers(1, 5).map(lambda n: np.arange(n * 3.0).reshape(n, 3)),
    st.text("abcxyz", min_size=1, max_size=5),
    st.floats(-9, 9, width=32).map(float),
)
values = st.recursive(
    leaves,
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3),
    max_leaves=6,
)


def leaf_paths(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    return {path: leaf for key, own in value.items()
            for path, leaf in leaf_paths(own, f"{name}.{key}").items()}  # fmt: skip


@given(values)
def test_structs_are_listed_by_path(value: Any) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    file = io.BytesIO()
    savemat(file, {"v": {"x": value}}, do_compression=True)
    file.seek(0)
    listed = Mat5File(file).read_nested("v")
    expected = leaf_paths(value, "v.x")
    assert listed.keys() == expected.keys()
    for path, leaf in expected.items():
        if isinstance(leaf, str):
            assert str(listed[path].item()) == leaf
        else:
            np.testing.assert_array_equal(listed[path], np.atleast_2d(leaf))


def part(kind: int, body: bytes, claimed: int | None = None) -> bytes:
    size = len(body) if claimed is None else claimed
    return struct.pack("<II", kind, size) + body + bytes(-len(body) % 8)


def matrix(kind: int, shape: tuple[int, int], *parts: bytes) -> bytes:
    body = part(6, struct.pack("<II", kind, 0)) + part(5, struct.pack("<ii", *shape))
    return part(14, body + part(1, b"emg") + b"".join(parts))


NUMBERS = matrix(6, (40, 3), part(9, COUNTS.T.astype("<f8").tobytes()))
HOSTILE = {
    "too many cells": matrix(1, (1 << 30, 1), NUMBERS),
    "a part that claims more": matrix(1, (1, 1), part(14, b"", 1 << 30)),
    "numbers that are not there": matrix(1, (1, 1), matrix(6, (1 << 15, 1 << 15), part(9, b""))),
    "a struct without names": matrix(2, (1, 1), part(5, b"\0\0\0\0"), part(1, b"")),
    "cells in cells": matrix(1, (1, 1), *[matrix(1, (1, 1))] * 3),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_cells_allocate_nothing(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("scipy.io")
    path = tmp_path / "x.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + HOSTILE[kind])
    tracemalloc.start()
    try:
        with contextlib.suppress(EdgebioError):
            load_recordings(path, options=OPTIONS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_cells_written_byte_by_byte_are_read(tmp_path: Path) -> None:
    pytest.importorskip("scipy.io")
    path = tmp_path / "x.mat"
    cells = matrix(1, (1, 2), NUMBERS, NUMBERS)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + cells)
    recordings = load_recordings(path, options=OPTIONS)
    assert len(recordings) == 2
    for recording in recordings:
        np.testing.assert_array_equal(recording.samples, COUNTS)
