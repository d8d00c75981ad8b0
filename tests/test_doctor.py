"""The doctor sees what is there and what is not, by taking things away from it."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio import doctor
from edgebio.cli import main


def finding(name: str) -> doctor.Finding:
    return {f.name: f for f in doctor.examine()}[name]


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave no tool on the path but what the test puts into this folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


def without(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Give packages other versions, or (None) take them away."""
    real = metadata.version

    def version(name: str) -> str:
        changed = versions.get(name.replace("-", "_"), "")
        if changed is None:
            raise metadata.PackageNotFoundError(name)
        return changed or real(name)

    monkeypatch.setattr(metadata, "version", version)


def test_python_and_core_packages_are_those_of_this_machine() -> None:
    assert finding("Python").ok
    packages = finding("packages")
    assert packages.ok
    assert f"numpy {metadata.version('numpy')}" in packages.status


def test_every_missing_tool_comes_with_the_line_that_installs_it(bare: Path) -> None:
    findings = {f.name: f for f in doctor.examine()}
    assert findings["C compiler"].remedy == "sudo apt-get install gcc"
    for name in ("Arm compiler", "newlib"):
        assert "gcc-arm-none-eabi libnewlib-arm-none-eabi" in findings[name].remedy
    assert findings["emulator"].remedy == "sudo apt-get install qemu-system-arm"
    assert not any(findings[n].ok for n in ("C compiler", "Arm compiler", "newlib", "emulator"))
    assert not findings["openocd"].needed


def test_an_arm_compiler_without_its_library_is_seen(bare: Path) -> None:
    tool(
        bare, "arm-none-eabi-gcc", 'case "$1" in --version) echo gcc 1;; *) echo nano.specs;; esac'
    )
    assert finding("Arm compiler").status == "gcc 1"
    assert not finding("newlib").ok
    assert "libnewlib-arm-none-eabi" in finding("newlib").remedy
    tool(bare, "arm-none-eabi-gcc", "echo /somewhere/nano.specs")
    assert finding("newlib").ok


def test_an_emulator_that_lacks_a_board_is_seen(bare: Path) -> None:
    tool(
        bare,
        "qemu-system-arm",
        'case "$1" in --version) echo QEMU 1;; *) echo mps2-an386  ARM; echo virt  V;; esac',
    )
    result = finding("emulator")
    assert not result.ok
    assert "netduinoplus2" in result.status
    assert "mps2-an386" not in result.status


def test_a_tool_that_hangs_or_fails_does_not_stop_the_doctor(bare: Path) -> None:
    tool(bare, "cc", "exit 3")
    assert finding("C compiler").status == str(bare / "cc")


def test_keras_3_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, tensorflow="2.21.0", tf_keras=None)
    assert "Keras 3, on which tfmot breaks" in finding("Keras 2").status
    without(monkeypatch, tensorflow="2.21.0", tf_keras="2.20.1")
    assert not finding("Keras 2").ok
    without(monkeypatch, tensorflow="2.21.1", tf_keras="2.21.0")
    assert finding("Keras 2").ok
    without(monkeypatch, tensorflow=None)
    assert not finding("Keras 2").ok


def test_wrong_and_missing_packages_are_named_by_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, cmsisdsp="1.9.0", scipy=None, pyocd=None)
    verify = finding("packages [verify]")
    assert not verify.ok
    assert verify.needed
    assert "cmsisdsp 1.9.0 (required ==1.10.3)" in verify.status
    assert "scipy" in verify.status
    flash = finding("packages [flash]")
    assert not flash.ok
    assert not flash.needed


def test_a_cache_that_cannot_be_written_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.delenv("EDGEBIO_DATA", raising=False)
    result = finding("cache")
    assert not result.ok
    assert "EDGEBIO_CACHE" in result.remedy


def test_data_sets_are_found_where_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGEBIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EDGEBIO_DATA", str(tmp_path))
    assert finding("data emg-3dc").remedy == "edgebio data fetch emg-3dc"
    (tmp_path / "emg-3dc").mkdir()
    assert finding("data emg-3dc").status == str(tmp_path / "emg-3dc")
    assert finding("data emg-synthetic").ok
    monkeypatch.setenv("EDGEBIO_DATA", str(tmp_path / "none"))
    assert finding("data emg-3dc").status == f"EDGEBIO_DATA={tmp_path / 'none'}: no such folder"


def test_the_command_fails_with_its_document(bare: Path) -> None:
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert not document["ok"]
    findings = {f["name"]: f for f in document["findings"]}
    assert findings["emulator"]["remedy"].endswith("qemu-system-arm")
    assert "edgebio: missing or wrong: " in done.stderr
    lines = CliRunner().invoke(main, ["doctor"]).stdout
    assert "-> sudo apt-get install qemu-system-arm" in lines


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, edgebio.doctor as d; d.examine(); "
        "print([m for m in ('tensorflow', 'tf_keras', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
