"""Debian's clang as a cross-compiler for Arm, with the C library of arm-none-eabi-gcc."""

import functools
import re
import shutil
import subprocess

import pytest


@functools.cache
def _include() -> str:
    """Folder of newlib's headers."""
    gcc = shutil.which("arm-none-eabi-gcc")
    if not gcc:
        pytest.skip("no arm-none-eabi-gcc, whose C library clang uses: make setup installs it")
    listing = subprocess.run(
        [gcc, "-E", "-v", "-xc", "/dev/null"], capture_output=True, text=True, check=True
    ).stderr
    folders = re.findall(r"^ (/\S+arm-none-eabi/include)$", listing, re.MULTILINE)
    return str(folders[-1])


def clang_for_arm() -> list[str]:
    """Command of clang for the target arm-none-eabi; skips the test where there is none."""
    clang = shutil.which("clang")
    if not clang:
        pytest.skip("no clang: sudo apt-get install clang")
    # Enumerations as small as those of gcc for Arm, whose C library is linked.
    return [clang, "--target=arm-none-eabi", "-fshort-enums", f"-isystem{_include()}"]
