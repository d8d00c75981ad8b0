"""Models that are not int8: build, bench and infer refuse them by the command that mends them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from edgebio.cli import main
from edgebio.models.keras import tf
from edgebio.quantization import flatbuffer
from edgebio.tflite import read
from edgebio.tflite.quantization_scheme import quantization_scheme

keras = pytest.importorskip("keras")

TO_INT8 = "edgebio quantize {} --calibration X.npy -o"


def float32(converter: Any) -> None:
    pass


def dynamic_range(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def float16(converter: Any) -> None:
    dynamic_range(converter)
    converter.target_spec.supported_types = [tf.float16]


def int16(converter: Any) -> None:
    dynamic_range(converter)
    representative(converter)
    ops = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [ops]


def int8(converter: Any) -> None:
    dynamic_range(converter)
    representative(converter)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8


def representative(converter: Any) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(8, 1, 40)).astype(np.float32)
    converter.representative_dataset = lambda: ([row] for row in rows)


def without_scales(content: bytes) -> bytes:
    model = flatbuffer.unpack(content)
    for tensor in model.subgraphs[0].tensors:
        tensor.quantization = None
    return flatbuffer.pack(model)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    signal = keras.Input((40,))
    model = keras.Model(signal, keras.layers.Dense(40)(signal))
    model.save(folder / "model.keras")
    model.export(str(folder / "saved"), verbose=False)
    return folder


def convert(saved: Path, settings: Callable[[Any], None]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved / "saved"))
    settings(converter)
    content: bytes = converter.convert()
    return content


def refusals(model: Path, tmp_path: Path) -> set[str]:
    """Error lines of build, bench and infer."""
    np.save(tmp_path / "x.npy", np.zeros((1, 40), np.int8))
    lines = set()
    for words in (
        ["build", model, "--board", "mps2-an386", "-o", tmp_path / "image"],
        ["build", model, "--board", "mps2-an386", "-o", tmp_path / "image", "--no-check"],
        ["bench", model, "--board", "mps2-an386"],
        ["infer", model, "--inputs", tmp_path / "x.npy", "-o", tmp_path / "y.npy"],
    ):
        result = CliRunner().invoke(main, list(map(str, words)))
        assert result.exit_code == 2, result.output
        lines.update(result.output.strip().splitlines())
    assert not (tmp_path / "image").exists()
    return lines


@pytest.mark.parametrize(
    ("settings", "scheme", "reason", "source"),
    [
        (float32, "float32", "a float32 model", "{}"),
        (dynamic_range, "dynamic range", "its weights are int8, its activations", "MODEL.keras"),
        (float16, "float16 weights", "its weights are float16", "MODEL.keras"),
        (int16, "int16 activations", "its activations are int16 (16x8)", "MODEL.keras"),
    ],
)
def test_other_schemes_are_refused(
    saved: Path,
    tmp_path: Path,
    settings: Callable[[Any], None],
    scheme: str,
    reason: str,
    source: str,
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(convert(saved, settings))
    assert quantization_scheme(read(model)) == scheme
    (line,) = refusals(model, tmp_path)
    assert line.startswith(f"edgebio: {model}: {reason}")
    assert TO_INT8.format(source.format(model)) in line


def test_int8_is_recognized_and_lost_scales_are_refused(saved: Path, tmp_path: Path) -> None:
    content = convert(saved, int8)
    assert quantization_scheme(read(content)) == "int8"
    model = tmp_path / "model.tflite"
    model.write_bytes(without_scales(content))
    (line,) = refusals(model, tmp_path)
    assert "its int8 tensors have no scales; make it int8, from the float model" in line


def test_float_files_name_the_command(saved: Path, tmp_path: Path) -> None:
    for model in (saved / "model.keras", saved / "saved"):
        (line,) = refusals(model, tmp_path)
        assert line == (
            f"edgebio: {model}: a float model; make it int8: "
            f"{TO_INT8.format(model)} {model.stem}.tflite"
        )


def test_network_left_partly_in_float_names_the_operator(tmp_path: Path) -> None:
    signal = keras.Input((40,))
    x = keras.ops.negative(keras.layers.Dense(40)(signal))
    keras.Model(signal, keras.layers.Dense(3)(x)).export(str(tmp_path / "saved"), verbose=False)
    model = tmp_path / "model.tflite"
    model.write_bytes(convert(tmp_path, int8))
    (line,) = refusals(model, tmp_path)
    assert "(NEG)" in line
    assert TO_INT8.format("MODEL.keras") in line
