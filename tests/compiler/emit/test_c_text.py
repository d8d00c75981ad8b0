"""Constant arrays as C: what the compiler reads are the values, in lists and in strings."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from edgebio.compiler.emit.c_text import array_text, is_string
from edgebio.compiler.ir.kernel_call import Array
from edgebio.processes import host_compiler

LIMITS = {"int8_t": (-128, 127), "int16_t": (-(2**15), 2**15 - 1), "int32_t": (-(2**31), 2**31 - 1)}


@pytest.mark.parametrize(
    ("ctype", "size"),
    [("int8_t", 1), ("int8_t", 37), ("int8_t", 70_001), ("int16_t", 70_001), ("int32_t", 25)],
)
def test_a_compiler_reads_the_values(ctype: str, size: int, tmp_path: Path) -> None:
    low, high = LIMITS[ctype]
    values = np.random.default_rng(size).integers(low, high, size, endpoint=True)
    values[0] = low
    array = Array("weights", ctype, tuple(values.tolist()), "some values")
    assert is_string(array) == (size > 65_536 and ctype == "int8_t")
    text = array_text(array, "weights")
    assert max(map(len, text.splitlines())) <= 100
    source = tmp_path / "array.c"
    source.write_text(
        f"#include <stdint.h>\n#include <string.h>\n{text}void copy(void *to);\n"
        f"void copy(void *to)\n{{\n    memcpy(to, weights, {size} * sizeof *weights);\n}}\n"
    )
    copied = np.zeros(size, ctype.removesuffix("_t"))
    host_compiler.load_library("array", [source]).copy(ctypes.c_void_p(copied.ctypes.data))
    assert (copied == values).all()
