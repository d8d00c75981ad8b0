"""Packages build with their build systems; the memory plan is drawn to scale."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgebio import compiler
from edgebio.compiler.emit import memory_chart
from edgebio.processes import host_compiler
from tests.compiler.random_networks import random_network

M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
MODEL = "ref_res_cnn_qat.tflite"


@pytest.fixture
def model(models_folder: Path) -> Path:
    return models_folder / MODEL


@pytest.fixture
def program(model: Path) -> compiler.Program:
    return compiler.compile_model(model, "dsp")


def tool(name: str, install: str) -> str:
    path = shutil.which(name)
    if not path:
        pytest.skip(f"no {name}: sudo apt-get install {install}")
    return path


def run(*command: str | Path, folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_cmake_library_for_this_machine(model: Path, tmp_path: Path) -> None:
    """By add_subdirectory, from C++, as an application would use it."""
    cmake = tool("cmake", "cmake")
    tool("c++", "g++")
    compiler.generate(model, tmp_path / "model", "dsp")
    (tmp_path / "main.cpp").write_text(
        '#include "model.h"\n'
        "alignas(16) static unsigned char state[EB_MODEL_STATE_BYTES];\n"
        "static signed char input[EB_MODEL_INPUT_BYTES], output[EB_MODEL_OUTPUT_BYTES];\n"
        "int main() { eb_model_invoke(state, input, output); return output[0] == output[1]; }\n"
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C CXX)\nadd_subdirectory(model)\n"
        "add_executable(app main.cpp)\ntarget_link_libraries(app PRIVATE edgebio_model)\n"
    )
    run(cmake, "-S", tmp_path, "-B", tmp_path / "build")
    run(cmake, "--build", tmp_path / "build")
    run(tmp_path / "build" / "app")


def test_cmake_library_for_cortex_m4(model: Path, tmp_path: Path) -> None:
    """No heap, no writable global, and no external symbols except memcpy and memset."""
    cmake, gcc = tool("cmake", "cmake"), tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
    compiler.generate(model, tmp_path / "model", "dsp")
    run(
        *(cmake, "-S", tmp_path / "model", "-B", tmp_path / "build"),
        *("-DCMAKE_SYSTEM_NAME=Generic", f"-DCMAKE_C_COMPILER={gcc}"),
        *("-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY", f"-DCMAKE_C_FLAGS={' '.join(M4)}"),
    )
    run(cmake, "--build", tmp_path / "build")
    listing = run("arm-none-eabi-nm", tmp_path / "build" / "libedgebio_model.a")
    symbols = re.findall(r"^(?:[0-9a-f]+)? +(\w) (\S+)$", listing, re.M)
    assert ("T", "eb_model_invoke") in symbols
    assert {kind for kind, _ in symbols} <= {"T", "t", "R", "r", "U"}, symbols
    defined = {name for kind, name in symbols if kind != "U"}
    outside = {name for kind, name in symbols if kind == "U"} - defined
    assert outside <= {"memcpy", "memset"}


def compile_all(sources: list[Path], include: Path, *more: str) -> None:
    gcc = tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
    for source in sources:
        flags = () if source.suffix == ".cpp" else host_compiler.STRICT
        run(gcc, *M4, "-O2", *flags, *more, f"-I{include}", "-c", source, "-o", "/dev/null")


def test_arduino(model: Path, program: compiler.Program, tmp_path: Path) -> None:
    """Like the Arduino builder: C in src/ with src/ as include path, the sketch as C++."""
    compiler.package(model, "arduino", tmp_path, "dsp")
    lines = (tmp_path / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    required = (
        "name version author maintainer sentence paragraph category url architectures includes"
    )
    assert set(properties) == set(required.split())
    assert (tmp_path / "src" / properties["includes"]).is_file()
    sources = sorted((tmp_path / "src").glob("*.c"))
    assert len(sources) == len(program.kernel_sources) + 1
    compile_all(sources, tmp_path / "src")
    sketch = (tmp_path / "examples" / "Invoke" / "Invoke.ino").read_text()
    (tmp_path / "Arduino.h").write_text(
        "struct Port { void begin(long); template <class T> void print(T); "
        "void println(const char *); };\nextern Port Serial;\n"
        "unsigned long micros();\nvoid delay(unsigned long);\n"
    )
    (tmp_path / "sketch.cpp").write_text(f"#include <Arduino.h>\n{sketch}")
    compile_all([tmp_path / "sketch.cpp"], tmp_path / "src", f"-I{tmp_path}", "-std=c++11", "-Wall")


def test_zephyr(model: Path, tmp_path: Path) -> None:
    """The module's CMakeLists.txt runs with Zephyr's functions as documented."""
    cmake = tool("cmake", "cmake")
    module = tmp_path / "module"
    compiler.package(model, "zephyr", module, "dsp")
    assert (module / "zephyr" / "module.yml").read_text().splitlines()[0] == "name: edgebio_model"
    assert "config EDGEBIO_MODEL\n    bool " in (module / "Kconfig").read_text()
    assert not (module / "src" / "CMakeLists.txt").exists()
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C)\n"
        "macro(zephyr_library_named name)\nset(CURRENT ${name})\nadd_library(${name} STATIC)\n"
        "endmacro()\n"
        "function(zephyr_library_sources)\n"
        "target_sources(${CURRENT} PRIVATE ${ARGV})\nendfunction()\n"
        "function(zephyr_library_compile_options)\n"
        "target_compile_options(${CURRENT} PRIVATE ${ARGV})\nendfunction()\n"
        "function(zephyr_include_directories folder)\n"
        "target_include_directories(${CURRENT} PUBLIC ${folder})\nendfunction()\n"
        "add_subdirectory(module)\n"
        "if(CONFIG_EDGEBIO_MODEL)\nadd_executable(app main.c)\n"
        "target_link_libraries(app edgebio_model)\nendif()\n"
    )
    (tmp_path / "main.c").write_text('#include "model.h"\nint main(void) { return 0; }\n')
    for enabled in ("y", ""):
        build = tmp_path / f"build{enabled}"
        run(cmake, "-S", tmp_path, "-B", build, f"-DCONFIG_EDGEBIO_MODEL={enabled}")
        run(cmake, "--build", build)
        assert (build / "app").is_file() == bool(enabled)


def test_platformio(model: Path, tmp_path: Path) -> None:
    compiler.package(model, "platformio", tmp_path, "dsp")
    manifest = json.loads((tmp_path / "library.json").read_text())
    assert {"name", "version", "description", "build"} <= set(manifest)
    build = manifest["build"]
    sources = sorted((tmp_path / build["srcDir"]).glob("*.c"))
    example = manifest["examples"][0]
    sources += [tmp_path / example["base"] / name for name in example["files"]]
    compile_all(sources, tmp_path / build["includeDir"], *build["flags"])
    assert (tmp_path / build["includeDir"] / manifest["headers"]).is_file()
    platformio = shutil.which("pio")
    if platformio:  # checks the manifest
        run(platformio, "pkg", "pack", "-o", tmp_path / "packed.tar.gz", tmp_path)


@pytest.mark.parametrize("kind", compiler.PACKAGES)
def test_same_model_same_bytes(model: Path, tmp_path: Path, kind: compiler.Package) -> None:
    compiler.package(model, kind, tmp_path / "a", "dsp")
    compiler.package(model.read_bytes(), kind, tmp_path / "b", "dsp")
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert first == second
    assert {"model.c", "model.h", "plan.svg", "plan.json", "explain.txt"} <= {
        path.name for path in first
    }
    text = b"".join(first.values())
    assert str(tmp_path).encode() not in text
    assert not re.search(rb"20\d\d-\d\d-\d\d", text)


def test_memory_plan_is_drawn_to_scale(program: compiler.Program) -> None:
    chart, plan = memory_chart.plan_chart(program), program.plan
    (axes,) = chart.figure.axes
    boxes = {
        (round(box.get_x() + 0.47), box.get_y(), box.get_width(), box.get_height())
        for box in axes.patches
    }
    assert boxes == {
        (each.first, each.offset, each.last - each.first + 0.94, each.bytes)
        for each in plan.buffers
    }
    assert len(axes.patches) == len(plan.buffers)
    assert axes.get_ylim()[1] >= plan.total
    text = chart.svg()
    ElementTree.fromstring(text)
    largest = max(plan.buffers, key=lambda each: each.bytes)
    assert f": {largest.bytes:,} bytes at {largest.offset:,}</title>" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.usefixtures("tflite_micro")
def test_charts_and_explanations_of_random_networks() -> None:
    """No plan is too small or too large to be drawn."""
    for seed in range(40):
        program = compiler.compile_model(random_network(seed), "dsp")
        if seed < 8:
            ElementTree.fromstring(memory_chart.plan_chart(program).svg())
        text = compiler.explain(program)
        for stage in ("read", "verified", "fused", "scheduled", "memory"):
            assert f"{stage}:" in text or f"\n{stage}\n" in text
