"""Libraries build with their build systems, by the system's own tool where it can be installed."""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgebio.firmware import library
from edgebio.firmware.library import Library, Package
from tests.firmware.library.programs import FOLDER, M4, Compiler, on_mps2, run, tool

PACKAGES = library.PACKAGES
ARM = f"arm-none-eabi-gcc {' '.join(M4)} -Os -Wall -Wextra -ffunction-sections -fdata-sections"
SKETCH = ARM.replace("gcc", "g++", 1) + " -std=gnu++11 -fno-exceptions"

LOOPS = {"Check": 2, "Decide": 400}

# A board of the Arduino IDE: one folder of settings and a core, as each vendor has one.
ARDUINO = {
    "boards.txt": "m4.name=Cortex-M4\nm4.build.core=test\nm4.build.board=TEST_M4\n",
    "platform.txt": f"""\
name=Test
version=1.0.0
recipe.c.o.pattern={ARM} -Werror -std=gnu11 -c {{includes}} "{{source_file}}" -o "{{object_file}}"
recipe.cpp.o.pattern={SKETCH} -c {{includes}} "{{source_file}}" -o "{{object_file}}"
recipe.S.o.pattern={ARM} -c {{includes}} "{{source_file}}" -o "{{object_file}}"
recipe.ar.pattern=arm-none-eabi-ar rcs "{{archive_file_path}}" "{{object_file}}"
recipe.c.combine.pattern={ARM} -nostartfiles -Wl,--gc-sections,-z,noexecstack \
-T{FOLDER / "mps2.ld"} {{object_files}} "{{build.path}}/{{archive_file}}" \
-o "{{build.path}}/{{build.project_name}}.elf"
recipe.size.pattern=arm-none-eabi-size "{{build.path}}/{{build.project_name}}.elf"
recipe.preproc.macros={SKETCH} -w -x c++ -E -CC {{includes}} "{{source_file}}" \
-o "{{preprocessed_file_path}}"
recipe.preproc.includes={SKETCH} -w -x c++ -M -MG -MP {{includes}} "{{source_file}}"
""",
    "cores/test/Arduino.h": """\
#pragma once
#include <stdint.h>
struct Port {
    void begin(unsigned long) {}
    void print(const char *);
    void print(unsigned long) {}
    void println(const char *);
};
extern Port Serial;
unsigned long micros();
inline void delay(unsigned long) {}
int analogRead(int pin);
enum { A0 = 14 };
void setup();
void loop();
""",
    "cores/test/main.cpp": """\
#include "Arduino.h"
extern "C" void put(const char *text);
Port Serial;
void Port::print(const char *text) { put(text); }
void Port::println(const char *text) { put(text); put("\\n"); }
static unsigned long now;
unsigned long micros() { return now += 250; }
int analogRead(int pin) { return static_cast<int>((now >> 7) * static_cast<unsigned>(pin) & 1023); }
int main()
{
    setup();
    for (int i = 0; i < LOOPS; i++) {
        loop();
    }
    return 0;
}
""",
}


def write(tmp_path: Path, model: Path, package: Package) -> Library:
    return library.write(model, tmp_path / "hand", package, "hand", "dsp")


def test_cmake_builds_it_inside_a_program(emg_model: Path, tmp_path: Path) -> None:
    """By add_subdirectory, from C++."""
    cmake = tool("cmake", "cmake")
    tool("c++", "g++")
    write(tmp_path, emg_model, "cmake")
    (tmp_path / "main.cpp").write_text(
        '#include "hand.h"\nstatic hand_state state;\n'
        "int main() { return hand_check(&state) == HAND_OK ? 0 : 1; }\n"
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C CXX)\nadd_subdirectory(hand)\n"
        "add_executable(app main.cpp)\ntarget_link_libraries(app PRIVATE hand)\n"
    )
    run(cmake, "-S", tmp_path, "-B", tmp_path / "build")
    run(cmake, "--build", tmp_path / "build")
    run(tmp_path / "build" / "app")


def test_cmake_builds_it_for_a_cortex_m4(emg_model: Path, tmp_path: Path) -> None:
    cmake, gcc = tool("cmake", "cmake"), tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
    output = write(tmp_path, emg_model, "cmake")
    run(
        cmake, "-S", tmp_path / "hand", "-B", tmp_path / "build", "-DCMAKE_SYSTEM_NAME=Generic",
        f"-DCMAKE_C_COMPILER={gcc}", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
        f"-DCMAKE_C_FLAGS={' '.join(M4)} -Wall -Wextra -Werror",
    )  # fmt: skip
    run(cmake, "--build", tmp_path / "build")
    source = tmp_path / "main.c"
    source.write_text(
        '#include "hand.h"\nvoid put(const char *text);\nint main(void)\n{\n'
        "    static hand_state state;\n\n"
        '    put(hand_check(&state) == HAND_OK ? "right" : "wrong");\n    return 0;\n}\n'
    )
    user = Compiler.named("arm-none-eabi-gcc", M4)
    objects = user.objects([source], tmp_path, [f"-I{output.header.parent}"])
    assert on_mps2([*objects, tmp_path / "build" / "libhand.a"], tmp_path) == ["right"]


@pytest.mark.parametrize("example", ["Check", "Decide"])
def test_arduino_builds_and_runs_its_examples(
    example: str, emg_model: Path, tmp_path: Path
) -> None:
    """By Arduino's own builder, for a board with the toolchain of Cortex-M4, in QEMU."""
    builder = tool("arduino-builder", "arduino-builder")
    tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
    libraries = tmp_path / "libraries"
    library.write(emg_model, libraries / "hand", "arduino", "hand", "dsp")
    platform = tmp_path / "hardware" / "test" / "arm"
    for name, text in ARDUINO.items():
        (platform / name).parent.mkdir(parents=True, exist_ok=True)
        (platform / name).write_text(text.replace("LOOPS", str(LOOPS[example])))
    shutil.copy(FOLDER / "mps2.c", platform / "cores" / "test")
    for name in ("tools", "build"):
        (tmp_path / name).mkdir()
    sketch = libraries / "hand" / "examples" / example / f"{example}.ino"
    done = subprocess.run(
        [
            builder, "-compile", "-quiet", "-warnings", "all", "-fqbn", "test:arm:m4",
            "-hardware", tmp_path / "hardware", "-hardware", "/usr/share/arduino-builder",
            "-tools", tmp_path / "tools", "-libraries", libraries,
            "-build-path", tmp_path / "build", sketch,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stdout + done.stderr
    elf = tmp_path / "build" / f"{example}.ino.elf"
    emulated = subprocess.run(
        [
            tool("qemu-system-arm", "qemu-system-arm"), "-machine", "mps2-an386", "-kernel", elf,
            "-display", "none", "-monitor", "none", "-serial", "none",
            "-semihosting-config", "enable=on,target=native",
        ],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    lines = (emulated.stdout + emulated.stderr).splitlines()
    if example == "Check":
        assert set(lines) == {"every byte is right:  us"}
        assert len(lines) == LOOPS[example]
    else:
        assert len(lines) == (LOOPS[example] - 214) // 40 + 1
        assert all(line.startswith("grip ") or line in ("rest", "rejected") for line in lines)


def test_arduino_metadata(emg_model: Path, tmp_path: Path) -> None:
    """The keys of Arduino's library specification; one header in src/."""
    output = write(tmp_path, emg_model, "arduino")
    lines = (tmp_path / "hand" / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    required = (
        "name version author maintainer sentence paragraph category url architectures includes"
    )
    assert set(properties) == set(required.split())
    assert properties["includes"] == output.header.name
    headers = sorted(path.name for path in output.header.parent.glob("*.h"))
    assert headers == ["hand.h", "hand_config.h"]


def test_zephyr_module(emg_model: Path, tmp_path: Path) -> None:
    """The module's CMakeLists.txt runs with Zephyr's functions as documented."""
    cmake = tool("cmake", "cmake")
    write(tmp_path, emg_model, "zephyr")
    module = tmp_path / "hand"
    assert (module / "zephyr" / "module.yml").read_text().splitlines()[0] == "name: hand"
    assert "config HAND\n    bool " in (module / "Kconfig").read_text()
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
        "add_subdirectory(hand)\n"
        "if(CONFIG_HAND)\nadd_executable(app hand/examples/check/main.c)\n"
        "target_link_libraries(app hand)\nendif()\n"
    )
    for enabled in ("y", ""):
        build = tmp_path / f"build{enabled}"
        run(cmake, "-S", tmp_path, "-B", build, f"-DCONFIG_HAND={enabled}")
        run(cmake, "--build", build)
        assert (build / "app").is_file() == bool(enabled)
    run(tmp_path / "buildy" / "app")


def test_platformio(emg_model: Path, tmp_path: Path) -> None:
    """Its flags and folders; by its own tool, if there, its manifest."""
    output = write(tmp_path, emg_model, "platformio")
    root = tmp_path / "hand"
    manifest = json.loads((root / "library.json").read_text())
    assert {"name", "version", "description", "build"} <= set(manifest)
    build = manifest["build"]
    example = manifest["examples"][0]
    sources = sorted((root / build["srcDir"]).rglob("*.c"))
    assert sources == sorted(output.network.sources)
    sources += [root / example["base"] / name for name in example["files"]]
    host = Compiler.named("gcc")
    include = f"-I{root / build['includeDir']}"
    objects = host.objects(sources, tmp_path, [include, *build["flags"]])
    run("gcc", *objects, "-o", tmp_path / "check")
    run(tmp_path / "check")
    assert (root / build["includeDir"] / manifest["headers"]).is_file()
    platformio = shutil.which("pio")
    if platformio:
        run(platformio, "pkg", "pack", "-o", tmp_path / "packed.tar.gz", root)


def test_cmsis_pack(emg_model: Path, tmp_path: Path) -> None:
    """The pack alone, unpacked, has all that its description names, and builds.

    Elements and attributes are those of PACK.xsd of Open-CMSIS-Pack, which allows them in any order
    within a package and a component.
    """
    write(tmp_path, emg_model, "cmsis-pack")
    (pack,) = (tmp_path / "hand").glob("*.pack")
    assert pack.name == "edgebio.hand.1.0.0.pack"
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(pack) as archive:
        assert archive.testzip() is None
        archive.extractall(unpacked)
    (description,) = unpacked.glob("*.pdsc")
    assert description.name == "edgebio.hand.pdsc"
    root = ElementTree.parse(description).getroot()
    assert root.tag == "package"
    assert re.fullmatch(r"1\.\d+\.\d+", root.attrib["schemaVersion"])
    assert {child.tag for child in root} == {
        "vendor", "name", "description", "url", "license", "releases", "keywords", "components",
    }  # fmt: skip
    assert (root.findtext("vendor"), root.findtext("name")) == ("edgebio", "hand")
    assert (unpacked / str(root.findtext("license"))).is_file()
    (release,) = root.iterfind("releases/release")
    (component,) = root.iterfind("components/component")
    assert release.attrib["version"] == component.attrib["Cversion"] == "1.0.0"
    assert set(component.attrib) == {"Cclass", "Cgroup", "Csub", "Cversion"}
    files = [(each.attrib["category"], each.attrib["name"]) for each in component.iter("file")]
    assert {category for category, _ in files} == {"doc", "include", "header", "other", "sourceC"}
    assert [name for _, name in files if not (unpacked / name).exists()] == []
    sources = [unpacked / name for category, name in files if category == "sourceC"]
    assert sorted(sources) == sorted((unpacked / "src").rglob("*.c"))
    folders = [f"-I{unpacked / name}" for category, name in files if category == "include"]
    host = Compiler.named("gcc")
    objects = host.objects(
        [*sources, unpacked / "examples" / "check" / "main.c"], tmp_path, folders
    )
    run("gcc", *objects, "-o", tmp_path / "check")
    run(tmp_path / "check")


def test_pyocd_reads_the_pack(emg_model: Path, tmp_path: Path) -> None:
    packs = pytest.importorskip("pyocd.target.pack.cmsis_pack", reason="no pyocd")
    write(tmp_path, emg_model, "cmsis-pack")
    (pack,) = (tmp_path / "hand").glob("*.pack")
    assert packs.CmsisPack(str(pack)).devices == []


@pytest.mark.parametrize("package", PACKAGES)
def test_same_model_same_bytes(package: Package, emg_model: Path, tmp_path: Path) -> None:
    """Nothing of the machine, the folder or the date; all licenses; the explanation."""
    for name in ("a", "b"):
        library.write(emg_model, tmp_path / name, package)
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert first == second
    names = {path.as_posix() for path in first}
    assert {
        "LICENSE", "src/internal/cmsis-dsp/LICENSE", "extras/plan.svg", "extras/plan.json",
        "extras/explain.txt", "extras/library.json", "src/edgebio.h",
    } <= names  # fmt: skip
    text = b"".join(content for path, content in first.items() if path.suffix != ".pack")
    assert str(tmp_path).encode() not in text
