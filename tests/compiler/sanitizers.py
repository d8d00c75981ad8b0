"""Flags of the sanitizers, and the kernels compiled with them."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from edgebio import storage
from edgebio.processes import host_compiler

KERNELS = storage.assets("firmware_assets") / "kernels"
STRICT = (
    *host_compiler.STRICT, "-Wshadow", "-Wconversion", "-Wmissing-prototypes", "-Wpedantic",
)  # fmt: skip
SANITIZED = (*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")


def compile_sanitized(sources: Iterable[Path], *include: Path) -> list[Path]:
    """Objects of some C files with the address and undefined-behavior sanitizers."""
    compile_one = partial(
        host_compiler.compile_object, include=[*include, KERNELS], flags=SANITIZED
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_one, sources))
