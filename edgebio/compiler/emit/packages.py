"""Layouts of the generated C for other build systems: CMake, Arduino, Zephyr, PlatformIO.

Each has a folder of templates: the files that tell the build system about the sources, and an
example. Nothing depends on the machine or the date: the same model gives the same bytes.
"""

from pathlib import Path
from typing import Final, Literal, get_args

import jinja2

from edgebio.compiler.ir.program import Program

Package = Literal["cmake", "arduino", "zephyr", "platformio"]
"""Layouts: sources with a CMakeLists.txt, or a library of one of the three."""

PACKAGES: Final = get_args(Package)

_TEMPLATES: Final = Path(__file__).parent / "templates"


def sources_folder(package: Package) -> str:
    """Folder of the C files inside a package; "" for its top."""
    return "" if package == "cmake" else "src"


def package_files(package: Package, program: Program) -> dict[str, str]:
    """Text of the files that a package has besides the C files, by path."""
    environment = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    values = {"sources": ["model.c", *program.kernel_sources], "sha256": program.graph.sha256}
    root = _TEMPLATES / package
    return {
        path.relative_to(root).with_suffix("").as_posix(): environment.from_string(
            path.read_text("utf-8")
        ).render(values)
        for path in sorted(root.rglob("*.jinja"))
    }
