"""An image with one wrong constant is detected, and the fault is located."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from elftools.elf.elffile import ELFFile

from edgebio import boards, firmware
from edgebio.boards import qemu
from edgebio.cli import main
from edgebio.firmware.elf import Image
from edgebio.frontend.stages import STAGE_NUMBERS
from edgebio.link.client import Client
from edgebio.parity import hil
from edgebio.runtime import host_device
from edgebio.runtime.device import Device


@pytest.fixture(scope="module")
def image(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    qemu.program()
    folder = tmp_path_factory.mktemp("intact")
    firmware.build(model, boards.load("mps2-an386"), folder, hooks="trace")
    return folder


def flip_bit(image: Path, folder: Path, symbol: str, offset: int) -> Path:
    """Copy an image with one bit of a constant flipped."""
    shutil.copytree(image, folder)
    path = folder / "firmware.elf"
    entry = Image(path).symbol(symbol)
    assert entry is not None
    assert offset < entry.size
    address = entry.address + offset
    with path.open("r+b") as file:
        segment = next(
            s for s in ELFFile(file).iter_segments("PT_LOAD")
            if s["p_vaddr"] <= address < s["p_vaddr"] + s["p_filesz"]
        )  # fmt: skip
        file.seek(segment["p_offset"] + address - segment["p_vaddr"])
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 0x40]))
    return folder


@pytest.mark.parametrize(
    ("symbol", "offset", "checks", "location"),
    [
        ("layer_2_weights", 77, {"layers": "layer 2 CONV_2D"}, r"y \d+, x \d+, c \d+: .* instead"),
        ("twiddles", 9, {"stages": "fft"}, r"frame \d+, bin \d+, part \d: .* instead"),
        pytest.param("filter", 2, {"stages": "filter"},
                     r"channel \d+, sample \d+: .* instead", marks=pytest.mark.slow),
        pytest.param("window_function", 63, {"stages": "window"},
                     r"channel \d+, frame \d+, sample \d+: .* instead", marks=pytest.mark.slow),
        pytest.param("pixels", 40, {"stages": "image"},
                     r"channel \d+, frame \d+, bin \d+: .* instead", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_wrong_constant_is_located(
    image: Path, tmp_path: Path, symbol: str, offset: int, checks: dict[str, str], location: str
) -> None:
    folder = flip_bit(image, tmp_path / "faulty", symbol, offset)
    with Device.emulate_image(folder) as device:
        bench = hil.Bench(device, folder)
        identity = bench.identity()
        results = {"layers": bench.layers(6), "stages": bench.stages(4)}
    assert identity.ok is False
    assert "image's SHA-256" in identity.note
    for name, check in results.items():
        assert check.ok is (name not in checks), check.note
        if name in checks:
            assert check.note.startswith(checks[name])
            assert re.search(location, check.note)
            wrong = next(part for part in check.parts if part.differing)
            assert wrong.name.startswith(checks[name]), "the first stage that differs"
            assert 0 < wrong.differing <= wrong.compared
            assert wrong.worst > 0
            assert wrong.cosine < 1
            assert wrong.snr_db is not None


def test_missing_stage_is_a_difference(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_values(*_: object) -> dict[int, bytes]:
        return {STAGE_NUMBERS["log"]: b""}

    monkeypatch.setattr("edgebio.parity.hil.bench.differing_outputs", without_values)
    with Device.emulate_image(image) as device:
        check = hil.Bench(device, image).stages(1)
    assert check.ok is False
    assert check.note.startswith("log: generated silence, (0,) values where ")


def test_command_reports_and_fails(image: Path, tmp_path: Path) -> None:
    folder = flip_bit(image, tmp_path / "faulty", "layer_2_weights", 77)
    junit = tmp_path / "hil.xml"
    command = [
        "hil",
        str(folder),
        "--inputs",
        "6",
        "--soak",
        "0.5",
        "--junit",
        str(junit),
        "--json",
    ]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 1
    assert "edgebio: mps2-an386: identity: image's SHA-256" in done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] is False
    verdicts = {check["name"]: check["ok"] for check in document["checks"]}
    assert verdicts["layers"] is False
    assert verdicts["stages"] is verdicts["stack"] is verdicts["latency"] is True
    layer = next(c for c in document["checks"] if c["name"] == "layers")["measures"][2]
    assert layer["differing"] > 0
    assert layer["first"].startswith("layer 2 CONV_2D")
    suite = ET.parse(junit).getroot()[0]
    assert int(suite.get("tests", 0)) == len(document["checks"]) == 7
    assert {case.get("name") for case in suite if case.find("failure") is not None} == {
        name for name, ok in verdicts.items() if ok is False
    }


def test_command_refuses_the_run_of_another_model(image: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes((image / "model.tflite").read_bytes() + b" ")
    done = CliRunner().invoke(main, ["hil", str(image), "--run", str(tmp_path)])
    assert done.exit_code == 2
    assert f"{tmp_path}: its model is not the one that {image} was built from" in done.stderr


@pytest.mark.slow
def test_command_passes_for_an_intact_image(image: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["hil", str(image), "--inputs", "6", "--soak", "1", "--json"])
    assert done.exit_code == 0, done.output
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert checks["layers"]["differing"] == checks["stages"]["differing"] == 0
    assert checks["soak"]["overruns"] == checks["soak"]["gaps"] == 0


@pytest.fixture(scope="module")
def host(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    def build(traced: bool) -> Path:
        folder = tmp_path_factory.mktemp("host")
        return host_device.build(model, folder, traced=traced)

    return build


@pytest.mark.slow
def test_image_without_hooks_shows_outputs_only(
    host: Callable[[bool], Path], image: Path, tmp_path: Path
) -> None:
    """The board runs another image than the folder holds, built without --hil."""
    with host_device.running(host(False)) as running, Client(running.url) as device:
        bench = hil.Bench(device, image)
        assert bench.identity().note.startswith("board host on the board, mps2-an386 expected")
        assert bench.outputs(6).ok
        with pytest.raises(Exception, match="not built for hardware in the loop: edgebio build"):
            bench.layers(1)


def test_traces_are_complete_or_report_a_loss(host: Callable[[bool], Path], image: Path) -> None:
    with host_device.running(host(True)) as running, Client(running.url) as device:
        bench = hil.Bench(device, image)
        assert bench.layers(6, "data").ok
        assert bench.stages(4, "data").ok
        with device.trace("layers", first=3, last=3) as one:
            device.run_image(bench.inputs(1)[0], handler=one.handle)
        assert one.complete
        assert {index for index, _ in one.data()} == {3}
        with device.trace("layers") as lost:
            device.run_image(bench.inputs(1)[0])  # without its handler
        assert not lost.complete
