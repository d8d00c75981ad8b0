"""The kernels' C under the flags of other people's builds."""

import shutil

import pytest

from edgebio import storage
from edgebio.processes import host_compiler

KERNELS = sorted((storage.assets("firmware_assets") / "kernels").glob("*.c"))
M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
CORES = {
    "m0": ("-mcpu=cortex-m0plus", "-mthumb"),
    "m4": M4,
    "m33": ("-mcpu=cortex-m33", "-mthumb"),
    "m55": ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
}


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    "flags", ["-O0 -fno-omit-frame-pointer", "-Os", "-O3", "-O2 -fno-omit-frame-pointer -fPIC"]
)
def test_any_build_compiles_them(core: str, flags: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Registers are scarce where a frame pointer or a table of addresses takes one."""
    gcc = shutil.which("arm-none-eabi-gcc")
    if not gcc:
        pytest.skip("no arm-none-eabi-gcc: sudo apt-get install gcc-arm-none-eabi")
    assert KERNELS
    for source in KERNELS:
        target = str(tmp_path / "kernel.o")
        more = (*host_compiler.STRICT, "-Wshadow", "-Wconversion", "-Wpedantic", *flags.split())
        host_compiler.run(gcc, *CORES[core], *more, "-c", str(source), "-o", target)
