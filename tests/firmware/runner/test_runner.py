"""MLPerf Tiny's serial protocol: on the host under sanitizers, and on emulated boards."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgebio import boards, firmware, storage, tflite
from edgebio.boards import emulator
from edgebio.errors import EdgebioError
from edgebio.firmware import runner
from edgebio.link.serial_port import SerialPort
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from tests.firmware.runner.protocol_client import ProtocolError, RunnerClient

INPUTS, OUTPUTS = 6, 5
HERE = Path(__file__).parent


def graph(inputs: int = INPUTS, outputs: int = OUTPUTS, dtype: str = "int8") -> tflite.Graph:
    def tensor(index: int, count: int, scale: float, zero: int) -> tflite.Tensor:
        scales, zeros = np.array([scale], np.float32), np.array([zero])
        return tflite.Tensor(index, "", (1, count), dtype, scales, zeros, 0, None)

    operator = tflite.Operator(0, "FULLY_CONNECTED", (0,), (1,), {})
    return tflite.Graph(
        tensors=(tensor(0, inputs, 0.5, 3), tensor(1, outputs, 1 / 256, -128)),
        operators=(operator,),
        inputs=(0,),
        outputs=(1,),
        metadata={},
        sha256="0" * 64,
    )


def network(x: np.ndarray, outputs: int = OUTPUTS) -> np.ndarray:
    """What host_runner.c computes."""
    i, c = np.arange(len(x)), np.arange(outputs)[:, None]
    return np.clip((((i + c) % 3 - 1) * x.astype(int)).sum(axis=1), -128, 127)


@pytest.fixture(scope="session")
def devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The protocol for each form of the input, by sanitizers."""
    built = {}
    for form in ("TENSOR", "PIXELS", "FLOATS"):
        folder = tmp_path_factory.mktemp(form.lower())
        outputs = INPUTS if form == "FLOATS" else OUTPUTS
        runner.write(folder, graph(outputs=outputs), runner.Runner())
        config = folder / "runner_config.h"
        text = config.read_text().replace("EB_RUNNER_TENSOR", f"EB_RUNNER_{form}")
        config.write_text(text)
        source = storage.assets("firmware_assets") / "runner"
        built[form] = folder / "device"
        run_compiler(
            host_compiler.find_compiler(), *host_compiler.STRICT, "-O1", "-g",
            "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{source}",
            f"-I{folder}", source / "eb_runner.c", HERE / "host_runner.c", "-lm", "-o",
            built[form],
        )  # fmt: skip
    return built


@contextmanager
def running(executable: Path) -> Iterator[RunnerClient]:
    with subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        source, target = process.stdout.fileno(), process.stdin.fileno()
        client = RunnerClient(lambda data: os.write(target, data), lambda: os.read(source, 4096))
        client.connect()
        yield client
        process.stdin.close()
        assert process.wait(10) == 0  # sanitizers end it otherwise


def test_start_says_mode_and_readiness(devices: dict[str, Path]) -> None:
    text = subprocess.run([devices["TENSOR"]], input=b"", capture_output=True, check=True).stdout
    assert re.fullmatch(
        rb"m-timestamp-mode-performance\r\nm-lap-us-\d+\r\nm-init-done\r\nm-ready\r\n", text
    )


def test_a_whole_run(devices: dict[str, Path]) -> None:
    x = np.array([-128, 127, 0, 5, -7, 90], np.int8)
    with running(devices["TENSOR"]) as client:
        assert client.name() == "edgebio"
        assert client.profile() == ("ULPMark for tinyML Firmware V0.0.1", "custom")
        client.load(x.tobytes(), chunk=4)
        assert client.loaded() == x.tobytes()
        inference = client.infer(3, 2)
        expected = (network(x) + 128) / 256
        assert np.allclose(inference.results, expected, atol=5e-7)
        assert inference.microseconds == 3
        assert client.results() == inference.results
        assert client.timestamp() > 2**32
        assert any("db load" in line for line in client.send("help"))


def test_pixels_and_floats(devices: dict[str, Path]) -> None:
    pixels = np.array([0, 255, 128, 1, 127, 200], np.uint8)
    with running(devices["PIXELS"]) as client:
        client.load(pixels.tobytes())
        expected = (network((pixels.astype(int) - 128).astype(np.int8)) + 128) / 256
        assert np.allclose(client.infer().results, expected, atol=5e-7)
    # The result of ad01: the mean squared distance of input and output.
    for values in ([0.2, -1.3, 9.75, 400, -400, 0], [np.nan, np.inf, -np.inf, 0, 0, 0]):
        floats = np.array(values, "<f4")
        with running(devices["FLOATS"]) as client:
            client.load(floats.tobytes(), chunk=26)
            (result,) = client.infer().results
        if np.isfinite(floats).all():
            steps = floats / np.float32(0.5)
            rounded = np.where(steps < 0, np.ceil(steps - 0.5), np.floor(steps + 0.5))
            q = np.clip(rounded + 3, -128, 127).astype(np.int8)
            distance = floats - (network(q, INPUTS) + 128) / np.float32(256)
            assert result == pytest.approx(np.mean(distance**2), rel=1e-6)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("", "Unknown command: "),
        ("bogus 1", "Unknown command: bogus"),
        ("db", "Command 'db' requires a subcommand"),
        ("db load", "Command 'db load' requires the # of bytes"),
        ("db load 0", "Command 'db load' must be >0 bytes"),
        ("db load -1", "Command 'db load' must be >0 bytes"),
        ("db load 7", "The model's input has 6 bytes"),
        ("db load 99999999999999999999", "Command 'db load' must be >0 bytes"),
        ("db 00", "No bytes expected: 'db load' comes first"),
        ("db 0", "Insufficient number of hex digits"),
        ("infer", "No input: load its 6 bytes first"),
        ("infer 0", "Inference iterations must be >0"),
        ("infer x", "Inference iterations must be >0"),
        ("infer 1 -1", "Inference warmup must be >=0"),
        ("results", "No inference yet"),
        ("n" * 81, "Command is longer than 80 characters"),
        ("n" * 5000, "Command is longer than 80 characters"),
    ],
)
def test_bad_commands(devices: dict[str, Path], command: str, problem: str) -> None:
    with running(devices["TENSOR"]) as client:
        with pytest.raises(ProtocolError, match=re.escape(problem)):
            client.send(command)
        assert client.name() == "edgebio"


def test_a_load_that_fails_half_way_is_not_run(devices: dict[str, Path]) -> None:
    with running(devices["TENSOR"]) as client:
        client.load(bytes(range(INPUTS)))
        client.send("db load 6")
        with pytest.raises(ProtocolError, match="Invalid hex digit"):
            client.send("db 01020g")
        with pytest.raises(ProtocolError, match="No input"):
            client.send("infer 1 0")
        assert client.send("db 0304050607ff") == ["m-load-done"]  # what is too much is disregarded
        assert client.loaded() == bytes([1, 2, 3, 4, 5, 6])


def test_noise_between_commands(devices: dict[str, Path]) -> None:
    """Whatever comes, the next command is answered, and nothing is accessed out of bounds."""
    random = np.random.default_rng(5)
    words = [b"db ", b"load ", b"infer ", b"6", b"ff", b"%", b" ", b"results", b"print", b"\0\xff"]
    with running(devices["TENSOR"]) as client:
        for _ in range(60):
            noise = b"".join(words[k] for k in random.integers(0, len(words), 12))
            noise = re.sub(rb"infer (?=\d{4})", b"", noise)  # not for minutes
            client._write(noise + b"%")
            for _ in range(noise.count(b"%") + 1):
                client.lines()
            assert client.name() == "edgebio"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("eembc", "no runner 'eembc'; there is mlperf-tiny"),
        ("mlperf-tiny:model=sww01", "model"),
        ("mlperf-tiny:speed=1", "speed"),
        ("mlperf-tiny:model", "not an option"),
    ],
)
def test_bad_requests(text: str, problem: str) -> None:
    with pytest.raises(EdgebioError, match=problem):
        runner.read(text)


def test_models_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match="kws01 has 490 inputs, this model 6"):
        runner.write(tmp_path, graph(), runner.Runner(model="kws01"))
    with pytest.raises(EdgebioError, match="input is float32, not int8"):
        runner.write(tmp_path, graph(dtype="float32"), runner.Runner())
    with pytest.raises(EdgebioError, match="as many outputs"):
        runner.write(tmp_path, graph(inputs=640), runner.Runner(model="ad01"))


@pytest.mark.parametrize(
    ("board", "model", "count"),
    [
        pytest.param("mps2-an386", "kws", 3),
        pytest.param("mps2-an386", "ad", 2, marks=pytest.mark.slow),
        pytest.param("mps2-an386", "ic", 2, marks=pytest.mark.slow),
        pytest.param("pico", "kws", 1, marks=pytest.mark.slow),
    ],
)
def test_boards_answer_as_tflite_micro(
    models_folder: Path, tmp_path: Path, board: str, model: str, count: int
) -> None:
    """Every output over the serial port equals that of TensorFlow Lite Micro."""
    from edgebio.parity.reference_interpreter import ReferenceInterpreter

    path = models_folder / "mlperf-tiny" / f"{model}.tflite"
    target, own = boards.load(board), tflite.read(path)
    source, result = own.tensors[own.inputs[0]], own.tensors[own.outputs[0]]
    x = np.random.default_rng(1).integers(-128, 128, (count, *source.shape[1:]), np.int8)
    benchmark = runner.read(f"mlperf-tiny:model={model}01")
    manifest = firmware.build(path, target, tmp_path, "runner", benchmark=benchmark)
    assert manifest.app == "runner"
    expected = ReferenceInterpreter(path).run(x).reshape(count, -1)
    with emulator.start(target, tmp_path / "firmware.elf") as running_board:
        port = SerialPort(running_board.url, 115_200)
        client = RunnerClient(port.write, lambda: port.read(emulator.answer_timeout(target)))
        client.connect()
        assert client.profile()[1] == f"{model}01"
        for image, outputs in zip(x.reshape(count, -1), expected, strict=True):
            if model == "ad":
                floats = ((image.astype(int) - source.zero_point) * source.scale).astype("<f4")
                client.load(floats.tobytes())
                real = (outputs.astype(int) - result.zero_point) * result.scale
                mean = np.mean((floats - real) ** 2)
                assert client.infer(2, 1).results == pytest.approx((mean,), rel=1e-5)
            else:
                pixels = model in ("ic", "vww")
                client.load((image.view(np.uint8) ^ 0x80 if pixels else image).tobytes())
                inference = client.infer(2, 1)
                got = np.rint(inference.results / result.scale) + result.zero_point
                assert (got == outputs).all()
                assert inference.microseconds > 0
        port.close()
