"""Exact instruction counts by a plugin of QEMU: the same in every run."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.boards import qemu
from edgebio.errors import EdgebioError
from edgebio.firmware import elf
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler

Table = npt.NDArray[np.int64]


def plugin() -> Path | None:
    """Build the counting plugin once; None if QEMU takes no plugins or there is no C compiler."""
    if not qemu.takes_plugins() or not host_compiler.is_available():
        return None
    source = storage.assets("firmware_assets") / "emulator" / "count.c"
    target = storage.cache("emulator") / f"count-{storage.sha256(source)[:16]}.so"
    if not target.exists():
        flags = (*host_compiler.STRICT, "-O2", "-shared", "-fPIC")
        with storage.replacing(target) as temporary:
            run_compiler(host_compiler.find_compiler(), *flags, "-o", temporary, source)
    return target


def run(
    plugin_file: Path,
    image: elf.Image,
    marks: Mapping[str, int],
    job: Callable[[Sequence[str]], object],
) -> tuple[Table, Table]:
    """Run a job under the plugin.

    Parameters
    ----------
    marks
        Stretch of the program that begins at each function, by name; it starts in stretch 0.
    job
        Runs the image with more options of QEMU.

    Returns
    -------
    by_function : ndarray of int64 (n, 4)
        Rows of stretch, function (1 + index in ``image.functions``; 0 for none), instructions, and
        how often the stretch began.
    by_address : ndarray of int64 (n, 4)
        Rows of stretch, address of an instruction, executions, and how often another instruction
        than the following one was executed next.

    """
    lines = [f"function {f.address:x} {f.size:x}" for f in image.functions]
    for name, stretch in marks.items():
        symbol = image.symbol(name)
        if symbol is None:
            raise EdgebioError(f"{image.path.name} lacks {name}: cannot count its instructions")
        lines.append(f"mark {symbol.address:x} {stretch:x}")
    with tempfile.TemporaryDirectory(prefix="edgebio-bench-") as scratch:
        listing, counts, each = (Path(scratch) / name for name in ("map", "counts", "each"))
        listing.write_text("\n".join(lines) + "\n")
        job(("-plugin", f"file={plugin_file},map={listing},out={counts},each={each}"))
        return np.loadtxt(counts, np.int64, ndmin=2), np.loadtxt(each, np.int64, ndmin=2)
