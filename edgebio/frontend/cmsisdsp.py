"""CMSIS-DSP's own C: from the pinned ``cmsisdsp`` sdist, by SHA-256, into the user's cache.

``EDGEBIO_CMSIS_DSP`` names a checkout (or an unpacked sdist) to use instead.
"""

import hashlib
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
"""Sources of ``arm_rfft_q15`` and what they name, without the tables."""

MVE_TABLES = "Source/CommonTables/arm_mve_tables.c"
"""Twiddle factors in the order in which Helium's butterflies take them."""

TABLES = ("Source/CommonTables/arm_common_tables.c", "Source/CommonTables/arm_const_structs.c")
"""All of CMSIS-DSP's constant tables: the twiddle factors of every length."""

INCLUDE = ("Include", "PrivateInclude")


def source() -> Path:
    """Folder of CMSIS-DSP's C sources, fetched on first use.

    Returns
    -------
    Path
        A folder with ``Include``, ``PrivateInclude`` and ``Source``.

    Raises
    ------
    EdgebioError
        Where the sdist cannot be had, or is not the pinned one.
    """
    own = os.environ.get("EDGEBIO_CMSIS_DSP")
    if own:
        folder = Path(own)
        if not (folder / RFFT_Q15[0]).is_file():
            raise EdgebioError(f"EDGEBIO_CMSIS_DSP={own}: no CMSIS-DSP there ({RFFT_Q15[0]})")
        return folder
    folder = _home()
    if not folder.is_dir():
        _fetch(folder)
    return folder


def here() -> Path | None:
    """Folder of the sources where they have been fetched already; None before that."""
    return _home() if _home().is_dir() else None


def _home() -> Path:
    return storage.cache() / f"cmsis-dsp-{VERSION}"


def include() -> list[Path]:
    """Folders of CMSIS-DSP's headers."""
    return [source() / name for name in INCLUDE]


def _fetch(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=storage.cache(), prefix=".cmsis-dsp-") as scratch:
        archive = _download(Path(scratch))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != SHA256:
            raise EdgebioError(f"{archive.name}: SHA-256 {found}, expected {SHA256}; not used")
        with tarfile.open(archive) as tar:
            pattern = re.compile(rf"cmsisdsp-{VERSION}/(Include|PrivateInclude|Source|LICENSE)")
            wanted = [member for member in tar if pattern.match(member.name)]
            # Python before 3.11.4 knows no filter; the archive is the pinned one either way.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            tar.extractall(scratch, members=wanted, **safe)  # type: ignore[arg-type]
        unpacked = Path(scratch) / f"cmsisdsp-{VERSION}"
        try:
            unpacked.rename(target)
        except OSError:
            # Another process was first; what it put there is the same.
            if not target.is_dir():
                raise


def _download(folder: Path) -> Path:
    """Download the sdist through pip, which knows the user's index, proxy and certificates."""
    arguments = ["download", "--no-deps", "--no-binary", "cmsisdsp", f"cmsisdsp=={VERSION}"]
    problem = ""
    for pip in _pips():
        result = run_program(*pip, *arguments, "-q", "-d", folder)
        found = list(folder.glob("cmsisdsp-*.tar.gz"))
        if found:
            return found[0]
        errors = [line for line in result.error_lines if "ERROR" in line]
        problem = errors[0] if errors else result.stderr.strip()[:200]
    if not problem:
        raise MissingToolError("pip is needed to fetch CMSIS-DSP: sudo apt-get install python3-pip")
    raise EdgebioError(
        f"cannot fetch cmsisdsp {VERSION} ({problem}); go online, or set EDGEBIO_CMSIS_DSP to a "
        "checkout of CMSIS-DSP"
    )


def _pips() -> Iterator[list[str]]:
    """Ways to call pip: this Python's own first (a virtual environment may have none)."""
    own = [sys.executable, "-m", "pip"]
    if run_program(*own, "--version").returncode == 0:
        yield own
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found:
            yield [found]


@cache
def table(name: str) -> npt.NDArray[np.int32]:
    """Integer table of CMSIS-DSP by its C name, read from the source text.

    Parameters
    ----------
    name
        For example ``"realCoefAQ15"``.

    Returns
    -------
    ndarray
        int32, one-dimensional; 16-bit entries are sign-extended.
    """
    text = _tables_text(MVE_TABLES if name.startswith("rearranged") else TABLES[0])
    match = re.search(rf"\b{re.escape(name)}\[[^\]]*\][^=;]*=\s*\{{(.*?)\}};", text, re.DOTALL)
    if not match:
        raise EdgebioError(f"CMSIS-DSP {VERSION} has no table {name}")
    body = re.sub(r"/\*.*?\*/|//[^\n]*|\([a-z0-9_]+\)", "", match.group(1), flags=re.DOTALL)
    numbers = [int(word, 0) for word in re.findall(r"-?(?:0[xX][0-9a-fA-F]+|\d+)", body)]
    values = np.array(numbers, dtype=np.int64)
    if "q15" in name.lower():
        values = (values & 0xFFFF ^ 0x8000) - 0x8000
    return values.astype(np.int32)


@cache
def _tables_text(name: str) -> str:
    return (source() / name).read_text(errors="replace")
