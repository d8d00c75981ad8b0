"""What this machine has of what edgebio uses: looked at, never imported, fetched or changed."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from edgebio import boards, datasets, storage
from edgebio.boards import emulator
from edgebio.datasets import download
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import toolchain
from edgebio.frontend import cmsisdsp
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_program

_NEEDED_EXTRAS = ("train", "verify")
_LEFT_OUT_EXTRAS = ("all", "dev")
_SECONDS = 20.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name
        What it is.
    ok
        Whether it is here, in a version that works.
    found
        Version, place, or what is wrong with it.
    needed
        Whether the road from a recording to an emulated board needs it.
    remedy
        The line that installs or mends it; empty where all is well.
    """

    name: str
    ok: bool
    found: str
    needed: bool = True
    remedy: str = ""


def examine() -> list[Finding]:
    """Look for everything that edgebio uses, in the order in which the road needs it."""
    findings = [
        _python(),
        *_packages(),
        _keras(),
        _cache(),
        _tool("C compiler", host_compiler.find_compiler),
        _tool("Arm compiler", lambda: toolchain.tool("gcc")),
        _newlib(),
        _emulator(),
        _rp2040js(),
        _cmsis_dsp(),
        *_flashers(),
        *_data_sets(),
        _serial_ports(),
    ]
    return [replace(finding, remedy="") if finding.ok else finding for finding in findings]


def _python() -> Finding:
    wanted = SpecifierSet(metadata.metadata("edgebio")["Requires-Python"])
    here = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "Python",
        wanted.contains(here),
        f"{here}; wanted {wanted}",
        remedy=f"a Python {wanted}, then: make setup PYTHON=python3.12",
    )


def _packages() -> Iterator[Finding]:
    """Look at the packages of each extra, by the requirements that edgebio itself declares."""
    requirements = [Requirement(text) for text in metadata.requires("edgebio") or ()]
    core = [r for r in requirements if r.marker is None]
    yield _extra("", core, needed=True)
    for extra in metadata.metadata("edgebio").get_all("Provides-Extra") or ():
        if extra not in _LEFT_OUT_EXTRAS:
            wanted = [r for r in requirements if r.marker and r.marker.evaluate({"extra": extra})]
            yield _extra(extra, wanted, needed=extra in _NEEDED_EXTRAS)


def _extra(extra: str, wanted: list[Requirement], needed: bool) -> Finding:
    have, lack = [], []
    for requirement in wanted:
        version = _version(requirement.name)
        if version is None:
            lack.append(requirement.name)
        elif not requirement.specifier.contains(version, prereleases=True):
            lack.append(f"{requirement.name} {version} (wanted {requirement.specifier})")
        else:
            have.append(f"{requirement.name} {version}")
    return Finding(
        f"packages [{extra}]" if extra else "packages",
        not lack,
        f"lacking: {', '.join(lack)}" if lack else ", ".join(have),
        needed,
        _install(extra),
    )


def _install(extra: str) -> str:
    if (Path(__file__).resolve().parents[1] / "pyproject.toml").is_file():
        return "make setup"
    return f"pip install 'edgebio[{extra}]'" if extra else "pip install edgebio"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _keras() -> Finding:
    """Hold tf_keras against TensorFlow: tfmot works with Keras 2 only, which is tf_keras now."""
    tensorflow, keras = _version("tensorflow"), _version("tf_keras")
    remedy = _install("train")
    if not tensorflow:
        return Finding("Keras 2", False, "no TensorFlow to hold it against", remedy=remedy)
    if not keras:
        found = f"TensorFlow {tensorflow} without tf_keras: Keras 3, on which tfmot breaks"
        return Finding("Keras 2", False, found, remedy=remedy)
    ok = Version(tensorflow).release[:2] == Version(keras).release[:2]
    agree = "agree" if ok else "do not agree: one release line is wanted for both"
    found = f"tf_keras {keras} and TensorFlow {tensorflow} {agree}"
    return Finding("Keras 2", ok, found, remedy=remedy)


def _cache() -> Finding:
    try:
        folder = storage.cache()
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "cache",
            False,
            f"{error.filename or 'folder'}: {error.strerror}",
            remedy="export EDGEBIO_CACHE=<a folder that can be written>",
        )
    return Finding("cache", True, f"{folder}, {free / 1e9:.0f} GB free")


def _tool(name: str, find: Callable[[], str]) -> Finding:
    try:
        path = find()
    except MissingToolError as error:
        what, _, line = str(error).rpartition(": ")
        return Finding(name, False, what, remedy=line)
    return Finding(name, True, _first_line(path, "--version") or path)


def _first_line(*command: str) -> str:
    """First line that a tool prints; empty where it does not run."""
    try:
        result = run_program(*command, timeout=_SECONDS)
    except EdgebioError:
        return ""
    return result.stdout.strip().partition("\n")[0] if result.returncode == 0 else ""


def _newlib() -> Finding:
    try:
        gcc = toolchain.tool("gcc")
    except MissingToolError:
        return Finding("newlib", False, "no Arm compiler to ask", remedy=toolchain.INSTALL)
    specs = _first_line(gcc, "-print-file-name=nano.specs")
    ok = Path(specs).is_absolute()  # gcc answers with the bare name where it has no such file
    found = "newlib-nano" if ok else "the Arm compiler has no C library"
    return Finding("newlib", ok, found, remedy=toolchain.INSTALL)


def _emulator() -> Finding:
    finding = _tool("emulator", emulator.program)
    if not finding.ok:
        return finding
    machines_help = run_program(emulator.program(), "-machine", "help", timeout=_SECONDS).stdout
    known = {line.split()[0] for line in machines_help.splitlines() if line.split()}
    emulated = [b.emulator for b in map(boards.load, boards.names()) if b.emulator]
    machines = {each.machine for each in emulated if each.program == "qemu"}
    lacking = sorted(machines - known)
    found = f"{finding.found}; {len(machines & known)} of {len(machines)} machines"
    if lacking:
        found += f", not {', '.join(lacking)}"
    return Finding("emulator", not lacking, found, remedy="QEMU 7.2 or newer")


def _rp2040js() -> Finding:
    try:
        node, folder = emulator.rp2040js()
    except MissingToolError as error:
        what, _, line = str(error).partition("; install it: ")
        return Finding("rp2040js", False, what, needed=False, remedy=line)
    return Finding("rp2040js", True, f"{folder}; Node {_first_line(node, '--version')}", False)


def _cmsis_dsp() -> Finding:
    own = os.environ.get("EDGEBIO_CMSIS_DSP")
    if own:
        try:
            return Finding("CMSIS-DSP C", True, str(cmsisdsp.source()), needed=False)
        except EdgebioError as error:
            return Finding("CMSIS-DSP C", False, str(error), remedy="unset EDGEBIO_CMSIS_DSP")
    try:
        here = cmsisdsp.here() is not None
    except OSError:
        here = False
    found = f"{cmsisdsp.VERSION}, in the cache" if here else "fetched by the first build"
    return Finding("CMSIS-DSP C", True, found, needed=False)


def _flashers() -> Iterator[Finding]:
    for name in ("openocd", "stm32flash"):
        here = shutil.which(name)
        yield Finding(
            name,
            here is not None,
            here or "for real boards only",
            needed=False,
            remedy=f"sudo apt-get install {name}",
        )


def _data_sets() -> Iterator[Finding]:
    for name in datasets.names():
        try:
            folder = datasets.locate(name)
        except OSError:
            continue  # the cache's own finding has told
        except EdgebioError as error:
            yield Finding(f"data {name}", False, str(error), False, "unset EDGEBIO_DATA")
            continue
        state = download.state(name, folder)
        here = state in ("yes", "computed")
        where = "computed when asked for" if state == "computed" else str(folder)
        yield Finding(
            f"data {name}",
            here,
            where if here else {"no": "not here", "partly": "partly fetched"}[state],
            needed=False,
            remedy=f"edgebio data fetch {name}",
        )


def _serial_ports() -> Finding:
    from serial.tools import list_ports

    ports = [f"{port.device} ({port.description})" for port in list_ports.comports()]
    found = ", ".join(ports) or "none; emulated boards need none"
    return Finding("serial ports", True, found, needed=False)
