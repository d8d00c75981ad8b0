"""Without a C compiler: numerics scalar work by PyPI's cmsisdsp, others say what to install."""

import numpy as np
import pytest
from hypothesis import given

from edgebio.errors import MissingToolError
from edgebio.frontend import reference
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.processes import host_compiler
from tests.frontend.signals import cases, signal

SPEC = FrontendSpec(rate=1000, channels=3, fft_numerics="scalar", notch=50)
NOISE = signal("noise", 700, 3, 1.0, seed=4)


@pytest.fixture
def _no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert not host_compiler.is_available()


@given(cases())
def test_stages_without_a_compiler_equal_the_twins(case):
    if not reference.wheel_is_scalar():
        pytest.skip('needs pip install "edgebio[verify]" on x86-64')
    spec, samples = case
    spec = spec.model_copy(update={"fft_numerics": "scalar"})
    learned = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    for part in (samples, samples[: spec.n_fft - 1]):
        ours = Twin(spec, learned).stages(part)
        theirs = reference.stages_without_compiler(spec, learned, part)
        for name, values in ours.values.items():
            assert values.dtype == theirs.values[name].dtype, name
            np.testing.assert_array_equal(values, theirs.values[name], name)
        np.testing.assert_array_equal(ours.images, theirs.images)
        assert ours.clipped == theirs.clipped


def all_results(twin):
    segments = np.stack([NOISE[k : k + SPEC.segment_length] for k in (0, 3, 90)])
    stages = twin.stages(NOISE)
    return {
        **stages.values,
        "images": stages.images,
        "log_magnitudes": twin.log_magnitudes(NOISE),
        "pixels": twin.pixels(NOISE),
        "segment_images": twin.segment_images(segments),
        "clipped": stages.clipped,
    }


def test_scalar_twin_works_without_a_compiler(request):
    if not reference.wheel_is_scalar():
        pytest.skip('needs pip install "edgebio[verify]" on x86-64')
    learned = Standardization.learn(SPEC, [Twin(SPEC).log_magnitudes(NOISE)])
    expected = all_results(Twin(SPEC, learned))
    request.getfixturevalue("_no_compiler")
    results = all_results(Twin(SPEC, learned))
    assert expected["clipped"] > 0
    for name, value in expected.items():
        np.testing.assert_array_equal(value, results[name], name)


@pytest.mark.parametrize("numerics", ["dsp", "mve"])
@pytest.mark.usefixtures("_no_compiler")
def test_other_numerics_say_what_to_install(numerics):
    spec = SPEC.model_copy(update={"fft_numerics": numerics})
    with pytest.raises(MissingToolError, match=f"{numerics} .* apt-get install gcc"):
        Twin(spec).log_magnitudes(NOISE)


@pytest.mark.usefixtures("_no_compiler")
def test_scalar_numerics_without_the_wheel_say_what_to_install(monkeypatch):
    monkeypatch.setattr(reference, "wheel_is_scalar", lambda: False)
    with pytest.raises(MissingToolError, match=r"edgebio\[verify\]"):
        Twin(SPEC).log_magnitudes(NOISE)
