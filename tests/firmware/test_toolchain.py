"""The cross-compiler: objects by content, errors in one line."""

from pathlib import Path

import pytest

from edgebio.errors import EdgebioError
from edgebio.firmware import toolchain
from edgebio.firmware.toolchain import Unit
from edgebio.processes import programs

FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-O2", "-Werror", "-Wall", "-I.")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "objects"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.h").write_text("#define A 1\n")
    (folder / "a.c").write_text('#include "a.h"\nint a(void);\nint a(void) { return A; }\n')
    return folder


def compiled(folder: Path, *flags: str) -> Path:
    (path,) = toolchain.compile_all([Unit(Path("a.c"), (*FLAGS, *flags))], folder)
    return path


def test_object_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compiled(folder)
    commands: list[tuple[str, ...]] = []
    run = programs.run_compiler

    def watched(*command: str, folder: Path | None = None) -> str:
        commands.append(command)
        return run(*command, folder=folder)

    monkeypatch.setattr(toolchain, "run_compiler", watched)
    assert compiled(folder) == first
    assert not [command for command in commands if "-c" in command]


def test_name_of_an_object_depends_on_its_inputs(folder: Path) -> None:
    first = compiled(folder)
    assert compiled(folder, "-DB=1") != first
    (folder / "a.h").write_text("#define A 2\n")
    assert compiled(folder) != first
    (folder / "a.h").write_text("#define A 1\n")
    assert compiled(folder) == first


def test_object_does_not_depend_on_the_folder(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    folder.rename(other)
    first = compiled(other, "-g")
    other.rename(folder)
    assert compiled(folder, "-g") == first
    assert str(tmp_path).encode() not in first.read_bytes()


def test_error_is_one_line_with_its_place(folder: Path, store: Path) -> None:
    (folder / "a.c").write_text("int a(void);\nint a(void) { int unused; return b; }\n")
    with pytest.raises(EdgebioError, match=r"gcc failed: a\.c:2:\d+: error: 'b' undeclared") as e:
        compiled(folder)
    assert "\n" not in str(e.value)
    assert list(store.iterdir()) == []


def test_missing_header_is_reported(folder: Path) -> None:
    (folder / "a.h").unlink()
    with pytest.raises(EdgebioError, match=r"a\.c:1:\d+: fatal error: a\.h"):
        compiled(folder)


def test_least_recently_used_object_is_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = compiled(folder, "-DOLD")
    new = compiled(folder, "-DNEW")
    import os

    os.utime(old, (1, 1))
    monkeypatch.setattr(toolchain, "_CACHE_BYTES", old.stat().st_size * 5 // 2)
    newest = compiled(folder, "-DNEWEST")
    assert not old.exists()
    assert new.exists()
    assert newest.exists()
