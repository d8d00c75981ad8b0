"""`tools/setup` refuses a wrong Python before it touches anything, and installs by uv or by pip."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What the script calls that is real here, and what it only looks for.
REAL = ("bash", "basename", "cat", "cp", "dirname", "id", "mkdir", "nproc", "realpath", "rm", "sed")
THERE = {"cc": "", "c++": "", "qemu-system-arm": "", "arm-none-eabi-gcc": "echo /nano.specs"}

# Stand-ins write down how they were called and install nothing. Python's brings uv by pip where a
# file `offer` lies beside it, and answers with the real interpreter whatever is not about packages.
NOTE = 'echo "$(basename "$0") $*" >>"$NOTES"'
UV = f"""
case $1 in
  --version) echo "uv 9.9.9 (somewhere)" ;;
  venv) {NOTE}; for last; do :; done
    mkdir -p "$last/bin"; cp "$SHIMS/python3" "$last/bin/python" ;;
  pip) {NOTE}; echo "cmake $CMAKE_BUILD_PARALLEL_LEVEL index $UV_DEFAULT_INDEX" >>"$NOTES"
    cat "$DIST_EXTRA_CONFIG" >>"$NOTES"; exit "${{UV_EXITS_WITH:-0}}" ;;
esac
"""
PYTHON = f"""
case $* in
  *pip*" --version" | *sysconfig* | *"import edgebio"*) ;;
  *pip*" config get "*) echo "$INDEX_OF_PIP" ;;
  *pip*" --target "*) {NOTE}; [ -e "$SHIMS/offer" ] || exit 1
    for folder; do [ "$before" != --target ] || break; before=$folder; done
    mkdir -p "$folder/bin"; cp "$SHIMS/offer" "$folder/bin/uv" ;;
  *"pip "*) {NOTE} ;;
  "-m venv "*) {NOTE}; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  *) exec "$REAL_PYTHON" "$@" ;;
esac
"""


@dataclass
class Machine:
    """A PATH of stand-ins in a folder, and an environment to be made in it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    def put(self, name: str, script: str) -> None:
        path = self.folder / "shims" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def setup(self) -> list[str]:
        """Run the script, which must succeed: its lines on stderr."""
        shims = self.folder / "shims"
        done = subprocess.run(
            [shims / "bash", ROOT / "tools" / "setup", self.venv],
            env={
                "PATH": str(shims), "SHIMS": str(shims), "NOTES": str(self.folder / "notes"),
                "REAL_PYTHON": sys.executable, **self.variables,
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()

    def calls(self) -> list[str]:
        """Calls since the last look, and the settings in the environment of uv."""
        notes = self.folder / "notes"
        lines = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """It has what edgebio needs of the system, but neither uv nor Node."""
    machine = Machine(tmp_path)
    (tmp_path / "shims").mkdir()
    for name in REAL:
        path = shutil.which(name)
        assert path, name
        (tmp_path / "shims" / name).symlink_to(path)
    for name, script in {**THERE, "python3": PYTHON}.items():
        machine.put(name, script)
    return machine


def refused(python: Path, folder: Path) -> str:
    done = subprocess.run(
        [ROOT / "tools" / "setup", folder],
        env={**os.environ, "PYTHON": str(python)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not folder.exists()
    return done.stderr


@pytest.mark.parametrize("version", ["2, 7", "3, 9", "3, 10", "3, 14"])
def test_a_python_of_another_version_is_refused(version: str, tmp_path: Path) -> None:
    """The stand-in runs the script's own code with another version in sys."""
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\nexec python3 -c "import sys; '
        f'sys.version_info = ({version}, 0, \'final\', 0); exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    printed = refused(python, tmp_path / "venv")
    plain = version.replace(", ", ".")
    assert f"{python} is Python {plain}; edgebio runs on 3.11 to 3.13" in printed
    assert printed.count("\n") == 1


def test_a_missing_python_is_reported(tmp_path: Path) -> None:
    printed = refused(tmp_path / "none", tmp_path / "venv")
    assert "none is no Python; edgebio runs on 3.11 to 3.13" in printed


def test_pip_installs_uv_and_uv_installs_the_packages(machine: Machine) -> None:
    machine.put("offer", UV)
    creating, with_pip, installing, done = machine.setup()
    venv = machine.venv
    assert creating.startswith(f"setup: creating {venv} with Python 3.")
    assert with_pip == f"setup: installing uv into {venv}/uv"
    assert installing == f"setup: installing edgebio and its packages into {venv} with uv 9.9.9"
    assert done.startswith("setup: done in ")
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    created, pip_call, installed, *environment = machine.calls()
    assert created == f"python3 -m venv {venv}"
    assert f"pip --disable-pip-version-check install -q --upgrade --target {venv}/uv uv" in pip_call
    assert installed == (
        f"uv pip install --compile-bytecode --python {venv}/bin/python -e .[all,dev]"
    )
    assert environment == [f"cmake {cores} index ", "[build_ext]", f"parallel = {cores}"]


def test_uv_on_the_path_is_used_without_pip(machine: Machine) -> None:
    machine.put("uv", UV)
    assert not any("installing uv" in line for line in machine.setup())
    created, installed, *_ = machine.calls()
    assert created.startswith("uv venv -q --python ")
    assert installed.startswith("uv pip install ")


def test_uv_uses_the_index_of_pip(machine: Machine) -> None:
    machine.put("offer", UV)
    machine.variables["INDEX_OF_PIP"] = "file:///mirror"
    machine.setup()
    assert any(line.endswith("index file:///mirror") for line in machine.calls())


def test_without_uv_pip_installs_and_says_so(machine: Machine) -> None:
    printed = machine.setup()
    assert any("uv could not be installed; installing edgebio" in line for line in printed)
    assert machine.calls()[-1] == "python -m pip --disable-pip-version-check install -e .[all,dev]"


def test_if_uv_fails_pip_installs_and_says_so(machine: Machine) -> None:
    machine.put("uv", UV)
    machine.variables["UV_EXITS_WITH"] = "1"
    printed = machine.setup()
    assert any("uv failed; installing edgebio" in line for line in printed)
    assert machine.calls()[-1] == "python -m pip --disable-pip-version-check install -e .[all,dev]"


def test_a_second_call_is_silent_and_quick(machine: Machine) -> None:
    machine.put("offer", UV)
    machine.setup()
    machine.calls()
    began = time.monotonic()
    assert machine.setup() == []
    assert time.monotonic() - began < 10
    assert machine.calls() == []


def test_uv_is_installed_once(machine: Machine) -> None:
    """Where the packages are installed anew, as after a change of pyproject.toml."""
    machine.put("offer", UV)
    machine.setup()
    (machine.venv / ".edgebio-setup").write_text("of before")
    machine.calls()
    installing, done = machine.setup()
    assert installing.startswith("setup: installing edgebio")
    assert done.startswith("setup: done")
    assert machine.calls()[0].startswith("uv pip install ")
