"""Every C header names its license, may be read twice, and compiles alone, as C and as C++."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgebio import boards, csource, storage
from edgebio.compiler import SPEED
from edgebio.firmware import sources, toolchain
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


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def faults(path: Path) -> list[str]:
    """What a header lacks."""
    text = path.read_text()
    guard = re.search(r"^#ifndef (EB_\w+_H|EDGEBIO\w*_H)\n#define \1\n", text, re.MULTILINE)
    opened, closed = '#ifdef __cplusplus\nextern "C" {\n#endif\n', "#ifdef __cplusplus\n}\n#endif\n"
    plain = text.replace("\\\n", " ").replace(opened, "").replace(closed, "")
    declares = DECLARATION.search(re.sub(r"/\*.*?\*/", "", plain, flags=re.DOTALL))
    wrong = []
    if not text.startswith(csource.NOTICE):
        wrong.append("license")
    if not guard or not text.endswith("\n#endif\n"):
        wrong.append("include guard")
    if (text.count(opened), text.count(closed)) != ((1, 1) if declares else (0, 0)):
        wrong.append('extern "C" around what is declared, and nowhere else')
    includes = list(re.finditer(r"^#include.*\n", text, re.MULTILINE))
    if opened in text and any(i.start() > text.index(opened) for i in includes):
        wrong.append('includes before extern "C"')
    return wrong


@dataclass
class Tree:
    """Sources of an image, and of its front end's vendor, in one folder."""

    sources: sources.Sources

    def find(self, name: str) -> Path:
        found = [
            self.sources.root / folder / name
            for folder in self.sources.include
            if (self.sources.root / folder / name).exists()
        ]
        assert found, name
        return found[0]

    def compile(self, header: Path, compiler: str, *flags: str) -> str:
        """What a compiler says of a file with little in it but this header, twice."""
        root = self.sources.root
        include = [f"-I{root / folder}" for folder in self.sources.include]
        include += [f"-isystem{root / folder}" for folder in self.sources.system]
        done = subprocess.run(
            [compiler, *flags, *STRICT, *include, "-"],
            input=f'#include "{header}"\n#include "{header}"\ntypedef int alone;\n',
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr


@pytest.fixture(scope="module")
def tree(emg_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Of an image that traces, so that no header of the application is missing."""
    folder = tmp_path_factory.mktemp("sources")
    board = boards.load("mps2-an386")
    return Tree(sources.write(folder, emg_model, board, "link", "trace", SPEED))


def test_every_c_file_names_its_license() -> None:
    assert len(C_FILES) > 80
    assert [
        named(path) for path in C_FILES if not path.read_text().startswith(csource.NOTICE)
    ] == []


@pytest.mark.parametrize("header", OWN, ids=named)
def test_a_header_is_framed(header: Path) -> None:
    assert faults(header) == []


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_header_is_framed(tree: Tree, name: str) -> None:
    assert faults(tree.find(name)) == []


def test_headers_of_models_without_a_front_end_are_framed(tmp_path: Path) -> None:
    frontend_firmware.write(tmp_path, None, None, helium=False)
    assert faults(tmp_path / "frontend_config.h") == []


@pytest.mark.parametrize("compiler", LANGUAGES)
def test_headers_compile_alone_on_the_host(tree: Tree, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    headers = [*OWN, *map(tree.find, GENERATED)]
    core = next(flag for flag in tree.sources.flags if "EB_CORE_CLASS_DSP" in flag)
    said = {path.name: tree.compile(path, compiler, *LANGUAGES[compiler], core) for path in headers}
    assert {name: text for name, text in said.items() if text} == {}


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("compiler", LANGUAGES)
def test_headers_compile_alone_for_the_target(tree: Tree, compiler: str, core: str) -> None:
    """Those that look at what the core has."""
    if not shutil.which(f"arm-none-eabi-{compiler}"):
        pytest.skip(f"no arm-none-eabi-{compiler}")
    flags = (f"-mcpu={core}", "-mthumb", *LANGUAGES[compiler])
    rooms = [ASSETS / room for room in ("kernels", "link", "ports")]
    said = {
        path.name: tree.compile(path, toolchain.tool(compiler), *flags)
        for path in OWN
        if any(path.is_relative_to(room) for room in rooms)
    }
    assert {name: text for name, text in said.items() if text} == {}
