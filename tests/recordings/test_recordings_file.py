"""edgebio's own NPZ: what is saved is loaded, damage is one line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, load_recordings, save_recordings
from edgebio.recordings.recordings_file import read_recordings_file

from .files import recording


def same(a: Recording, b: Recording) -> bool:
    fields = ("rate", "units", "classes", "subject", "session", "repetition", "source")
    return (
        all(getattr(a, name) == getattr(b, name) for name in fields)
        and np.array_equal(a.samples, b.samples)
        and np.array_equal(a.labels, b.labels)
        and (
            np.array_equal(a.beats, b.beats)
            if a.beats is not None and b.beats is not None
            else a.beats is b.beats
        )
    )


def beats(n: int, every: int) -> np.ndarray | None:
    """Beats of a recording; not annotated for every third number."""
    return None if every % 3 == 0 else np.arange(0, n, every, dtype=np.int64)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(-1, 2), st.text(max_size=5)),
        min_size=1,
        max_size=5,
    )
)
def test_saved_recordings_are_loaded_unchanged(
    tmp_path_factory: pytest.TempPathFactory, content: list[tuple[int, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("npz") / "r.npz"
    # NumPy's fixed-width text cannot hold trailing NULs; names have none.
    written = [
        recording(n, label, n, subject=name.rstrip("\0"), beats=beats(n, 1 + n % 7))
        for n, label, name in content
    ]
    save_recordings(path, written)
    result = load_recordings(path)
    assert all(same(a, b) for a, b in zip(result, written, strict=True))


def test_recordings_that_differ_do_not_go_into_one_file(tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"rate 200\.0, but somewhere/x.csv has 500\.0"):
        save_recordings(tmp_path / "r.npz", [recording(), recording(rate=200.0)])
    with pytest.raises(EdgebioError, match="no recordings to write"):
        save_recordings(tmp_path / "r.npz", [])
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_rate_is_refused(tmp_path: Path) -> None:
    path = save_recordings(tmp_path / "r.npz", [recording()])
    assert len(load_recordings(path, 500.0)) == 1
    with pytest.raises(EdgebioError, match=r"r\.npz: recorded at 500 Hz, not 200 Hz"):
        load_recordings(path, 200)


def test_any_damage_is_refused_in_one_line(tmp_path: Path) -> None:
    """Cuts and flipped bits: an `EdgebioError`, or a correct file where they do no harm."""
    path = tmp_path / "r.npz"
    save_recordings(path, [recording(40), recording(30, 1)])
    intact = path.read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for case in range(300):
        body = bytearray(intact[: rng.integers(0, len(intact))] if case % 3 == 0 else intact)
        for _ in range(case % 3):
            body[rng.integers(len(body))] ^= 1 << int(rng.integers(8))
        path.write_bytes(body)
        try:
            read_recordings_file(path)
        except EdgebioError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert not [m for m in messages if "\n" in m or not ("r.npz" in m or "somewhere" in m)]


def test_another_npz_is_refused_with_the_command_that_imports_it(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, samples=np.zeros((4, 2), np.int16))
    with pytest.raises(EdgebioError, match=r"not a recordings file; .*edgebio data import"):
        read_recordings_file(path)
    path.write_text("1,2\n")
    with pytest.raises(EdgebioError, match="not an NPZ file, or cut"):
        read_recordings_file(path)
    with pytest.raises(EdgebioError, match="no such file"):
        read_recordings_file(tmp_path / "none.npz")


def test_beats_that_do_not_match_the_recordings_are_refused(tmp_path: Path) -> None:
    path = save_recordings(tmp_path / "r", [recording(50, beats=np.array([3, 9]))])
    with np.load(path) as file:
        arrays = dict(file)
    for counts in ([3], [-2], [2, 0]):
        np.savez(path, **{**arrays, "beat_counts": np.array(counts)})
        with pytest.raises(EdgebioError, match="do not add up to the 2 beats of 1"):
            load_recordings(path)
    del arrays["beat_counts"]
    np.savez(path, **arrays)
    assert load_recordings(path)[0].beats is None
