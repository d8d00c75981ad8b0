"""CMSIS-DSP's C sources, from the pinned ``cmsisdsp`` sdist, in the user's cache.

``EDGEBIO_CMSIS_DSP`` names a checkout or an unpacked sdist to use instead.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.processes.programs import run_program

VERSION = "1.10.3"
SHA256 = "307d32298faa7c58db912851027fce35f886fec7eb1a27c4b309ce1a97f47519"

RFFT_Q15 = (
    "Source/TransformFunctions/arm_rfft_q15.c",
    "Source/TransformFunctions/arm_cfft_q15.c",
    "Source/TransformFunctions/arm_cfft_radix4_q15.c",
    "Source/TransformFunctions/arm_bitreversal.c",
    "Source/TransformFunctions/arm_bitreversal2.c",
    "Source/BasicMathFunctions/arm_shift_q15.c",
)
"""Sources of ``arm_rfft_q15`` and all that it calls, without the tables."""

MVE_TABLES = "Source/CommonTables/arm_mve_tables.c"
"""Twiddle factors in the order of Helium's butterflies."""

TABLES = ("Source/CommonTables/arm_common_tables.c", "Source/CommonTables/arm_const_structs.c")
"""CMSIS-DSP's constant tables, for FFTs of every length."""


def source() -> Path:
    """Folder with CMSIS-DSP's ``Include``, ``PrivateInclude`` and ``Source``, fetched on first use.

    Raises
    ------
    EdgebioError
        If the sdist cannot be downloaded, or is not the pinned one.
    """
    checkout = os.environ.get("EDGEBIO_CMSIS_DSP")
    if checkout:
        if not (Path(checkout) / RFFT_Q15[0]).is_file():
            raise EdgebioError(f"EDGEBIO_CMSIS_DSP={checkout}: no CMSIS-DSP there ({RFFT_Q15[0]})")
        return Path(checkout)
    if not _cache_folder().is_dir():
        _fetch(_cache_folder())
    return _cache_folder()


def is_cached() -> bool:
    """Whether the sources have been fetched."""
    return _cache_folder().is_dir()


def _cache_folder() -> Path:
    return storage.cache() / f"cmsis-dsp-{VERSION}"


def include() -> list[Path]:
    """Folders of CMSIS-DSP's headers."""
    return [source() / name for name in ("Include", "PrivateInclude")]


def _fetch(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=storage.cache(), prefix=".cmsis-dsp-") as scratch:
        archive = _download(Path(scratch))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != SHA256:
            raise EdgebioError(f"{archive.name}: SHA-256 {digest}, expected {SHA256}; not used")
        with tarfile.open(archive) as tar:
            pattern = re.compile(rf"cmsisdsp-{VERSION}/(Include|PrivateInclude|Source|LICENSE)")
            members = [member for member in tar if pattern.match(member.name)]
            # Python before 3.11.4 has no filters; the pinned archive is safe without.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            tar.extractall(scratch, members=members, **safe)  # type: ignore[arg-type]
        try:
            (Path(scratch) / f"cmsisdsp-{VERSION}").rename(target)
        except OSError:
            if not target.is_dir():  # unless another process was first
                raise


def _download(folder: Path) -> Path:
    """Download the sdist with pip, which knows the user's index, proxy and certificates."""
    arguments = ["download", "--no-deps", "--no-binary", "cmsisdsp", f"cmsisdsp=={VERSION}"]
    problem = ""
    for pip in _pips():
        result = run_program(*pip, *arguments, "-q", "-d", folder)
        for archive in folder.glob("cmsisdsp-*.tar.gz"):
            return archive
        lines = result.error_lines
        problem = next((line for line in lines if "ERROR" in line), " ".join(lines)[:200])
    if not problem:
        raise MissingToolError("pip is needed to fetch CMSIS-DSP: sudo apt-get install python3-pip")
    raise EdgebioError(
        f"cannot fetch cmsisdsp {VERSION} ({problem}); go online, or set EDGEBIO_CMSIS_DSP to a "
        "checkout of CMSIS-DSP"
    )


def _pips() -> Iterator[list[str]]:
    """Commands that run pip: this Python's own first, which a virtual environment may lack."""
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        path = shutil.which(name)
        if path:
            yield [path]


@cache
def table(name: str) -> npt.NDArray[np.int32]:
    """Integer table of CMSIS-DSP by its name in C, such as ``realCoefAQ15``: int32, shape (n,)."""
    text = _tables_text(MVE_TABLES if name.startswith("rearranged") else TABLES[0])
    match = re.search(rf"\b{re.escape(name)}\[[^\]]*\][^=;]*=\s*\{{(.*?)\}};", text, re.DOTALL)
    if not match:
        raise EdgebioError(f"CMSIS-DSP {VERSION} has no table {name}")
    body = re.sub(r"/\*.*?\*/|//[^\n]*|\([a-z0-9_]+\)", "", match.group(1), flags=re.DOTALL)
    numbers = [int(number, 0) for number in re.findall(r"-?(?:0[xX][0-9a-fA-F]+|\d+)", body)]
    values = np.array(numbers, dtype=np.int64)
    if "q15" in name.lower():
        values = (values & 0xFFFF ^ 0x8000) - 0x8000
    return values.astype(np.int32)


@cache
def _tables_text(name: str) -> str:
    return (source() / name).read_text(errors="replace")
