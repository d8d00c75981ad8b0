import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.frontend.twin import Twin
from edgebio.recordings.recording import UNLABELED, Recording
from edgebio.training.image_set import build_image_set, frontend_spec

SETTINGS = FrontendSettings(floor=16.0)


def recording(label=0, n=900, seed=0, **changes):
    rng = np.random.default_rng([seed, label])
    samples = (rng.normal(0, 300 * (1 + label), (n, 3))).astype(np.int16)
    example = Recording(
        samples=samples,
        rate=1000.0,
        units="counts",
        labels=np.full(n, label, np.int16),
        classes=("rest", "fist"),
        subject="a",
        session="1",
        repetition=seed,
        source=f"file{label}{seed}",
    )
    return dataclasses.replace(example, **changes)


def sets():
    return [recording(0), recording(1)], [], [recording(0, seed=1), recording(1, seed=1)]


def test_images_are_those_of_the_device():
    images = build_image_set(SETTINGS, *sets())
    twin = Twin(images.spec, images.standardization)
    expected = np.concatenate([twin.images(r.samples) for r in sets()[2]])
    np.testing.assert_array_equal(images.test.all(), expected)
    assert images.test.labels.tolist() == [0] * (len(expected) // 2) + [1] * (len(expected) // 2)


def test_training_images_exist_for_every_frame_and_never_span_recordings():
    images = build_image_set(SETTINGS, *sets())
    spec, train = images.spec, images.train
    frames = (900 - spec.n_fft) // spec.hop_length + 1
    assert len(train) == 2 * (frames - spec.frames + 1)
    own = Twin(spec).log_magnitudes(sets()[0][1].samples)
    np.testing.assert_array_equal(
        train.take(np.array([len(train) - 1]))[0],
        images.standardization.apply(own[-spec.frames :]),
    )
    # Far less than the images themselves would take.
    assert train.pixels.nbytes < train.all().nbytes / 5


def test_time_is_stretched_about_the_middle_of_an_image_within_its_recording():
    train = build_image_set(SETTINGS, *sets()).train
    chosen = np.array([0, 3, len(train) // 2 - 1, len(train) // 2, len(train) - 1])
    starts, n = train.starts[chosen], train.frames
    np.testing.assert_array_equal(train.at(starts, np.ones(len(chosen))), train.take(chosen))
    other = len(train.pixels) // 2
    assert other in starts
    for factor in (0.5, 1.5, 3.0):
        stretched = train.at(starts, np.full(len(chosen), factor))
        assert stretched.shape == (len(chosen), *train.shape)
        for image, start in zip(stretched, starts, strict=True):
            low, high = (0, other - 1) if start < other else (other, len(train.pixels) - 1)
            for column in range(n):
                place = start + (n - 1) / 2 + factor * (column - (n - 1) / 2)
                near = {
                    min(max(k, low), high) for k in (int(place), int(place) + 1, int(place) - 1)
                    if abs(k - place) <= 0.5
                }  # fmt: skip
                assert any((image[column] == train.pixels[k]).all() for k in near)


def test_statistics_are_those_of_the_training_set_only():
    train, _, test = sets()
    louder = [dataclasses.replace(r, samples=r.samples * 4) for r in test]
    assert (
        build_image_set(SETTINGS, train, [], test).standardization
        == build_image_set(SETTINGS, train, louder, louder).standardization
    )


def test_sessions_have_statistics_of_their_own():
    """The front end of the model still has those of the training set."""
    train = [recording(0), recording(1), recording(0, 900, 2, session="2"),
             recording(1, 900, 3, session="2")]  # fmt: skip
    louder = [dataclasses.replace(r, samples=r.samples * 4, subject="b") for r in train[:2]]
    plain = build_image_set(SETTINGS, train, [], louder)
    own = build_image_set(SETTINGS, train, [], louder, normalization="session")
    assert own.standardization == plain.standardization
    np.testing.assert_array_equal(own.test.starts, plain.test.starts)
    np.testing.assert_array_equal(own.train.recordings, plain.train.recordings)
    np.testing.assert_array_equal(own.train.labels, plain.train.labels)
    only = build_image_set(SETTINGS, louder, [], louder)
    np.testing.assert_array_equal(own.test.all(), only.test.all())
    assert abs(float(own.test.pixels.mean())) < 10 < float(plain.test.pixels.mean())
    again = own.with_training_set(louder)
    np.testing.assert_array_equal(again.train.pixels, only.train.pixels)


def test_unlabeled_segments_are_not_used():
    train, _, test = sets()
    half = test[0].labels.copy()
    half[:450] = UNLABELED
    cut = build_image_set(SETTINGS, train, [], [dataclasses.replace(test[0], labels=half)])
    whole = build_image_set(SETTINGS, train, [], [test[0]])
    assert 0 < len(cut.test) < len(whole.test)
    np.testing.assert_array_equal(cut.test.all(), whole.test.all()[-len(cut.test) :])


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([recording(0)], "of class 'fist' among the 1 training recordings"),
        ([recording(0), recording(1, n=150)], "of class 'fist' among the 2"),
        ([recording(0), recording(1, rate=500.0)], "file10: rate 500.0, but file00 has 1000.0"),
        ([recording(0), recording(1, units="mV")], "file10: units mV, but file00 has counts"),
        (
            [recording(0), recording(1, samples=np.zeros((900, 2), np.int16))],
            "file10: channels 2, but file00 has 3",
        ),
        ([recording(0), recording(1, classes=("rest", "open"))], "file10: classes rest, open"),
        ([recording(0, rate=30.0), recording(1, rate=30.0)], "highpass 20 Hz is not below half"),
    ],
)
def test_recordings_that_do_not_fit_are_named(train, message):
    test = [dataclasses.replace(recording(0, seed=1), rate=train[0].rate)]
    with pytest.raises(EdgebioError, match=message) as error:
        build_image_set(SETTINGS, train, [], test)
    assert "\n" not in str(error.value)


def test_test_set_without_a_segment_is_refused():
    with pytest.raises(EdgebioError, match="no labeled segment of 200 samples among the 1 test"):
        build_image_set(SETTINGS, sets()[0], [], [recording(0, n=199, seed=1)])


def test_front_end_has_rate_and_channels_of_the_recordings():
    spec = frontend_spec(SETTINGS, [recording(rate=2000.0)])
    assert (spec.rate, spec.channels) == (2000.0, 3)
    assert spec.settings() == SETTINGS


MEMORY = """
import dataclasses, re
from pathlib import Path
import numpy as np
from edgebio.frontend.twin import Twin
from edgebio.training.image_set import build_image_set
from tests.training.test_image_set import SETTINGS, recording

def peak():
    # Not getrusage's: that starts with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

build_image_set(SETTINGS, [recording(0), recording(1)], [], [])
before = peak()
few = [recording(0, n=100_000), recording(1, n=100_000)]
many = [dataclasses.replace(few[k % 2], samples=few[k % 2].samples.copy()) for k in range(40)]
pixels = build_image_set(SETTINGS, many, [], []).train.pixels
print(peak() - before, sum(r.samples.nbytes for r in many), pixels.nbytes, many[0].samples.nbytes)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_images_of_a_data_set_take_its_size_once():
    """In a process of its own: the samples, the pixels, and what a few recordings take."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=300
    )
    grown, samples, pixels, one = map(int, done.stdout.split())
    assert pixels > 0.8 * samples > 30 * one
    assert grown < samples + pixels + 24 * one
    assert grown > samples + pixels  # or nothing was measured
