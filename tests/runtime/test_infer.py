import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.runtime.infer import load


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04"])
def test_inputs_that_are_no_array_are_refused(tmp_path, content):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(EdgebioError, match=r"not a \.npy array"):
        load(path)


def test_pickled_inputs_are_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(EdgebioError, match=r"not a \.npy array"):
        load(path)
