"""A library decides as the firmware, everywhere, and says so when it does not."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgebio.compiler.host_model import HostModel
from edgebio.errors import EdgebioError
from edgebio.firmware import library
from edgebio.firmware.library import Library
from edgebio.link.results import reason_name
from edgebio.runtime import host_device
from edgebio.runtime.device import Device
from edgebio.runtime.session import Session
from tests.firmware.library.programs import M4, STRICT, Compiler, on_host, on_mps2, run, symbols

CPUS = {
    "m0plus": ("-mcpu=cortex-m0plus", "-mthumb"),
    "m4": M4,
    "m33": ("-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=soft"),
    "m55": ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
}
# CMSIS-DSP shifts negative numbers to the left, as every compiler for its CPUs allows.
SANITIZERS = (
    "-fsanitize=address,undefined", "-fno-sanitize=shift-base", "-fno-sanitize-recover=all", "-g",
)  # fmt: skip


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """Noise that rises and falls: int16 (700, 8)."""
    random = np.random.default_rng(5)
    loudness = np.repeat([20, 3000, 300, 8000, 100, 40, 20000], 100)[:, None]
    return np.clip(random.normal(size=(700, 8)) * loudness, -32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def decided(
    emg_model: Path, signal: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """What the firmware decides, in the words of program.c."""
    executable = host_device.build(emg_model, tmp_path_factory.mktemp("device"))
    lines = ["checked"]
    with (
        host_device.running(executable) as running,
        Device(running.url, emg_model) as device,
    ):
        for each in Session(device).classify(signal):
            event = each.event
            reason = next(number for number in range(8) if reason_name(number) == event.reason)
            numbers = [event.end, event.winner, event.decision, reason, event.activity]
            outputs = (event.logits.astype(int) + 128).tolist()
            lines.append(" ".join(map(str, [*numbers, *outputs, each.name])))
    assert len(lines) > 10
    assert len({line.split()[2] for line in lines[1:]}) > 1
    return lines


@pytest.mark.parametrize("cpp", [True, False], ids=["C++", "C"])
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_decides_as_the_firmware_on_the_host(
    name: str, cpp: bool, whole: Library, signal: np.ndarray, decided: list[str], tmp_path: Path
) -> None:
    host = Compiler.named(name)
    objects = host.library(whole, tmp_path) + host.program(whole, tmp_path, signal, cpp=cpp)
    assert on_host(objects, tmp_path) == decided


def test_decides_as_the_firmware_under_sanitizers(
    whole: Library, signal: np.ndarray, decided: list[str], tmp_path: Path
) -> None:
    host = Compiler.named("gcc", SANITIZERS)
    objects = host.library(whole, tmp_path) + host.program(whole, tmp_path, signal)
    assert on_host(objects, tmp_path, *SANITIZERS) == decided


def test_decides_as_the_firmware_without_a_stream(
    whole: Library, whole_windows: Library, signal: np.ndarray, decided: list[str], tmp_path: Path
) -> None:
    """The same with less memory; the other one computes only what is new."""
    assert whole.network.program.stream
    assert not whole_windows.network.program.stream
    assert "model_push(" in (whole.header.parent / "internal" / "hand_model.h").read_text()
    host = Compiler.named("gcc")
    objects = host.library(whole_windows, tmp_path)
    assert on_host(objects + host.program(whole_windows, tmp_path, signal), tmp_path) == decided


@pytest.mark.parametrize("name", ["arm-none-eabi-gcc", "clang-arm"])
def test_decides_as_the_firmware_on_an_emulated_cortex_m4(
    name: str, whole: Library, signal: np.ndarray, decided: list[str], tmp_path: Path
) -> None:
    """A user's program in C++, by arm-none-eabi-gcc, with a library of either compiler."""
    user = Compiler.named("arm-none-eabi-gcc", M4)
    objects = Compiler.named(name, M4).library(whole, tmp_path)
    assert on_mps2(objects + user.program(whole, tmp_path, signal), tmp_path) == decided


@pytest.mark.parametrize("kind", ["whole", "network_only"])
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("name", ["arm-none-eabi-gcc", "clang-arm"])
def test_compiles_without_a_warning(
    name: str, cpu: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    package: Library = request.getfixturevalue(kind)
    assert Compiler.named(name, CPUS[cpu]).library(package, tmp_path)


def test_two_models_in_one_program(
    emg_model: Path, models_folder: Path, tmp_path: Path, whole: Library
) -> None:
    """All objects on the linker's line: no name of one hides a name of the other."""
    other = library.write(
        models_folder / "ref_plain_cnn.tflite", tmp_path / "other", "cmake", "other"
    )
    third = library.write(emg_model, tmp_path / "third", "cmake", "third")
    source = tmp_path / "both.c"
    source.write_text(
        '#include <stdio.h>\n#include "hand.h"\n#include "third.h"\n#include "other.h"\n'
        "int main(void)\n{\n    static hand_state a;\n    static third_state b;\n"
        "    static other_state c;\n    static other_input input;\n    other_output output;\n"
        '    printf("%d %d %d", (int)hand_check(&a), (int)third_check(&b),\n'
        "           (int)other_check(&c, &input, &output));\n    return 0;\n}\n"
    )
    host = Compiler.named("gcc")
    libraries = (whole, other, third)
    objects = [path for each in libraries for path in host.library(each, tmp_path / each.prefix)]
    include = [f"-I{each.header.parent}" for each in libraries]
    objects += host.objects([source], tmp_path, include)
    run("gcc", *objects, "-o", tmp_path / "both")
    assert run(tmp_path / "both") == "0 0 0"


@pytest.mark.parametrize("kind", ["whole", "network_only"])
def test_every_symbol_has_the_prefix(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """No heap, no writable global, no other function of the C library than these."""
    package: Library = request.getfixturevalue(kind)
    entries = symbols(Compiler.named("arm-none-eabi-gcc", M4).library(package, tmp_path))
    defined = {name for symbol, name in entries if symbol != "U"}
    assert {symbol for symbol, _ in entries} <= set("TtRrUd") - {"d"}, entries
    public = {name for symbol, name in entries if symbol in "TR"}
    assert [name for name in public if not name.startswith(f"{package.prefix}_")] == []
    outside = {name for symbol, name in entries if symbol == "U"} - defined
    assert outside <= {"memcpy", "memset", "memcmp", "memmove", "__aeabi_uldivmod"}


def test_code_and_weights_go_where_the_program_wants_them(whole: Library, tmp_path: Path) -> None:
    sections = ('-DHAND_CODE_SECTION=".fast"', '-DHAND_WEIGHTS_SECTION=".far"')
    objects = Compiler.named("arm-none-eabi-gcc", M4).library(
        whole, tmp_path, *sections, "-ffunction-sections", "-fdata-sections"
    )
    sizes = dict.fromkeys((".fast", ".far", ".text", ".rodata"), 0)
    ordinary = set()
    for line in run("arm-none-eabi-size", "-A", *objects).splitlines():
        match = re.match(r"(\.fast|\.far|\.text|\.rodata)(\S*) +(\d+)", line)
        if match:
            sizes[match[1]] += int(match[3])
            ordinary |= {match[2]} if int(match[3]) and match[1] == ".text" else set()
    assert sizes[".far"] >= whole.network.program.constant_bytes
    assert sizes[".far"] > 5 * sizes[".rodata"]
    # Not hot: what is called once for a decision, and calls the rest.
    assert [name for name in ordinary if "run_" in name or "frontend" in name] == []
    assert sizes[".fast"] > 5 * sizes[".text"]


def test_all_kernels_have_their_code_marked(tmp_path: Path) -> None:
    """Every function of every kernel is in the section, on a CPU for which none is left out."""
    from edgebio import storage
    from edgebio.firmware.library.sections import mark_functions

    folder = storage.assets("firmware_assets") / "kernels"
    shutil.copytree(folder, tmp_path / "kernels")
    for path in (tmp_path / "kernels").glob("*.[ch]"):
        path.write_text(mark_functions(path.read_text()))
    paths = sorted((tmp_path / "kernels").glob("*.c"))
    flags = ('-DEB_HOT=__attribute__((section(".fast")))', "-ffunction-sections")
    for cpu in ("m4", "m55"):
        compiler = Compiler.named("arm-none-eabi-gcc", CPUS[cpu])
        objects = compiler.objects(paths, tmp_path / cpu, flags)
        listing = run("arm-none-eabi-size", "-A", *objects)
        elsewhere = re.findall(r"^(\.text\S*) +[1-9]\d* ", listing, re.MULTILINE)
        assert elsewhere == []


def test_misuse_is_answered_by_a_status(whole: Library, tmp_path: Path) -> None:
    source = tmp_path / "misuse.c"
    source.write_text(
        '#include <stdio.h>\n#include <string.h>\n#include "hand.h"\n'
        "int main(void)\n{\n    static hand_state two[2];\n    hand_decision decision;\n"
        "    const int16_t frame[HAND_CHANNELS] = {0};\n"
        "    void *const odd = two[0].bytes + 1;\n"
        '    printf("%d %d %d", (int)hand_init(0), (int)hand_init(odd), (int)hand_init(two));\n'
        '    printf(" %d", (int)hand_push(two, frame, &decision));\n'
        '    printf(" %d %d", (int)hand_push(two, 0, &decision), (int)hand_push(two, frame, 0));\n'
        "    memset(two, 255, sizeof two);\n"
        '    printf(" %d %d", (int)hand_push(two, frame, &decision), (int)hand_check(0));\n'
        "    return 0;\n}\n"
    )
    host = Compiler.named("gcc", SANITIZERS)
    objects = host.library(whole, tmp_path)
    objects += host.objects([source], tmp_path, [f"-I{whole.header.parent}"])
    run("gcc", *SANITIZERS, *objects, "-o", tmp_path / "misuse")
    assert run(tmp_path / "misuse") == "-1 -1 0 0 -1 -1 -2 -1"


def _negated(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"-?\d+", lambda number: str(-int(number[0])), match[2])


@pytest.mark.parametrize("fault", ["model", "frontend_config", "decision_config", "softmax"])
def test_the_check_notices_a_fault(
    fault: str, whole: Library, signal: np.ndarray, tmp_path: Path
) -> None:
    """A line of weights, a pixel's mean, the votes, or one operator of a kernel is another."""
    source = whole.header.parent / "internal" / f"hand_{fault}.c"
    changes: dict[str, tuple[str, str | Callable[[re.Match[str]], str]]] = {
        "model": (r"(layer_0_weights\[\d+\] = [^\n]*\n)([^\n]+)", _negated),
        "frontend_config": (r"(\bpixels\[\] = \{\n\s+\{)-?\d+", r"\g<1>9000"),
        "decision_config": (r"\.votes = \d+", ".votes = 1"),
        "softmax": (r"share, exponent", "share, exponent + 1u"),
    }
    pattern, replacement = changes[fault]
    text = re.sub(pattern, replacement, source.read_text(), count=1)
    assert text != source.read_text()
    changed = tmp_path / source.name
    changed.write_text(text)
    host = Compiler.named("gcc")
    sources = [path for path in whole.network.sources if path != source]
    objects = host.objects(sources, tmp_path, ())
    objects += host.objects([changed], tmp_path, [f"-I{source.parent}"])
    objects += host.program(whole, tmp_path, signal)
    assert on_host(objects, tmp_path)[0] == "different"


def test_network_alone_computes_as_the_host_model(
    network_only: Library, models_folder: Path, tmp_path: Path
) -> None:
    twin = HostModel(models_folder / "res_float32io.tflite")
    x = np.random.default_rng(0).normal(size=(3, *twin.input_shape)).astype(np.float32)
    (tmp_path / "inputs.bin").write_bytes(x.tobytes())
    source = tmp_path / "run.c"
    source.write_text(
        '#include <stdio.h>\n#include "net.h"\n'
        "int main(void)\n{\n    static net_state state;\n    static net_input input;\n"
        "    net_output output;\n"
        "    if (net_check(&state, &input, &output) != NET_OK) {\n        return 1;\n    }\n"
        "    while (fread(input.values, sizeof input.values, 1, stdin) == 1) {\n"
        "        if (net_invoke(&state, &input, &output) != NET_OK) {\n            return 2;\n"
        "        }\n        fwrite(output.values, sizeof output.values[0], NET_OUTPUT_VALUES,\n"
        "               stdout);\n    }\n    return 0;\n}\n"
    )
    host = Compiler.named("gcc")
    objects = host.library(network_only, tmp_path)
    objects += host.objects([source], tmp_path, [f"-I{network_only.header.parent}"])
    run("gcc", *objects, "-lm", "-o", tmp_path / "run")
    run("sh", "-c", "./run <inputs.bin >outputs.bin", folder=tmp_path)
    outputs = np.fromfile(tmp_path / "outputs.bin", twin.output_dtype)
    assert outputs.tobytes() == twin.run(x).tobytes()


def test_header_has_shapes_scales_and_classes(whole: Library, emg_model: Path) -> None:
    twin = HostModel(emg_model)
    text = whole.header.read_text()
    shape = ", ".join(map(str, twin.input_shape))
    assert f"#define HAND_INPUT_SHAPE {{{shape}}}\n" in text
    match = re.search(r"#define HAND_OUTPUT_SCALE (\S+)f\n", text)
    assert match
    assert np.float32(match[1]) == np.float32(twin.output_scale)
    assert f"#define HAND_OUTPUT_ZERO_POINT ({twin.output_zero_point})\n" in text
    assert re.findall(r"#define HAND_CLASS_\w+ (\d+)u", text) == [
        str(number) for number in range(twin.output_shape[-1])
    ]


@pytest.mark.parametrize("name", ["gcc", "clang", "arm-none-eabi-gcc"])
@pytest.mark.parametrize("kind", ["whole", "network_only"])
def test_header_is_plain_cpp(
    kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    package: Library = request.getfixturevalue(kind)
    source = tmp_path / "twice.cpp"
    line = f'#include "{package.header.name}"\n'
    source.write_text(f"{line}{line}{package.prefix}_state state;\n")
    flags = [f"-I{package.header.parent}", *STRICT, "-Wold-style-cast", "-Wuseless-cast"]
    flags = flags[:-1] if name == "clang" else flags
    assert Compiler.named(name).objects([source], tmp_path, flags, cpp=True)


@pytest.mark.parametrize("prefix", ["", "Hand", "1hand", "a-b", "h" * 25, "höhe", "math", "arm"])
def test_bad_prefix_is_refused(prefix: str, emg_model: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"^--prefix .*(give 1 to 24|choose another)") as error:
        library.write(emg_model, tmp_path / "out", "cmake", prefix)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_folder_of_something_else_is_left_alone(emg_model: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(EdgebioError, match="not empty, and no library of edgebio"):
        library.write(emg_model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_new_library_replaces_the_old_one(
    emg_model: Path, models_folder: Path, tmp_path: Path
) -> None:
    """Build systems compile every C file there is; the program's own files stay."""
    library.write(emg_model, tmp_path, "arduino", "old")
    (tmp_path / "mine.txt").write_text("mine")
    package = library.write(models_folder / "ref_plain_cnn.tflite", tmp_path, "zephyr", "new")
    assert sorted(tmp_path.rglob("*.c")) == sorted(
        [*package.network.sources, tmp_path / "examples" / "check" / "main.c"]
    )
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not (tmp_path / "library.properties").exists()


def test_a_model_that_cannot_be_compiled_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(EdgebioError, match=r"bad\.tflite"):
        library.write(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
