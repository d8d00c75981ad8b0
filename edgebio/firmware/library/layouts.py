"""Layouts of a library for build systems: CMake, Arduino, Zephyr, PlatformIO, CMSIS-Pack.

Each has a folder of templates: the files that tell the build system about the sources, and an
example. Nothing depends on the machine or the date: the same model gives the same bytes.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Literal, get_args

import jinja2

from edgebio.firmware.library.names import Names

Package = Literal["cmake", "arduino", "zephyr", "platformio", "cmsis-pack"]
"""Build systems that a library can be for."""

PACKAGES: Final[tuple[Package, ...]] = get_args(Package)

VERSION: Final = "1.0.0"
"""Version of every library, as the build systems require one."""

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = "PREFIX"  # in the names of templates
_VENDOR: Final = "edgebio"


def layout_files(
    package: Package,
    names: Names,
    sources: Mapping[PurePosixPath, str],
    *,
    whole: bool,
    sha256: str,
) -> dict[PurePosixPath, str]:
    """Text of the files that a library has besides its sources, by path.

    `whole`: with front end and decision, not the network alone.
    """
    environment = jinja2.Environment(
        keep_trailing_newline=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    values = {
        "name": names.prefix,
        "macro": names.macro,
        "header": names.header.name,
        "sources": sorted(str(path) for path in sources if path.suffix == ".c"),
        "headers": sorted(str(path) for path in sources if path.suffix in (".h", ".inc")),
        "whole": whole,
        "sentence": (
            "Front end, int8 network and decision for biosignals as C"
            if whole
            else "An int8 network as C"
        ),
        "sha256": sha256,
        "version": VERSION,
        "vendor": _VENDOR,
    }
    files = {}
    # The Arduino IDE compiles examples of its own form only.
    kinds = (package,) if package == "arduino" else ("common", package)
    for root in (_TEMPLATES / kind for kind in kinds):
        for path in sorted(root.rglob("*.jinja")):
            name = path.relative_to(root).with_suffix("").as_posix().replace(_NAME, names.prefix)
            text = environment.from_string(path.read_text("utf-8")).render(values)
            if text.strip():
                files[PurePosixPath(name)] = text
    return files


def pack(names: Names, files: Mapping[PurePosixPath, bytes]) -> tuple[PurePosixPath, bytes]:
    """Name and bytes of a CMSIS-Pack: a ZIP file of all files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(str(path)), content, zipfile.ZIP_DEFLATED)
    return PurePosixPath(f"{_VENDOR}.{names.prefix}.{VERSION}.pack"), data.getvalue()
