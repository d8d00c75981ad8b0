import ctypes
import subprocess

import numpy as np
import pytest
from hypothesis import given

from edgebio import storage
from edgebio.errors import EdgebioError
from edgebio.frontend import c_source, cmsisdsp, float64, reference
from edgebio.frontend.constants import constants
from edgebio.frontend.numerics import numerics_flags
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.stages import STAGES
from edgebio.frontend.standardization import PIXEL_SCALE, Standardization, images
from edgebio.frontend.twin import Twin
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from tests.frontend.signals import cases, full_scale, signal


def differing(spec, samples, rfft=None):
    """Stages in which the twin and the NumPy chain differ, with the number of values."""
    learned = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    ours = Twin(spec, learned).stages(samples).values
    theirs = reference.compute_stages(spec, samples, learned, rfft)
    n = ours["filter"].shape[1]
    theirs["filter"] = theirs["filter"][:, :n]
    return {k: int((ours[k] != theirs[k]).sum()) for k in STAGES if (ours[k] != theirs[k]).any()}


@given(cases())
def test_twin_equals_the_reference_chain_in_every_stage(case):
    spec, samples = case
    assert differing(spec, samples) == {}


@given(cases())
def test_scalar_twin_equals_pypi_cmsisdsp(case):
    pytest.importorskip("cmsisdsp", reason='needs pip install "edgebio[verify]"')
    spec, samples = case
    spec = spec.model_copy(update={"fft_numerics": "scalar"})
    assert differing(spec, samples, reference.pypi_rfft) == {}


def test_twin_with_other_numerics_differs():
    spec = FrontendSpec(rate=1000, channels=4, fft_numerics="dsp")
    samples = signal("noise", 2000, 4, 0.1, seed=1)
    wrong = reference.compute_stages(
        spec, samples, rfft=lambda x: reference.cmsis_rfft(x, "scalar")
    )
    ours = Twin(spec).stages(samples).values
    assert (ours["scale"] == wrong["scale"]).all()
    assert (ours["fft"] != wrong["fft"]).mean() > 0.2


@given(cases())
def test_images_of_numpy_pixels_equal_the_images_of_c(case):
    spec, samples = case
    log = Twin(spec).log_magnitudes(samples)
    learned = Standardization.learn(spec, [log])
    expected = Twin(spec, learned).images(samples)
    assert (images(spec, learned.apply(log)) == expected).all()
    assert len(expected) == (len(samples) - spec.segment_length) // spec.step + 1


@given(cases())
def test_segment_images_and_pixels_equal_those_of_the_stream(case):
    spec, samples = case
    learned = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    twin = Twin(spec, learned)
    assert (twin.pixels(samples) == learned.apply(Twin(spec).log_magnitudes(samples))).all()
    starts = np.random.default_rng(0).integers(0, len(samples) - spec.segment_length + 1, 7)
    segments = np.stack([samples[start : start + spec.segment_length] for start in starts])
    expected = np.concatenate([twin.images(segment) for segment in segments])
    assert (twin.segment_images(segments) == expected).all()
    assert (twin.segment_images(segments, cores=1) == expected).all()


def test_segments_of_wrong_shape_or_without_standardization_are_refused():
    spec = FrontendSpec(rate=1000, channels=2)
    with pytest.raises(EdgebioError, match=r"shape \(n, 200, 2\), not int16 \(5, 199, 2\)"):
        Twin(spec).segment_images(np.zeros((5, 199, 2), np.int16))
    with pytest.raises(EdgebioError, match="standardization"):
        Twin(spec).segment_images(np.zeros((5, 200, 2), np.int16))
    log = Twin(spec).log_magnitudes(signal("noise", 400, 2, 0.1, 0))
    twin = Twin(spec, Standardization.learn(spec, [log]))
    assert twin.segment_images(np.zeros((0, 200, 2), np.int16)).shape == (0, 9, 32, 2)


INTRINSICS = r"""
#include "cmsis_compiler.h"
#define EACH(name) \
    void run_##name(const int32_t *x, const int32_t *y, int32_t *out, int count) \
    { for (int i = 0; i < count; i++) out[i] = name(x[i], y[i]); }
EACH(__QADD16) EACH(__QSUB16) EACH(__QASX) EACH(__QSAX) EACH(__SHADD16) EACH(__SHSUB16)
EACH(__SHASX) EACH(__SHSAX) EACH(__SMUAD) EACH(__SMUADX) EACH(__SMUSD) EACH(__SMUSDX)
"""


@pytest.mark.parametrize("flags", [(), ("-U__SSE2__",)], ids=["this machine's", "portable"])
def test_portable_simd32_instructions_follow_arms_manual(tmp_path, flags):
    """Each by its definition in the Armv7-M manual, for corner cases and random registers."""
    source = tmp_path / "intrinsics.c"
    source.write_text(INTRINSICS)
    own = storage.assets("firmware_assets") / "frontend"
    library = host_compiler.load_library(
        "intrinsics", [source], [own], ["-std=gnu11", *numerics_flags("dsp"), *flags]
    )
    ends = np.array([-32768, -32767, -16384, -2, -1, 0, 1, 2, 16383, 32766, 32767], np.int16)
    corners = np.stack(np.meshgrid(ends, ends, ends, ends), -1).reshape(-1, 4)
    random = np.random.default_rng(0).integers(-32768, 32768, (100_000, 4)).astype(np.int16)
    halves = np.ascontiguousarray(np.concatenate([corners, random]))
    x, y = (np.ascontiguousarray(halves[:, k : k + 2]).view(np.int32)[:, 0] for k in (0, 2))
    xl, xh, yl, yh = halves.T.astype(np.int64)

    def packed(high, low):
        return (high << 16 | low & 0xFFFF).astype(np.int32)

    def saturated(high, low):
        return packed(np.clip(high, -32768, 32767), np.clip(low, -32768, 32767))

    expected = {
        "QADD16": saturated(xh + yh, xl + yl),
        "QSUB16": saturated(xh - yh, xl - yl),
        "QASX": saturated(xh + yl, xl - yh),
        "QSAX": saturated(xh - yl, xl + yh),
        "SHADD16": packed((xh + yh) >> 1, (xl + yl) >> 1),
        "SHSUB16": packed((xh - yh) >> 1, (xl - yl) >> 1),
        "SHASX": packed((xh + yl) >> 1, (xl - yh) >> 1),
        "SHSAX": packed((xh - yl) >> 1, (xl + yh) >> 1),
        "SMUAD": (xl * yl + xh * yh).astype(np.int32),
        "SMUADX": (xl * yh + xh * yl).astype(np.int32),
        "SMUSD": (xl * yl - xh * yh).astype(np.int32),
        "SMUSDX": (xl * yh - xh * yl).astype(np.int32),
    }
    for name, values in expected.items():
        out = np.empty_like(x)
        getattr(library, f"run___{name}")(
            x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p),
            out.ctypes.data_as(ctypes.c_void_p), len(x),
        )  # fmt: skip
        assert (out == values).all(), name


@pytest.mark.parametrize("rate", [200.0, 500.0, 1000.0, 2000.0])
@pytest.mark.parametrize(("highpass", "notch", "lowpass"), [(20, 50, 90), (0, 60, 0), (5, 0, 45)])
def test_filters_equal_scipys(rate, highpass, notch, lowpass):
    spec = FrontendSpec(rate=rate, channels=2, highpass=highpass, notch=notch, lowpass=lowpass)
    samples = signal("noise", 4000, 2, 0.3, seed=5) + np.int16(500)
    measured = Twin(spec).stages(samples, ("filter",)).values["filter"] / 4096
    exact = float64.compute_stages(spec, samples).filter[:, : measured.shape[1]]
    assert float64.snr_db(exact, measured) > 90


@pytest.mark.parametrize("level", [32767, -32768])
def test_worst_case_input_does_not_overflow_the_filter(level):
    """Full scale with the signs of the reversed impulse response reaches the proven bound."""
    spec = FrontendSpec(rate=1000, channels=1, highpass=20, notch=50, lowpass=400)
    impulse = np.zeros((2000, 1), np.int16)
    impulse[1000] = 16384  # the first sample sets the filters' level and must be 0
    response = Twin(spec).stages(impulse, ("filter",)).values["filter"][0, 1000:1900]
    worst = np.where(response[::-1] >= 0, level, -level - 1).astype(np.int16)[:, None]
    measured = Twin(spec).stages(worst, ("filter",)).values["filter"] / 4096
    exact = float64.compute_stages(spec, worst).filter[:, : measured.shape[1]]
    assert np.abs(exact).max() > 1.5 * 32768
    assert np.abs(measured - exact).max() < 1


@pytest.mark.parametrize(
    ("n_fft", "min_snr_db"), [(32, 58), (64, 50), (128, 50), (256, 45), (512, 44)]
)
@pytest.mark.parametrize("sigma", [8, 30, 100, 1000, 10000])
def test_snr_against_float64_holds_at_every_level(n_fft, min_snr_db, sigma):
    from scipy import signal as filters

    noise = np.random.default_rng(0).normal(size=(n_fft * 60, 2))
    band = filters.sosfilt(
        filters.butter(4, [20, 450], "bandpass", fs=1000, output="sos"), noise, 0
    )
    samples = np.clip(np.rint(band / band.std() * sigma), -32768, 32767).astype(np.int16)
    spec = FrontendSpec(
        rate=1000,
        channels=2,
        n_fft=n_fft,
        hop_length=n_fft // 2,
        segment_length=2 * n_fft,
        bins=(0, n_fft // 2 + 1),
    )
    stages = Twin(spec).stages(samples)
    pairs = stages.values["fft"].astype(float)
    unit = np.log2(n_fft) - 11 - stages.values["exponent"]
    measured = (pairs[..., ::2] + 1j * pairs[..., 1::2]) * 2.0 ** unit[..., None]
    assert float64.snr_db(float64.compute_stages(spec, samples).fft, measured) >= min_snr_db


@pytest.mark.parametrize("window_function", ["hann", "hamming", "none"])
@pytest.mark.parametrize("numerics", ["scalar", "dsp"])
@pytest.mark.parametrize("n_fft", [32, 64, 128, 256, 512])
def test_full_scale_frames_do_not_saturate(n_fft, numerics, window_function):
    """A saturated or wrapped sum would leave an SNR of 10 dB or less."""
    spec = FrontendSpec(
        rate=1000, channels=1, n_fft=n_fft, hop_length=n_fft, segment_length=n_fft, step_frames=1,
        bins=(0, n_fft // 2 + 1), highpass=0.0, window_function=window_function,
        fft_numerics=numerics,
    )  # fmt: skip
    samples = full_scale(n_fft)
    stages, exact = Twin(spec).stages(samples).values, float64.compute_stages(spec, samples).fft[0]
    pairs = stages["fft"][0].astype(float)
    unit = 2.0 ** (np.log2(n_fft) - 11 - stages["exponent"][0])
    measured = (pairs[:, ::2] + 1j * pairs[:, 1::2]) * unit[:, None]
    worst = min(float64.snr_db(e, m) for e, m in zip(exact, measured, strict=True))
    assert worst > 40


def test_a_constant_is_removed_exactly_and_silence_is_flat():
    spec = FrontendSpec(rate=1000, channels=2)
    offset = np.full((1000, 2), -12345, np.int16)
    assert not Twin(spec).stages(offset).values["filter"].any()
    log = Twin(spec).log_magnitudes(offset)
    assert (log == log[0, 0, 0]).all()
    assert abs(log[0, 0, 0] / 1024 - np.log2(spec.floor)) < 0.01


def test_clipped_samples_are_counted():
    spec = FrontendSpec(rate=1000, channels=2)
    samples = signal("noise", 500, 2, 0.01, seed=0)
    samples[100:103, 1] = 32767
    assert Twin(spec).stages(samples).clipped == 3


def test_learned_pixels_have_the_deviation_of_the_pixel_scale():
    spec = FrontendSpec(rate=1000, channels=3)
    log = Twin(spec).log_magnitudes(signal("noise", 5000, 3, 0.05, seed=3))
    pixels = Standardization.learn(spec, [log]).apply(log) * PIXEL_SCALE
    assert abs(pixels.mean()) < 0.05
    assert 0.9 < pixels.std() < 1.05


def test_a_dead_channel_does_not_break_learning():
    spec = FrontendSpec(rate=1000, channels=2)
    samples = signal("noise", 2000, 2, 0.05, seed=3)
    samples[:, 1] = 0
    log = Twin(spec).log_magnitudes(samples)
    assert not Standardization.learn(spec, [log]).apply(log)[..., 1].any()


def test_recording_shorter_than_a_segment_has_no_image():
    spec = FrontendSpec(rate=1000, channels=2)
    samples = signal("noise", spec.segment_length - 1, 2, 0.05, seed=3)
    log = Twin(spec).log_magnitudes(samples)
    assert len(log) == spec.frames - 1
    assert images(spec, log.astype(np.int8)).shape == (0, *spec.image_shape)
    with pytest.raises(EdgebioError, match="long enough"):
        Standardization.learn(spec, [log[:0]])


@pytest.mark.parametrize("samples", [np.zeros((500, 3), np.int16), np.zeros((500, 2))])
def test_samples_of_wrong_shape_or_type_are_refused(samples):
    with pytest.raises(EdgebioError, match=r"int16 samples of shape \(n, 2\)"):
        Twin(FrontendSpec(rate=1000, channels=2)).log_magnitudes(samples)


def test_split_coefficients_are_entries_of_the_full_table():
    full = cmsisdsp.table("realCoefAQ15").reshape(-1, 2)
    for n_fft in (32, 64, 128, 256, 512):
        spec = FrontendSpec(
            rate=1000, channels=1, n_fft=n_fft, hop_length=1, segment_length=n_fft, bins=(0, 2),
            step_frames=1,
        )  # fmt: skip
        assert (constants(spec).real_a.reshape(-1, 2) == full[:: 8192 // n_fft]).all()


SANITIZED = r"""
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "frontend_config.h"

int main(void)
{
    static _Alignas(8) uint8_t state[EB_FRONTEND_STATE_BYTES];
    int16_t *sample = malloc(EB_FRONTEND_CHANNELS * sizeof *sample);
    uint32_t random = 1, images = 0;
    eb_frontend_reset(&eb_frontend_settings, state);
    for (int i = 0; i < 20000; i++) {
        for (unsigned c = 0; c < EB_FRONTEND_CHANNELS; c++) {
            random = random * 1664525u + 1013904223u;
            const int loud = (i / 1000) % 3;
            sample[c] = loud == 0 ? (int16_t)(random >> 16) : loud == 1 ? 0
                        : (random >> 31) ? INT16_MAX : INT16_MIN;
        }
        images += eb_frontend_push(&eb_frontend_settings, state, sample);
    }
    free(sample);
    return images == (20000 - EB_FRONTEND_SEGMENT_LENGTH) / EB_FRONTEND_STEP + 1 ? 0 : 1;
}
"""


@pytest.mark.parametrize("numerics", ["scalar", "dsp"])
@pytest.mark.parametrize("n_fft", [32, 512])
def test_generated_front_end_is_clean_under_sanitizers(tmp_path, numerics, n_fft):
    spec = FrontendSpec(
        rate=1000, channels=3, n_fft=n_fft, hop_length=n_fft // 3,
        segment_length=n_fft + 4 * (n_fft // 3), bins=(0, n_fft // 2 + 1), fft_numerics=numerics,
    )  # fmt: skip
    noise = signal("noise", 4 * n_fft, 3, 0.2, seed=2)
    learned = Standardization.learn(spec, [Twin(spec).log_magnitudes(noise)])
    front_end = c_source.write(tmp_path, spec, learned)
    (tmp_path / "main.c").write_text(SANITIZED)
    program = tmp_path / "main"
    includes = [f"-I{i}" for i in front_end.include] + [
        f"-isystem{i}" for i in front_end.system_include
    ]
    # CMSIS-DSP shifts and multiplies signed numbers as its targets do; our C must not.
    own = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", *host_compiler.STRICT]
    own += ["-Wconversion", "-Wno-sign-conversion"]
    objects = []
    for source in [*front_end.own, tmp_path / "main.c", *front_end.vendor]:
        checks = ["-fsanitize=address", "-std=gnu11"] if source in front_end.vendor else own
        objects.append(str(tmp_path / f"{source.stem}.o"))
        run_compiler(
            host_compiler.find_compiler(), "-g", "-O1", *checks, *front_end.flags, *includes, "-c",
            str(source), "-o", objects[-1],
        )  # fmt: skip
    run_compiler(
        host_compiler.find_compiler(), "-fsanitize=address,undefined", *objects, "-o", str(program)
    )
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_flags_choose_the_fft_numerics():
    header = storage.assets("firmware_assets") / "frontend" / "cmsis_compiler.h"
    assert "EB_FFT_NUMERICS_DSP" in header.read_text()
    assert numerics_flags("dsp") != numerics_flags("scalar")
