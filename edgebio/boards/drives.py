"""Mounted drives."""

from collections.abc import Iterator
from pathlib import Path

from edgebio.boards import emulated_drives


def mounted() -> Iterator[Path]:
    """Folders at which drives are mounted, and those of emulated boards."""
    table = Path("/proc/mounts")
    if table.is_file():
        for line in table.read_text().splitlines():
            yield Path(line.split()[1].replace("\\040", " "))
    elif Path("/Volumes").is_dir():
        yield from Path("/Volumes").iterdir()
    yield from emulated_drives.mounted()
