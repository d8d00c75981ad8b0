"""Reference models: every byte equals tflite-micro's, on the host and under the sanitizers."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from tests.compiler.batch_of_networks import run_sanitized
from tests.compiler.reference import assert_layers_equal, random_inputs

INT8 = (
    "ecg_cnn",
    "emg_cnn",
    "emg_dscnn",
    "kws_dscnn",
    "ref_ds_cnn",
    "ref_ds_cnn_ptq",
    "ref_plain_cnn",
    "ref_plain_cnn_qat",
    "ref_res_cnn",
    "ref_res_cnn_qat",
)
OTHERS = ("plain_ptq_pertensor", "res_float32io")
MACS = {"emg_cnn": 737_472, "emg_dscnn": 1_378_496, "ecg_cnn": 1_949_888, "kws_dscnn": 2_656_768}


def golden(models_folder: Path, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    with np.load(models_folder / f"{name}.npz") as file:
        return file["x"], file["y_tflm"]


@pytest.mark.parametrize("isa", compiler.KERNEL_SETS)
@pytest.mark.parametrize("name", INT8)
def test_every_output_byte_equals_the_golden_one(
    models_folder: Path, name: str, isa: compiler.KernelSet
) -> None:
    x, y = golden(models_folder, name)
    assert len(np.unique(y, axis=0)) > 1  # constant outputs would prove nothing
    np.testing.assert_array_equal(HostModel(models_folder / f"{name}.tflite", isa).run(x), y)


@pytest.mark.parametrize("isa", ["dsp", "mve"])  # most of the kernels
def test_sanitizers_report_nothing(models_folder: Path, isa: compiler.KernelSet) -> None:
    files = [golden(models_folder, name) for name in INT8]
    paths = [models_folder / f"{name}.tflite" for name in INT8]
    outputs = run_sanitized(paths, [x[:4] for x, _ in files], isa)
    for name, (_, y), output in zip(INT8, files, outputs, strict=True):
        assert y[:4].tobytes() == output.tobytes(), name


def test_sanitizers_report_nothing_in_float_edges(models_folder: Path) -> None:
    models = [HostModel(models_folder / f"{name}.tflite") for name in OTHERS]
    x = [inputs(model, 4) for model in models]
    outputs = run_sanitized([model.program.graph for model in models], x, "portable")
    for model, images, output in zip(models, x, outputs, strict=True):
        assert model.run(images).tobytes() == output.tobytes()


@pytest.mark.usefixtures("tflite_micro")
@pytest.mark.parametrize("name", [*INT8, *OTHERS])
def test_every_layer_equals_tflite_micro(models_folder: Path, name: str) -> None:
    data = (models_folder / f"{name}.tflite").read_bytes()
    model = HostModel(data)
    assert_layers_equal([model], data, inputs(model, 6))


def inputs(model: HostModel, count: int) -> NDArray[Any]:
    if model.input_dtype == np.int8:
        return random_inputs(model.input_shape, 5, count)
    x = np.random.default_rng(5).normal(2, 2, (count, *model.input_shape)).astype(np.float32)
    scale = model.program.network.layers[0].scale  # type: ignore[attr-defined]
    x[0] = (np.arange(x[0].size).reshape(x[0].shape) - 100) * np.float32(0.5) * scale  # halves
    return x


@pytest.mark.parametrize("name", MACS)
def test_multiply_accumulates(models_folder: Path, name: str) -> None:
    program = compiler.compile_model(models_folder / f"{name}.tflite")
    assert program.macs == MACS[name]
    assert program.macs == sum(call.layer.macs for call in program.calls)


def test_many_images_in_one_call_equal_single_ones(models_folder: Path) -> None:
    model = HostModel(models_folder / "emg_cnn.tflite")
    x, y = golden(models_folder, "emg_cnn")
    np.testing.assert_array_equal(model.run(np.tile(x, (20, 1, 1, 1))), np.tile(y, (20, 1)))
    assert model.run(x[:0]).shape == (0, *y.shape[1:])


def test_only_the_used_kernels_are_listed(models_folder: Path) -> None:
    names = set(compiler.compile_model(models_folder / "emg_cnn.tflite").kernel_sources)
    assert {"eb_conv2d.c", "eb_mean.c", "eb_softmax.c"} <= names
    assert not {"eb_depthwise.c", "eb_add.c", "eb_float_edges.c"} & names


@pytest.mark.parametrize("isa", compiler.KERNEL_SETS)
def test_kernel_set_uses_the_best_kernels(models_folder: Path, isa: compiler.KernelSet) -> None:
    path = models_folder / "emg_dscnn.tflite"
    program = compiler.compile_model(path, isa)
    assert {call.isa for call in program.calls} == {"portable", isa}
    assert "eb_mve.h" in compiler.compile_model(path, "mve").kernels


def test_document_and_explanation(models_folder: Path, tmp_path: Path) -> None:
    generated = compiler.generate(models_folder / "ref_plain_cnn.tflite", tmp_path)
    assert all(path.is_file() for path in generated.sources)
    document = generated.document()
    assert document["macs"] == sum(layer["macs"] for layer in document["layers"])
    assert document["state_bytes"] == document["plan"]["total"] >= document["plan"]["lower_bound"]
    text = compiler.explain(generated.program)
    assert "CONV_2D 3x3 pad 1,1,1,1 + RELU + MAX_POOL_2D 2x2: [16, 16, 8] -> [8, 8, 16]" in text
    assert f"memory: {document['state_bytes']:,} bytes" in text
    assert (tmp_path / "explain.txt").read_text() == text + "\n"


def test_compiles_for_cortex_m4_one_symbol_a_layer(models_folder: Path, tmp_path: Path) -> None:
    gcc, nm = shutil.which("arm-none-eabi-gcc"), shutil.which("arm-none-eabi-nm")
    if not gcc or not nm:
        pytest.skip("no arm-none-eabi-gcc: sudo apt-get install gcc-arm-none-eabi")
    models: dict[str, compiler.KernelSet] = {
        "ref_res_cnn_qat": "portable", "res_float32io": "dsp",
    }  # fmt: skip
    for name, isa in models.items():
        generated = compiler.generate(models_folder / f"{name}.tflite", tmp_path / name, isa)
        for source in generated.sources:
            run_compiler(
                gcc,
                *("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-O2"),
                *(*host_compiler.STRICT, "-Wshadow", "-Wconversion", "-Wpedantic"),
                f"-I{tmp_path / name}",
                "-c",
                str(source),
                "-o",
                str(source.with_suffix(".o")),
            )
        listing = subprocess.run(
            [nm, tmp_path / name / "model.o"], capture_output=True, text=True, check=True
        )
        symbols = {line.split()[-1] for line in listing.stdout.splitlines() if " T " in line}
        layers = {f"eb_model_layer_{i}" for i in range(len(generated.program.calls))}
        assert symbols == {*layers, "eb_model_invoke"}
        assert " B " not in listing.stdout  # no writable globals
        assert " D " not in listing.stdout
