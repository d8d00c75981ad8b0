"""The reference models: every byte equal to tflite-micro's, on the host and under sanitizers."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.compiler.host import HostModel
from edgebio.processes import host_compiler
from tests.compiler import oracle

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


@pytest.mark.parametrize("core", compiler.CORES)
@pytest.mark.parametrize("name", INT8)
def test_every_output_byte_equals_the_golden(
    models_folder: Path, name: str, core: compiler.Core
) -> None:
    x, y = golden(models_folder, name)
    assert len(np.unique(y, axis=0)) > 1  # a golden that never changes would prove nothing
    np.testing.assert_array_equal(HostModel(models_folder / f"{name}.tflite", core).run(x), y)


@pytest.mark.parametrize("core", ["dsp", "mve"])  # most of the kernels
@pytest.mark.parametrize("name", INT8)
def test_sanitizers_find_nothing(
    models_folder: Path,
    run_sanitized: Callable[..., NDArray[Any]],
    name: str,
    core: compiler.Core,
) -> None:
    x, y = golden(models_folder, name)
    found = run_sanitized(models_folder / f"{name}.tflite", x[:4], core)
    np.testing.assert_array_equal(found, y[:4])


@pytest.mark.usefixtures("tflite_micro")
@pytest.mark.parametrize("name", [*INT8, *OTHERS])
def test_every_layer_equals_tflite_micro(models_folder: Path, name: str) -> None:
    data = (models_folder / f"{name}.tflite").read_bytes()
    model = HostModel(data)
    x = inputs(model, 6)
    outputs = [step.layer.output for step in model.program.steps]
    y, layers = oracle.outputs(data, x, outputs)
    for what, wanted, found in zip(model.describe(), layers, model.layers(x), strict=True):
        assert wanted.tobytes() == found.tobytes(), what
    assert y.tobytes() == model.run(x).tobytes()


def inputs(model: HostModel, count: int) -> NDArray[Any]:
    rng = np.random.default_rng(5)
    shape = (count, *model.input_shape)
    if model.input_dtype == np.int8:
        x = rng.integers(-128, 128, shape).astype(np.int8)
        x[0], x[1] = -128, 127
        return x
    x = rng.normal(2, 2, shape).astype(np.float32)
    scale = model.program.network.layers[0].scale  # type: ignore[attr-defined]
    x[0] = (np.arange(x[0].size).reshape(x[0].shape) - 100) * np.float32(0.5) * scale  # halves
    return x


@pytest.mark.parametrize("name", OTHERS)
def test_sanitizers_find_nothing_in_the_others(
    models_folder: Path, run_sanitized: Callable[..., NDArray[Any]], name: str
) -> None:
    model = HostModel(models_folder / f"{name}.tflite")
    x = inputs(model, 4)
    found = run_sanitized(models_folder / f"{name}.tflite", x)
    assert found.tobytes() == model.run(x).tobytes()


@pytest.mark.parametrize("name", MACS)
def test_multiply_accumulates(models_folder: Path, name: str) -> None:
    program = compiler.compile_model(models_folder / f"{name}.tflite")
    assert program.macs == MACS[name]
    assert program.macs == sum(step.layer.macs for step in program.steps)


def test_many_images_in_one_call_are_what_each_gives(models_folder: Path) -> None:
    model = HostModel(models_folder / "emg_cnn.tflite")
    x, y = golden(models_folder, "emg_cnn")
    np.testing.assert_array_equal(model.run(np.tile(x, (20, 1, 1, 1))), np.tile(y, (20, 1)))
    assert model.run(x[:0]).shape == (0, *y.shape[1:])


def test_same_model_same_bytes(models_folder: Path, tmp_path: Path) -> None:
    path = models_folder / "ref_res_cnn_qat.tflite"
    first = compiler.generate(path, tmp_path / "a")
    second = compiler.generate(path.read_bytes(), tmp_path / "b")
    assert [p.name for p in first.sources] == [p.name for p in second.sources]
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == sorted(p.name for p in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_only_the_kernels_used_are_listed(models_folder: Path, tmp_path: Path) -> None:
    generated = compiler.generate(models_folder / "emg_cnn.tflite", tmp_path)
    names = {path.name for path in generated.sources}
    assert {"model.c", "eb_conv2d.c", "eb_mean.c", "eb_softmax.c"} <= names
    assert not {"eb_depthwise.c", "eb_add.c", "eb_float_edges.c"} & names
    assert all(path.is_file() for path in generated.sources)


def test_a_core_takes_the_best_kernel_that_it_runs(models_folder: Path, tmp_path: Path) -> None:
    path = models_folder / "emg_dscnn.tflite"
    for core, wanted in (
        ("portable", {"portable"}),
        ("dsp", {"portable", "dsp"}),
        ("mve", {"portable", "mve"}),
    ):
        program = compiler.compile_model(path, core)
        assert {step.core for step in program.steps} == wanted
    generated = compiler.generate(path, tmp_path, "mve")
    assert "eb_mve.h" in {path.name for path in tmp_path.iterdir()}
    assert all(path.suffix == ".c" for path in generated.sources)


def test_document_and_explanation(models_folder: Path, tmp_path: Path) -> None:
    generated = compiler.generate(models_folder / "ref_plain_cnn.tflite", tmp_path)
    document = generated.document()
    assert document["macs"] == sum(layer["macs"] for layer in document["layers"])
    assert document["state_bytes"] == document["plan"]["total"] >= document["plan"]["lower_bound"]
    text = compiler.explain(generated)
    assert "CONV_2D 3x3 pad 1,1,1,1 + RELU + MAX_POOL_2D 2x2: [16, 16, 8] -> [8, 8, 16]" in text
    assert f"memory: {document['state_bytes']:,} bytes" in text
    assert text == compiler.explain(generated.program)


def test_compiles_for_cortex_m4_one_symbol_a_layer(models_folder: Path, tmp_path: Path) -> None:
    gcc, nm = shutil.which("arm-none-eabi-gcc"), shutil.which("arm-none-eabi-nm")
    if not gcc or not nm:
        pytest.skip("no arm-none-eabi-gcc: sudo apt-get install gcc-arm-none-eabi")
    for name, core in (("ref_res_cnn_qat", "portable"), ("res_float32io", "dsp")):
        generated = compiler.generate(models_folder / f"{name}.tflite", tmp_path / name, core)
        for source in generated.sources:
            host_compiler.run(
                gcc,
                *("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-O2"),
                *(*host_compiler.STRICT, "-Wshadow", "-Wconversion", "-Wpedantic"),
                f"-I{tmp_path / name}",
                "-c",
                str(source),
                "-o",
                str(source.with_suffix(".o")),
            )
        listed = subprocess.run(
            [nm, tmp_path / name / "model.o"], capture_output=True, text=True, check=True
        )
        symbols = {line.split()[-1] for line in listed.stdout.splitlines() if " T " in line}
        layers = {f"eb_model_layer_{i}" for i in range(len(generated.program.steps))}
        assert symbols == {*layers, "eb_model_invoke"}
        assert " B " not in listed.stdout  # nothing that is written outlives a call
        assert " D " not in listed.stdout
