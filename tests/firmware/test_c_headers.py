"""Every C header names its license, may be read twice, and compiles alone, as C and as C++."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgebio import boards, generated_c, storage
from edgebio.compiler import SPEED
from edgebio.firmware import sources, toolchain
from edgebio.firmware.source_tree import SourceTree
from edgebio.frontend import c_source as frontend_firmware

ROOT = Path(__file__).resolve().parents[2]
ASSETS = storage.assets("firmware_assets")
OWN = [*sorted(ASSETS.rglob("*.h")), *sorted((ROOT / "tests").rglob("*.h"))]
C_FILES = sorted(
    path for folder in (ASSETS, ROOT / "tests", ROOT / "tools") for path in folder.rglob("*.[ch]")
)
GENERATED = {
    "app_config.h": "app",
    "decision_config.h": "decision",
    "eb_board.h": "ports",
    "frontend_config.h": "frontend",
    "model.h": "model",
}
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only")
LANGUAGES = {"gcc": ("-xc", "-std=c11"), "g++": ("-xc++", "-std=c++17")}
DECLARATION = re.compile(r"^(?!#|//|/\*| \*|\s*$)", re.MULTILINE)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def faults(path: Path) -> list[str]:
    """Requirements that a header does not meet."""
    text = path.read_text()
    guard = re.search(r"^#ifndef (EB_\w+_H|EDGEBIO\w*_H)\n#define \1\n", text, re.MULTILINE)
    opened, closed = '#ifdef __cplusplus\nextern "C" {\n#endif\n', "#ifdef __cplusplus\n}\n#endif\n"
    plain = text.replace("\\\n", " ").replace(opened, "").replace(closed, "")
    declares = DECLARATION.search(re.sub(r"/\*.*?\*/", "", plain, flags=re.DOTALL))
    wrong = []
    if not text.startswith(generated_c.NOTICE):
        wrong.append("license")
    if not guard or not text.endswith("\n#endif\n"):
        wrong.append("include guard")
    if (text.count(opened), text.count(closed)) != ((1, 1) if declares else (0, 0)):
        wrong.append('extern "C" around declarations, and nowhere else')
    includes = list(re.finditer(r"^#include.*\n", text, re.MULTILINE))
    if opened in text and any(i.start() > text.index(opened) for i in includes):
        wrong.append('includes before extern "C"')
    return wrong


@dataclass
class Headers:
    """Headers of the sources of an image."""

    tree: SourceTree

    def find(self, name: str) -> Path:
        folders = [self.tree.root / folder for folder in self.tree.include]
        return next(folder / name for folder in folders if (folder / name).exists())

    def errors(self, header: Path, compiler: str, *flags: str) -> str:
        """Messages of a compiler for a file that includes a header twice."""
        root = self.tree.root
        include = [f"-I{root / folder}" for folder in self.tree.include]
        include += [f"-isystem{root / folder}" for folder in self.tree.system]
        include += [f"-I{folder}" for folder in sorted({p.parent for p in ASSETS.rglob("*.h")})]
        done = subprocess.run(
            [compiler, *flags, *STRICT, *include, "-"],
            input=f'#include "{header}"\n#include "{header}"\ntypedef int not_empty;\n',
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr


@pytest.fixture(scope="module")
def headers(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Headers:
    """Headers of an image that traces, which has all headers of the application."""
    folder = tmp_path_factory.mktemp("sources")
    board = boards.load("mps2-an386")
    return Headers(sources.write(folder, emg_model, board, "link", "trace", SPEED).tree)


def test_every_c_file_names_its_license() -> None:
    assert len(C_FILES) > 80
    unlicensed = [p for p in C_FILES if not p.read_text().startswith(generated_c.NOTICE)]
    assert [relative(path) for path in unlicensed] == []


@pytest.mark.parametrize("header", OWN, ids=relative)
def test_header_has_guard_and_c_linkage(header: Path) -> None:
    assert faults(header) == []


@pytest.mark.parametrize("name", GENERATED)
def test_generated_header_has_guard_and_c_linkage(headers: Headers, name: str) -> None:
    assert faults(headers.find(name)) == []


def test_header_of_a_model_without_a_front_end_has_a_guard(tmp_path: Path) -> None:
    frontend_firmware.write(tmp_path, None, None, helium=False)
    assert faults(tmp_path / "frontend_config.h") == []


@pytest.mark.parametrize("compiler", LANGUAGES)
def test_header_compiles_without_others_on_the_host(headers: Headers, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    flags = [*LANGUAGES[compiler], *(f for f in headers.tree.flags if f.startswith("-DEB_FFT"))]
    # A library's header needs those of the library; tests/firmware/library compiles it.
    own = [path for path in OWN if path.parent != ASSETS / "library"]
    paths = [*own, *map(headers.find, GENERATED)]
    errors = {path.name: headers.errors(path, compiler, *flags) for path in paths}
    assert {name: text for name, text in errors.items() if text} == {}


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("compiler", LANGUAGES)
def test_header_compiles_without_others_for_a_target(
    headers: Headers, compiler: str, cpu: str
) -> None:
    """Headers that depend on the CPU."""
    if not shutil.which(f"arm-none-eabi-{compiler}"):
        pytest.skip(f"no arm-none-eabi-{compiler}")
    flags = (f"-mcpu={cpu}", "-mthumb", *LANGUAGES[compiler])
    folders = [ASSETS / name for name in ("kernels", "link", "ports")]
    errors = {
        path.name: headers.errors(path, toolchain.tool(compiler), *flags)
        for path in OWN
        if any(path.is_relative_to(folder) for folder in folders)
    }
    assert {name: text for name, text in errors.items() if text} == {}
