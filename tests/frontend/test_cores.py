"""The front end on emulated cores against the host twin: every stage of frames of all kinds."""

import numpy as np
import pytest

from edgebio import boards, storage
from edgebio.boards import emulator
from edgebio.errors import MissingToolError
from edgebio.firmware import batch, toolchain
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import STAGES, Twin
from edgebio.parity.board_rung import stage_arrays
from edgebio.parity.frontend_rungs import compare_stages
from tests.frontend.signals import KINDS, full_scale, signal

FRAMES = 432  # of each FFT length: 5 x 432 = 2160 kinds
LENGTHS = (32, 64, 128, 256, 512)
FAST = [("mps2-an386", 64), ("mps2-an385", 128), ("mps2-an385-as-m0plus", 32), ("mps3-an547", 256)]
CORES = [
    "mps2-an385-as-m0plus", "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547",
    "netduinoplus2",
]  # fmt: skip


def board_of(name, folder):
    """A board by name; M0+ code runs on the Cortex-M3, whose instructions include its own."""
    if name != "mps2-an385-as-m0plus":
        return boards.load(name)
    text = (storage.assets("boards") / "mps2-an385.toml").read_text()
    text = text.replace("mps2-an385", name, 1).replace(
        'core = "cortex-m3"', 'core = "cortex-m0plus"'
    )
    path = folder / f"{name}.toml"
    path.write_text(text.replace("-mcpu=cortex-m3", "-mcpu=cortex-m0plus"))
    return boards.load(path)


def frames(fft, count):
    """Frames that differ in kind, amplitude and phase, one after the other: int16 (n, 2)."""
    random = np.random.default_rng(fft)
    made = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        amplitude = 10 ** random.uniform(-4, 0)
        made.append(signal(kind, fft, 2, amplitude, seed=number * 1000 + fft))
    return np.concatenate(made)


def differing(board, fft, count, recording=None, **changes):
    spec = FrontendSpec(
        **{
            "rate": 1000, "channels": 2, "n_fft": fft, "hop_length": fft, "segment_length": 2 * fft,
            "step_frames": 1,
            "bins": (0, fft // 2 + 1), "fft_numerics": board.fft_numerics, "highpass": 0.0, **changes,
        }
    )  # fmt: skip
    samples = frames(fft, count) if recording is None else recording
    standard = Standardization.learn(spec, [Twin(spec).columns(samples)])
    expected = Twin(spec, standard).stages(samples).values
    with batch.prepare_frontend(board, spec, standard, traced=True) as chain:
        measured = stage_arrays(chain.stages(samples), expected)
    parts = compare_stages(expected, measured, board.name)
    assert [part.name for part in parts] == list(STAGES)
    assert sum(part.compared for part in parts) > 5 * samples.size
    return [part.first for part in parts if part.differing]


@pytest.fixture(autouse=True)
def _tools():
    try:
        toolchain.tool("gcc")
        emulator.program()
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "fft"), FAST)
def test_cores_compute_what_the_twin_does(name, fft, tmp_path):
    assert differing(board_of(name, tmp_path), fft, 90) == []


@pytest.mark.slow
@pytest.mark.parametrize("fft", LENGTHS)
@pytest.mark.parametrize("name", CORES)
def test_every_core_computes_what_the_twin_does(name, fft, tmp_path):
    assert differing(board_of(name, tmp_path), fft, FRAMES) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CORES)
def test_real_recordings_are_the_same_on_every_core(name, tmp_path, data_folder):
    from edgebio import datasets

    recording = datasets.load("emg-3dc", data_folder, ["2"])[5].samples[:1500, :2]
    board = board_of(name, tmp_path)
    assert (
        differing(
            board, 64, 0, recording, hop_length=17, segment_length=200, highpass=20.0, notch=60
        )
        == []
    )


@pytest.mark.parametrize("core_class", ["scalar", "dsp"])
def test_a_core_computes_the_other_class_too(core_class, tmp_path):
    board = board_of({"scalar": "mps2-an386", "dsp": "mps2-an385"}[core_class], tmp_path)
    assert board.fft_numerics != core_class
    assert differing(board, 64, 45, core_class=core_class) == []


@pytest.mark.slow
@pytest.mark.parametrize("fft", LENGTHS)
def test_helium_stays_within_the_bound_that_the_board_file_declares(fft, data_folder):
    """At least 2,000 frames a length; a bound far above what is measured would say nothing."""
    from edgebio import datasets

    some = datasets.load("emg-3dc", data_folder, ["2"])[::11]
    emg = np.concatenate([r.samples[:, :2] for r in some])[: 540 * fft]
    loud = np.clip(emg.astype(int) * 16, -32768, 32767).astype(np.int16)
    strongest = np.repeat(full_scale(fft), 2, axis=1)
    samples = np.concatenate([frames(fft, 1080), emg, loud, strongest])
    board = boards.load("mps3-an547")
    compared = spectrum = octaves = 0
    for taper in ("hann", "hamming", "none"):
        spec = FrontendSpec(
            rate=1000, channels=2, n_fft=fft, hop_length=fft, segment_length=2 * fft, step_frames=1, window_function=taper,
            bins=(0, fft // 2 + 1), fft_numerics="mve", highpass=0.0,
        )  # fmt: skip
        standard = Standardization.learn(spec, [Twin(spec).columns(samples)])
        expected = Twin(spec, standard).stages(samples).values
        with batch.prepare_frontend(board, spec, standard, traced=True) as chain:
            measured = stage_arrays(chain.stages(samples), expected)
        for compare_exactly in ("filter", "window", "scale", "exponent"):
            assert (measured[compare_exactly] == expected[compare_exactly]).all()
        far = {k: int(np.abs(expected[k].astype(int) - measured[k]).max()) for k in ("fft", "log")}
        spectrum, octaves = max(spectrum, far["fft"]), max(octaves, far["log"])
        compared += expected["exponent"].size
    assert compared >= 2000
    steps = octaves * 32 / 1024  # of a pixel at 32 steps an octave
    print(f"{fft} points: {compared} frames, spectrum {spectrum}, pixel {steps:.1f} steps")
    bound = board.helium.bound(fft)
    assert spectrum <= bound.spectrum <= spectrum + 2
    assert steps <= bound.image <= 1.4 * steps + 2


def test_the_twin_of_the_wrong_class_fails_against_a_core(tmp_path):
    board = board_of("mps2-an386", tmp_path)
    spec = FrontendSpec(
        rate=1000,
        channels=2,
        n_fft=64,
        hop_length=64,
        segment_length=64,
        step_frames=1,
        fft_numerics="scalar",
    )
    samples = frames(64, 45)
    standard = Standardization.learn(spec, [Twin(spec).columns(samples)])
    expected = Twin(spec, standard).stages(samples).values
    native = spec.model_copy(update={"fft_numerics": "dsp"})
    with batch.prepare_frontend(board, native, standard, traced=True) as chain:
        measured = stage_arrays(chain.stages(samples), expected)
    parts = {part.name: part.differing for part in compare_stages(expected, measured, "x")}
    assert parts["scale"] == 0
    assert parts["fft"] > 1000
