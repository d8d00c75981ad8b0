"""Executed instructions, counted exactly by a plugin of the emulator: the same in every run."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.boards import emulator
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import elf
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler

Table = npt.NDArray[np.int64]


def plugin() -> Path | None:
    """Build the counting plugin, once; None where it or the emulator's support cannot be had."""
    if not emulator.takes_plugins():
        return None
    source = storage.assets("firmware_assets") / "emulator" / "count.c"
    target = storage.cache("emulator") / f"count-{storage.sha256(source)[:16]}.so"
    if not target.exists():
        try:
            cc = host_compiler.find_compiler()
        except MissingToolError:
            return None
        with storage.replacing(target) as temporary:
            run_compiler(
                cc,
                *host_compiler.STRICT,
                "-O2",
                "-shared",
                "-fPIC",
                "-o",
                str(temporary),
                str(source),
            )
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
    plugin_file
        The plugin, by `plugin`.
    image
        The image that the job runs.
    marks
        Stretch that begins at each function, by the function's name; stretch 0 comes before all.
    job
        Runs the image; takes more options of QEMU.

    Returns
    -------
    by_function : ndarray of int64 (n, 4)
        Rows of stretch, function (1 + its place in ``image.functions``; 0 for none), instructions,
        and how often the stretch began.
    by_address : ndarray of int64 (n, 4)
        Rows of stretch, address of an instruction, how often it was executed, and how often
        another one than that behind it came next.

    Raises
    ------
    EdgebioError
        Where the image lacks a marked function.
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
