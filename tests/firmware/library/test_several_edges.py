"""Libraries of networks with several inputs and outputs, other types, or a state."""

from pathlib import Path

import numpy as np
import pytest

from edgebio.firmware import library
from edgebio.firmware.library import PACKAGES, Package
from tests.compiler.layers_without_weights import arg_max
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.several_edges import ring_model, two_by_five
from tests.firmware.library.programs import M4, Compiler, on_host, on_mps2


def bytes_to_indices() -> bytes:
    """A network from uint8 to the indices of ARG_MAX."""
    net = Net(np.random.default_rng(1), (1, 5, 4, 3))
    net.graph.tensors[0].type = load_schema().TensorType.UINT8
    net.graph.tensors[0].quantization.zeroPoint = [net.zero_of(0) + 128]
    net.at = net.activation((1, 5, 4, 3), net.scale_of(0), net.zero_of(0) - 128)
    net.operator("QUANTIZE", [0], [net.at])
    net.conv(outputs=6)
    arg_max(net, 3)
    return net.finish()


MODELS = {"edges": two_by_five, "state": ring_model, "types": bytes_to_indices}
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")

_EDGES = """\
    input.t0[0] = 1;
    input.t1[HAND_INPUT_T1_VALUES - 1] = 2;
    show(hand_invoke(&state, &input, &output) == HAND_OK);
    show(memcmp(output.t0, input.t0, sizeof output.t0) == 0);
    show(memcmp(output.t12, output.t12_2, sizeof output.t12) == 0);
    show(hand_check(&state, &input, &output) == HAND_OK);
    show(hand_check(&state, 0, &output) == HAND_ERROR_ARGUMENT);
"""
_STATE = """\
    static hand_output again;
    show(hand_check(&state, &input, &output) == HAND_OK);
    show(hand_invoke(&state, &input, &output) == HAND_OK);
    show(hand_invoke(&state, &input, &again) == HAND_OK);
    show(memcmp(&output, &again, sizeof again) != 0);
    show(hand_reset(&state) == HAND_OK);
    show(hand_invoke(&state, &input, &again) == HAND_OK);
    show(memcmp(&output, &again, sizeof again) == 0);
    show(hand_reset(0) == HAND_ERROR_ARGUMENT);
"""
_TYPES = """\
    const uint8_t *const bytes = input.values;
    const int32_t *const indices = output.values;
    show(hand_invoke(&state, bytes == input.values ? &input : 0, &output) == HAND_OK);
    show(indices[0] >= 0 && indices[0] < 6);
    show(hand_check(&state, &input, &output) == HAND_OK);
"""
PROGRAMS = {"edges": _EDGES, "state": _STATE, "types": _TYPES}


@pytest.fixture(params=MODELS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(kind: str, tmp_path: Path) -> Path:
    pytest.importorskip("tflite_micro", reason="its schema makes the test's models")
    path = tmp_path / "model.tflite"
    path.write_bytes(MODELS[kind]())
    return path


@pytest.mark.parametrize("package", PACKAGES)
def test_every_build_system(package: Package, model: Path, tmp_path: Path) -> None:
    written = library.write(model, tmp_path / package, package, "hand")
    assert written.header.is_file()
    assert not written.whole


@pytest.mark.parametrize("place", ["host", "m4"])
def test_computes_what_the_model_computes(
    place: str, kind: str, model: Path, tmp_path: Path
) -> None:
    written = library.write(model, tmp_path / "library", prefix="hand")
    source = tmp_path / "main.c"
    source.write_text(
        '#include <string.h>\n#include "hand.h"\nvoid put(const char *text);\n'
        'static void show(int right)\n{\n    put(right ? "right\\n" : "wrong\\n");\n}\n'
        "int main(void)\n{\n    static hand_state state;\n    static hand_input input;\n"
        f"    static hand_output output;\n{PROGRAMS[kind]}    return 0;\n}}\n"
    )
    flags = SANITIZERS if place == "host" else M4
    compiler = Compiler.named("gcc" if place == "host" else "arm-none-eabi-gcc", flags)
    objects = compiler.library(written, tmp_path)
    objects += compiler.objects([source], tmp_path, [f"-I{written.header.parent}"])
    lines = on_host(objects, tmp_path, *flags) if place == "host" else on_mps2(objects, tmp_path)
    assert lines == ["right"] * PROGRAMS[kind].count("show(")
