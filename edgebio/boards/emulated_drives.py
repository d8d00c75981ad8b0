"""Drives that emulated boards show in their boot loaders: folders of this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from edgebio import storage


def root() -> Path:
    """Folder with a folder of drives for each emulator, named after its process id."""
    return storage.cache("drives")


def mounted() -> Iterator[Path]:
    """Drives of emulators that run; those of others are deleted."""
    for folder in sorted(root().iterdir()):
        if folder.name.isdecimal() and _runs(int(folder.name)):
            yield from sorted(folder.iterdir())
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
