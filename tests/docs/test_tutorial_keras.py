"""The tutorial "From Keras to a Cortex-M4": every network goes to the emulated board."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import blocks, commands
from tests.docs.overlay import run_python, write_blocks
from tests.test_house import ROOT

PAGE = ROOT / "docs" / "tutorials" / "keras.md"
KERAS, MLPERF = ("dense", "tcn", "unet", "eegnet"), ("kws", "vww", "ic", "ad", "sww")


def of(name: str) -> list[list[str]]:
    """Commands of the page on one network."""
    return [words for words in commands(PAGE) if words[1].partition(".")[0] == name]


def test_page_takes_every_network_all_the_way() -> None:
    for name in KERAS:
        assert [words[0] for words in of(name)] == ["quantize", "validate", "bench", "build"]
    for name in MLPERF:
        assert [words[0] for words in of(name)] == ["validate", "build"]
    assert sum(len(of(name)) for name in KERAS + MLPERF) == len(list(commands(PAGE)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no QEMU or cross-compiler: make setup installs them")
    pytest.importorskip("keras")
    path = tmp_path_factory.mktemp("tutorial")
    write_blocks(path, list(blocks(PAGE)))
    run_python(ROOT, path, "networks.py")
    return path


def run(folder: Path, words: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        run_python(ROOT, folder, "-m", "edgebio", *words, "--json")
    )
    return document


def check(folder: Path, name: str) -> None:
    """Run the commands on a network; every rung that applies holds, and the image is there."""
    documents = {words[0]: run(folder, words) for words in of(name)}
    rungs = {rung["rung"]: rung for rung in documents["validate"]["rungs"]}
    for number in (4, 5):
        assert rungs[number]["compared"] > 0
        assert rungs[number]["differing"] == 0
    build = documents["build"]
    assert build["checked"] == {"inputs": 8, "differing": 0}
    assert (folder / name / "firmware.elf").is_file()
    assert "mps2-an386" in build["board"]
    if "quantize" in documents:
        assert documents["quantize"]["not_compiled"] is None
        assert all(output["snr_db"] > 25 for output in documents["quantize"]["outputs"])
        assert documents["bench"]["instructions"] > documents["bench"]["macs"] / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS)
def test_network_of_keras_goes_to_an_emulated_m4(folder: Path, name: str) -> None:
    check(folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MLPERF)
def test_network_of_mlperf_tiny_goes_to_an_emulated_m4(
    folder: Path, models_folder: Path, name: str
) -> None:
    source = models_folder / "mlperf-tiny" / f"{name}.tflite"
    if not source.is_file():
        pytest.skip(f"no {source.name} beside the project")
    shutil.copy(source, folder)
    check(folder, name)
