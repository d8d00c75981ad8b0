"""A user's program around libraries, compiled by any compiler and run on the host or in QEMU."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgebio.firmware.library import Library
from edgebio.processes.worker_pool import map_in_order
from tests.clang import clang_for_arm

FOLDER = Path(__file__).parent
STRICT = (
    "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wpedantic", "-Wundef", "-Wcast-align",
    "-Werror", "-O2",
)  # fmt: skip
C = ("-xc", "-std=c11", "-Wmissing-prototypes")
CPP = ("-xc++", "-std=c++11", "-fno-exceptions")
M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")


def run(*command: str | Path, folder: Path | None = None) -> str:
    """Standard output of a command that must succeed and print no warning."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def tool(name: str, install: str) -> str:
    path = shutil.which(name)
    if not path:
        pytest.skip(f"no {name}: sudo apt-get install {install}")
    return path


@dataclass(frozen=True)
class Compiler:
    """How to compile C and C++, with the flags of a CPU."""

    c: tuple[str, ...]
    cpp: tuple[str, ...]

    @classmethod
    def named(cls, name: str, cpu: Sequence[str] = ()) -> "Compiler":
        """gcc or clang of the host, or of Arm; skips the test where there is none."""
        if name == "clang-arm":
            clang = (*clang_for_arm(), *cpu)
            return cls(clang, clang)
        packages = {"gcc": "gcc g++", "clang": "clang", "arm-none-eabi-gcc": "gcc-arm-none-eabi"}
        cpp = "clang++" if name == "clang" else name.removesuffix("gcc") + "g++"
        return cls(*((tool(each, packages[name]), *cpu) for each in (name, cpp)))

    def objects(
        self, sources: Sequence[Path], folder: Path, flags: Sequence[str], *, cpp: bool = False
    ) -> list[Path]:
        """Compile each source, without a warning."""
        folder.mkdir(parents=True, exist_ok=True)

        def compiled(source: Path) -> Path:
            target = folder / f"{source.stem}-{abs(hash((source, *flags)))}.o"
            language = (*self.cpp, *CPP) if cpp else (*self.c, *C)
            run(*language, *STRICT, *flags, "-c", source, "-o", target)
            return target

        return list(map_in_order(compiled, sources))

    def library(self, library: Library, folder: Path, *flags: str) -> list[Path]:
        return self.objects(library.network.sources, folder, flags)

    def program(
        self, library: Library, folder: Path, samples: np.ndarray, *, cpp: bool = True
    ) -> list[Path]:
        """The program around a library, as C++ unless told otherwise."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"    {{{', '.join(map(str, row))}}},\n" for row in samples.tolist())
        (folder / "samples.h").write_text(
            f'#include "{library.header.name}"\n#define NAME {library.prefix}\n'
            f"#define NAME_UPPER {library.prefix.upper()}\n"
            f"enum {{ SAMPLES = {len(samples)} }};\n"
            f"static const int16_t samples[SAMPLES][{samples.shape[1]}] = {{\n{rows}}};\n"
        )
        flags = (f"-I{folder}", f"-I{library.header.parent}")
        return self.objects([FOLDER / "program.c"], folder, flags, cpp=cpp)


def on_host(objects: Sequence[Path], folder: Path, *flags: str) -> list[str]:
    """Link a program and run it here: its lines."""
    host = Compiler.named("gcc").objects([FOLDER / "host.c"], folder, ())
    run("gcc", *flags, *objects, *host, "-o", folder / "program")
    return run(folder / "program").splitlines()


def on_mps2(objects: Sequence[Path], folder: Path) -> list[str]:
    """Link a program for a Cortex-M4 and run it in QEMU: its lines."""
    qemu = tool("qemu-system-arm", "qemu-system-arm")
    start = Compiler.named("arm-none-eabi-gcc", M4).objects([FOLDER / "mps2.c"], folder, ())
    script = FOLDER / "mps2.ld"
    elf = folder / "program.elf"
    flags = ("-nostartfiles", "-Wl,--gc-sections,-z,noexecstack", f"-T{script}")
    run("arm-none-eabi-gcc", *M4, *flags, *objects, *start, "-o", elf)
    command = [
        qemu, "-machine", "mps2-an386", "-kernel", str(elf), "-display", "none", "-monitor", "none",
        "-serial", "none", "-semihosting-config", "enable=on,target=native",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    # QEMU writes the text of semihosting to standard error.
    return (done.stdout + done.stderr).splitlines()


def symbols(objects: Sequence[Path]) -> list[tuple[str, str]]:
    """Kind and name of the symbols of objects for Arm."""
    listing = run("arm-none-eabi-nm", *objects)
    words = [line.split()[-2:] for line in listing.splitlines() if len(line.split()) > 1]
    return [(kind, name) for kind, name in words]
