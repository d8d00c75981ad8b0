"""The kernels compile with the flags of other builds."""

import shutil

import pytest

from edgebio import storage
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler

KERNELS = sorted((storage.assets("firmware_assets") / "kernels").glob("*.c"))
M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
CPUS = {
    "m0": ("-mcpu=cortex-m0plus", "-mthumb"),
    "m4": M4,
    "m33": ("-mcpu=cortex-m33", "-mthumb"),
    "m55": ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
}


@pytest.mark.slow
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize(
    "flags", ["-O0 -fno-omit-frame-pointer", "-Os", "-O3", "-O2 -fno-omit-frame-pointer -fPIC"]
)
def test_kernels_compile_with_any_flags(cpu: str, flags: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Registers are scarce if a frame pointer or a table of addresses takes one."""
    gcc = shutil.which("arm-none-eabi-gcc")
    if not gcc:
        pytest.skip("no arm-none-eabi-gcc: sudo apt-get install gcc-arm-none-eabi")
    assert KERNELS
    for source in KERNELS:
        target = str(tmp_path / "kernel.o")
        more = (*host_compiler.STRICT, "-Wshadow", "-Wconversion", "-Wpedantic", *flags.split())
        run_compiler(gcc, *CPUS[cpu], *more, "-c", str(source), "-o", target)
