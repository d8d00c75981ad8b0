"""Without a C compiler: the scalar class by PyPI's cmsisdsp, the others say what to install."""

import numpy as np
import pytest
from hypothesis import given, settings

from edgebio.errors import MissingToolError
from edgebio.frontend import fallback
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


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_fallback_gives_the_twins_bits(case):
    if not fallback.wheel_is_scalar():
        pytest.skip('needs pip install "edgebio[verify]" on x86-64')
    spec, samples = case
    spec = spec.model_copy(update={"fft_numerics": "scalar"})
    learned = Standardization.learn(spec, [Twin(spec).columns(samples)])
    for part in (samples, samples[: spec.n_fft - 1]):
        ours, theirs = Twin(spec, learned).stages(part), fallback.stages(spec, learned, part)
        for name, values in ours.values.items():
            assert values.dtype == theirs.values[name].dtype, name
            np.testing.assert_array_equal(values, theirs.values[name], name)
        np.testing.assert_array_equal(ours.images, theirs.images)
        assert ours.railed == fallback.railed_samples(part)


def everything(twin):
    cut = np.stack([NOISE[k : k + SPEC.segment_length] for k in (0, 3, 90)])
    stages = twin.stages(NOISE)
    return {
        **stages.values,
        "images": stages.images,
        "columns": twin.columns(NOISE),
        "pixels": twin.pixels(NOISE),
        "windows": twin.windows(cut),
        "railed": stages.railed,
    }


def test_a_scalar_twin_works_where_there_is_no_compiler(request):
    if not fallback.wheel_is_scalar():
        pytest.skip('needs pip install "edgebio[verify]" on x86-64')
    learned = Standardization.learn(SPEC, [Twin(SPEC).columns(NOISE)])
    expected = everything(Twin(SPEC, learned))
    request.getfixturevalue("_no_compiler")
    made = everything(Twin(SPEC, learned))
    assert expected["railed"] > 0
    for name, value in expected.items():
        np.testing.assert_array_equal(value, made[name], name)


@pytest.mark.parametrize("core_class", ["dsp", "mve"])
@pytest.mark.usefixtures("_no_compiler")
def test_the_other_classes_say_what_to_install(core_class):
    spec = SPEC.model_copy(update={"fft_numerics": core_class})
    with pytest.raises(MissingToolError, match=f"{core_class} .* apt-get install gcc"):
        Twin(spec).columns(NOISE)


@pytest.mark.usefixtures("_no_compiler")
def test_without_the_wheel_the_scalar_class_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fallback, "wheel_is_scalar", lambda: False)
    with pytest.raises(MissingToolError, match=r"edgebio\[verify\]"):
        Twin(SPEC).columns(NOISE)
