"""Check what this machine provides, without importing, fetching or changing anything."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from edgebio import boards, datasets, storage
from edgebio.boards import flashers, qemu, rp2040js
from edgebio.datasets import download
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import toolchain
from edgebio.frontend import cmsisdsp
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_program

_REQUIRED_EXTRAS = ("train", "verify")
_SKIPPED_EXTRAS = ("all", "dev")
_SECONDS = 20.0


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    name: str  # of the tool, package or folder
    ok: bool
    status: str  # version, path, or what is wrong with it
    needed: bool = True  # on the way from a recording to an emulated board
    remedy: str = ""  # the line that installs or repairs it; empty if all is well

    def document(self) -> dict[str, Any]:
        """Content to print as JSON."""
        fields = asdict(self)
        return {"found" if key == "status" else key: value for key, value in fields.items()}


def examine() -> list[Finding]:
    """Check everything that edgebio uses, in the order of use."""
    findings = [
        _python(),
        *_packages(),
        _keras(),
        _cache(),
        _tool("C compiler", host_compiler.find_compiler),
        _tool("Arm compiler", lambda: toolchain.tool("gcc")),
        _newlib(),
        _qemu(),
        _rp2040js(),
        _cmsis_dsp(),
        *_flash_tools(),
        *_data_sets(),
        _serial_ports(),
    ]
    return [replace(finding, remedy="") if finding.ok else finding for finding in findings]


def _python() -> Finding:
    supported = SpecifierSet(metadata.metadata("edgebio")["Requires-Python"])
    version = ".".join(map(str, sys.version_info[:3]))
    remedy = f"install Python {supported}, then: make setup PYTHON=python3.12"
    status = f"{version}; required {supported}"
    return Finding("Python", supported.contains(version), status, remedy=remedy)


def _packages() -> Iterator[Finding]:
    """Check the packages of each extra against edgebio's own requirements."""
    requirements = [Requirement(text) for text in metadata.requires("edgebio") or ()]
    yield _extra("", [r for r in requirements if r.marker is None], needed=True)
    for extra in metadata.metadata("edgebio").get_all("Provides-Extra") or ():
        if extra not in _SKIPPED_EXTRAS:
            wanted = [r for r in requirements if r.marker and r.marker.evaluate({"extra": extra})]
            yield _extra(extra, wanted, needed=extra in _REQUIRED_EXTRAS)


def _extra(extra: str, requirements: list[Requirement], needed: bool) -> Finding:
    present, missing = [], []
    for requirement in requirements:
        version = _version(requirement.name)
        if version is None:
            missing.append(requirement.name)
        elif not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement.name} {version} (required {requirement.specifier})")
        else:
            present.append(f"{requirement.name} {version}")
    name = f"packages [{extra}]" if extra else "packages"
    status = f"missing: {', '.join(missing)}" if missing else ", ".join(present)
    return Finding(name, not missing, status, needed, _install_line(extra))


def _install_line(extra: str) -> str:
    if (Path(__file__).resolve().parents[1] / "pyproject.toml").is_file():
        return "make setup"
    return f"pip install 'edgebio[{extra}]'" if extra else "pip install edgebio"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _keras() -> Finding:
    """Check that tf_keras is there and fits TensorFlow: tfmot works with Keras 2 only."""
    tensorflow, keras = _version("tensorflow"), _version("tf_keras")
    ok = False
    if not tensorflow:
        status = "no TensorFlow"
    elif not keras:
        status = f"TensorFlow {tensorflow} without tf_keras: Keras 3, on which tfmot breaks"
    else:
        ok = Version(tensorflow).release[:2] == Version(keras).release[:2]
        status = f"tf_keras {keras}, TensorFlow {tensorflow}"
        status += "" if ok else ": both must have the same major and minor version"
    return Finding("Keras 2", ok, status, remedy=_install_line("train"))


def _cache() -> Finding:
    remedy = "export EDGEBIO_CACHE=<a folder that can be written>"
    try:
        folder = storage.cache()
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        status = f"{error.filename or 'folder'}: {error.strerror}"
        return Finding("cache", False, status, remedy=remedy)
    return Finding("cache", True, f"{folder}, {free / 1e9:.0f} GB free")


def _tool(name: str, find: Callable[[], str]) -> Finding:
    try:
        path = find()
    except MissingToolError as error:
        return _missing(name, error)
    return Finding(name, True, _first_line(path, "--version") or path)


def _missing(name: str, error: MissingToolError, *, needed: bool = True) -> Finding:
    reason, _, remedy = str(error).rpartition(": ")
    return Finding(name, False, reason.removesuffix("; install it"), needed, remedy)


def _first_line(*command: str) -> str:
    """First line that a tool prints; empty if it does not run."""
    try:
        result = run_program(*command, timeout=_SECONDS)
    except EdgebioError:
        return ""
    return result.stdout.strip().partition("\n")[0] if result.returncode == 0 else ""


def _newlib() -> Finding:
    specs = _first_line("arm-none-eabi-gcc", "-print-file-name=nano.specs")
    ok = Path(specs).is_absolute()  # gcc prints the bare name if it has no such file
    status = "newlib-nano" if ok else "no Arm compiler with a C library"
    return Finding("newlib", ok, status, remedy=toolchain.INSTALL)


def _qemu() -> Finding:
    finding = _tool("emulator", qemu.program)
    if not finding.ok:
        return finding
    listing = run_program(qemu.program(), "-machine", "help", timeout=_SECONDS).stdout
    supported = {line.split()[0] for line in listing.splitlines() if line.split()}
    emulators = [board.emulator for board in map(boards.load, boards.names())]
    machines = {each.machine for each in emulators if each and each.program == "qemu"}
    missing = sorted(machines - supported)
    status = f"{finding.status}; {len(machines & supported)} of {len(machines)} machines"
    if missing:
        status += f", missing: {', '.join(missing)}"
    return Finding("emulator", not missing, status, remedy="QEMU 7.2 or newer")


def _rp2040js() -> Finding:
    try:
        node, folder = rp2040js.program()
    except MissingToolError as error:
        return _missing("rp2040js", error, needed=False)
    return Finding("rp2040js", True, f"{folder}; Node {_first_line(node, '--version')}", False)


def _cmsis_dsp() -> Finding:
    name = "CMSIS-DSP C"
    try:
        if os.environ.get("EDGEBIO_CMSIS_DSP"):
            return Finding(name, True, str(cmsisdsp.source()), needed=False)
        is_cached = cmsisdsp.is_cached()
    except EdgebioError as error:
        return Finding(name, False, str(error), remedy="unset EDGEBIO_CMSIS_DSP")
    except OSError:  # reported with the cache
        is_cached = False
    status = f"{cmsisdsp.VERSION}, in the cache" if is_cached else "fetched by the first build"
    return Finding(name, True, status, needed=False)


def _flash_tools() -> Iterator[Finding]:
    for flasher in flashers.FLASHERS.values():
        if flasher.tool:
            path = flashers.find_tool(flasher.tool)
            status = path or "for real boards only"
            yield Finding(flasher.tool, path is not None, status, False, flasher.install)


def _data_sets() -> Iterator[Finding]:
    for name in datasets.names():
        try:
            folder = datasets.locate(name)
        except OSError:  # reported with the cache
            continue
        except EdgebioError as error:
            yield Finding(f"data {name}", False, str(error), False, "unset EDGEBIO_DATA")
            continue
        state = download.state(name, folder)
        status = {
            "yes": str(folder), "computed": "computed on demand", "no": "not here",
            "partly": "partly fetched",
        }[state]  # fmt: skip
        ok = state in ("yes", "computed")
        yield Finding(f"data {name}", ok, status, False, f"edgebio data fetch {name}")


def _serial_ports() -> Finding:
    from serial.tools import list_ports

    ports = [f"{port.device} ({port.description})" for port in list_ports.comports()]
    return Finding(
        "serial ports", True, ", ".join(ports) or "none; emulated boards need none", False
    )
