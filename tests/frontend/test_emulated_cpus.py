"""The front end on emulated CPUs against the host twin: every stage, frames of all kinds."""

import numpy as np
import pytest

from edgebio import boards, storage
from edgebio.boards import emulator
from edgebio.errors import MissingToolError
from edgebio.firmware import batch, toolchain
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.stages import STAGES
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.parity.board_rung import stage_arrays
from edgebio.parity.frontend_rungs import compare_stages
from tests.frontend.signals import KINDS, full_scale, signal

FRAMES = 432  # of each FFT length: 5 x 432 = 2160 kinds
LENGTHS = (32, 64, 128, 256, 512)
FAST = [("mps2-an386", 64), ("mps2-an385", 128), ("mps2-an385-as-m0plus", 32), ("mps3-an547", 256)]
BOARDS = [
    "mps2-an385-as-m0plus", "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547",
    "netduinoplus2",
]  # fmt: skip


def board_of(name, folder):
    """A board by name; M0+ code runs on the Cortex-M3, whose instructions include its own."""
    if name != "mps2-an385-as-m0plus":
        return boards.load(name)
    text = (storage.assets("boards") / "mps2-an385.toml").read_text()
    text = text.replace("mps2-an385", name, 1).replace("cortex-m3", "cortex-m0plus")
    path = folder / f"{name}.toml"
    path.write_text(text)
    return boards.load(path)


def frames(n_fft, count):
    """Frames that differ in kind, amplitude and phase, one after the other: int16 (n, 2)."""
    random = np.random.default_rng(n_fft)
    signals = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        amplitude = 10 ** random.uniform(-4, 0)
        signals.append(signal(kind, n_fft, 2, amplitude, seed=number * 1000 + n_fft))
    return np.concatenate(signals)


def differing(board, n_fft, count, recording=None, **changes):
    spec = FrontendSpec(
        **{
            "rate": 1000, "channels": 2, "n_fft": n_fft, "hop_length": n_fft,
            "segment_length": 2 * n_fft, "step_frames": 1, "bins": (0, n_fft // 2 + 1),
            "fft_numerics": board.fft_numerics, "highpass": 0.0, **changes,
        }
    )  # fmt: skip
    samples = frames(n_fft, count) if recording is None else recording
    standardization = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    expected = Twin(spec, standardization).stages(samples).values
    with batch.prepare_frontend(board, spec, standardization, traced=True) as chain:
        measured = stage_arrays(chain.stages(samples), expected)
    parts = compare_stages(expected, measured, board.name)
    assert [part.name for part in parts] == list(STAGES)
    assert sum(part.compared for part in parts) > 5 * samples.size
    return [part.first for part in parts if part.differing]


@pytest.fixture(autouse=True)
def _tools():
    try:
        toolchain.tool("gcc")
        emulator.check_installed(boards.load("mps2-an386"))
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "n_fft"), FAST)
def test_cpus_compute_what_the_twin_computes(name, n_fft, tmp_path):
    assert differing(board_of(name, tmp_path), n_fft, 90) == []


@pytest.mark.slow
@pytest.mark.parametrize("n_fft", LENGTHS)
@pytest.mark.parametrize("name", BOARDS)
def test_every_cpu_computes_what_the_twin_computes(name, n_fft, tmp_path):
    assert differing(board_of(name, tmp_path), n_fft, FRAMES) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_real_recording_gives_the_same_values_on_every_cpu(name, tmp_path, data_folder):
    from edgebio import datasets

    recording = datasets.load("emg-3dc", data_folder, ["2"])[5].samples[:1500, :2]
    board = board_of(name, tmp_path)
    settings = {"hop_length": 17, "segment_length": 200, "highpass": 20.0, "notch": 60}
    assert differing(board, 64, 0, recording, **settings) == []


@pytest.mark.parametrize("numerics", ["scalar", "dsp"])
def test_cpu_computes_the_other_numerics_too(numerics, tmp_path):
    board = board_of({"scalar": "mps2-an386", "dsp": "mps2-an385"}[numerics], tmp_path)
    assert board.fft_numerics != numerics
    assert differing(board, 64, 45, fft_numerics=numerics) == []


@pytest.mark.slow
@pytest.mark.parametrize("n_fft", LENGTHS)
def test_helium_stays_within_the_bound_of_the_board_file(n_fft, data_folder):
    """At least 2,000 frames of each length; the bound is also close to what is measured."""
    from edgebio import datasets

    recordings = datasets.load("emg-3dc", data_folder, ["2"])[::11]
    emg = np.concatenate([r.samples[:, :2] for r in recordings])[: 540 * n_fft]
    loud = np.clip(emg.astype(int) * 16, -32768, 32767).astype(np.int16)
    strongest = np.repeat(full_scale(n_fft), 2, axis=1)
    samples = np.concatenate([frames(n_fft, 1080), emg, loud, strongest])
    board = boards.load("mps3-an547")
    compared = spectrum = octaves = 0
    for window_function in ("hann", "hamming", "none"):
        spec = FrontendSpec(
            rate=1000, channels=2, n_fft=n_fft, hop_length=n_fft, segment_length=2 * n_fft,
            step_frames=1, window_function=window_function, bins=(0, n_fft // 2 + 1),
            fft_numerics="mve", highpass=0.0,
        )  # fmt: skip
        standardization = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
        expected = Twin(spec, standardization).stages(samples).values
        with batch.prepare_frontend(board, spec, standardization, traced=True) as chain:
            measured = stage_arrays(chain.stages(samples), expected)
        for stage in ("filter", "window", "scale", "exponent"):
            assert (measured[stage] == expected[stage]).all()
        far = {k: int(np.abs(expected[k].astype(int) - measured[k]).max()) for k in ("fft", "log")}
        spectrum, octaves = max(spectrum, far["fft"]), max(octaves, far["log"])
        compared += expected["exponent"].size
    assert compared >= 2000
    steps = octaves * 32 / 1024  # of a pixel at 32 steps an octave
    print(f"{n_fft} points: {compared} frames, spectrum {spectrum}, pixel {steps:.1f} steps")
    assert board.helium is not None
    bound = board.helium.bound(n_fft)
    assert spectrum <= bound.spectrum <= spectrum + 2
    assert steps <= bound.image <= 1.4 * steps + 2


def test_twin_with_other_numerics_differs_from_a_cpu(tmp_path):
    board = board_of("mps2-an386", tmp_path)
    spec = FrontendSpec(
        rate=1000, channels=2, n_fft=64, hop_length=64, segment_length=64, step_frames=1,
        fft_numerics="scalar",
    )  # fmt: skip
    samples = frames(64, 45)
    standardization = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    expected = Twin(spec, standardization).stages(samples).values
    native = spec.model_copy(update={"fft_numerics": "dsp"})
    with batch.prepare_frontend(board, native, standardization, traced=True) as chain:
        measured = stage_arrays(chain.stages(samples), expected)
    parts = {part.name: part.differing for part in compare_stages(expected, measured, "x")}
    assert parts["scale"] == 0
    assert parts["fft"] > 1000
