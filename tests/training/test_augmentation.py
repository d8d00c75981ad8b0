import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import AugmentSettings
from edgebio.training.augmentation import augment, mains_bins

SHAPE = (16, 9, 32, 10)


def batch(seed=1):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=SHAPE).astype(np.float32)
    targets = np.eye(5, dtype=np.float32)[rng.integers(0, 5, SHAPE[0])]
    return images, targets


def changed(seed=2, **settings):
    images, targets = batch()
    return augment(images, targets, AugmentSettings(**settings), np.random.default_rng(seed))


settings = st.builds(
    AugmentSettings,
    noise=st.sampled_from([0.0, 0.2]),
    gain=st.sampled_from([0.0, 0.2]),
    channel_dropout=st.sampled_from([0.0, 0.3]),
    mask_bins=st.sampled_from([0, 4, 100]),
    mask_frames=st.sampled_from([0, 3, 100]),
    rotate=st.sampled_from([0, 1, 10]),
    shift=st.sampled_from([0.0, 0.5]),
    force=st.sampled_from([0.0, 0.2]),
    mains=st.sampled_from([0.0, 2.0]),
    mixup=st.sampled_from([0.0, 0.5]),
)


@given(settings, st.integers(0, 99))
def test_arguments_and_types_are_kept_and_random_numbers_are_those_of_the_seed(chosen, seed):
    images, targets = batch()
    results = [augment(images, targets, chosen, np.random.default_rng(seed)) for _ in range(2)]
    np.testing.assert_array_equal(images, batch()[0])
    np.testing.assert_array_equal(targets, batch()[1])
    for first, second, like in zip(*results, (images, targets), strict=True):
        assert first.dtype == np.float32
        assert first.shape == like.shape
        np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(results[0][1].sum(axis=1), 1, rtol=1e-6)


def test_default_settings_change_nothing():
    for after, before in zip(changed(), batch(), strict=True):
        np.testing.assert_array_equal(after, before)


def test_mixup_moves_image_and_target_by_the_same_share():
    images, targets = batch()
    mixed, soft = changed(mixup=0.5)
    for k in range(SHAPE[0]):
        own = soft[k, targets[k].argmax()]
        assert own >= 0.5
        share = 1 - own
        if share:  # another class was mixed in: find the image that it came from
            partners = [
                j for j in range(SHAPE[0])
                if np.allclose(mixed[k], (1 - share) * images[k] + share * images[j], atol=1e-5)
            ]  # fmt: skip
            assert [soft[k, targets[j].argmax()] for j in partners] == pytest.approx([share])


def test_gain_is_one_offset_per_channel():
    moved = changed(gain=0.5)[0] - batch()[0]
    np.testing.assert_allclose(moved, moved[:, :1, :1, :] * np.ones(SHAPE), atol=1e-6)
    assert 0.4 < moved[:, 0, 0].std() < 0.6


def test_noise_has_the_deviation_of_the_settings():
    assert (changed(noise=0.3)[0] - batch()[0]).std() == pytest.approx(0.3, rel=0.02)


def test_channel_dropout_blanks_whole_channels():
    images = changed(channel_dropout=0.4)[0]
    blank = (images == 0).all(axis=(1, 2))
    assert ((images == 0).any(axis=(1, 2)) == blank).all()
    assert 0.25 < blank.mean() < 0.55


def test_band_mask_blanks_one_band_within_its_width():
    images = changed(mask_bins=6)[0]
    blank = (images == 0).all(axis=(1, 3))
    widths = blank.sum(axis=1)
    assert widths.max() <= 6
    assert len(set(widths)) > 2
    assert (np.abs(np.diff(np.pad(blank, ((0, 0), (1, 1))).astype(int))).sum(axis=1) <= 2).all()


def test_frame_mask_blanks_one_span_of_time():
    blank = (changed(mask_frames=4)[0] == 0).all(axis=(2, 3))
    assert blank.sum(axis=1).max() == 4
    assert (np.abs(np.diff(np.pad(blank, ((0, 0), (1, 1))).astype(int))).sum(axis=1) <= 2).all()


def test_only_channel_is_never_blanked():
    images, targets = batch()
    settings = AugmentSettings(channel_dropout=0.9)
    same, _ = augment(images[..., :1], targets, settings, np.random.default_rng(2))
    np.testing.assert_array_equal(same, images[..., :1])


def test_rotated_ring_has_the_same_electrodes_at_other_places():
    images, turned = batch()[0], changed(rotate=2)[0]
    by = [
        next(k for k in range(-2, 3) if np.array_equal(turned[i], np.roll(images[i], k, axis=-1)))
        for i in range(len(images))
    ]
    assert set(by) == {-2, -1, 0, 1, 2}


def test_shift_takes_the_same_share_of_one_neighbor():
    images, shifted = batch()[0], changed(shift=0.5)[0]
    for before, after in zip(images, shifted, strict=True):
        shares = []
        for side in (-1, 1):
            toward = np.roll(before, side, axis=-1) - before
            share = float((after - before).ravel() @ toward.ravel() / (toward**2).sum())
            if np.allclose(after, before + share * toward, atol=1e-5):
                shares.append(share)
        assert len(shares) == 1
        assert 0 <= shares[0] <= 0.5


def test_force_is_one_offset_per_image():
    moved = changed(force=0.5)[0] - batch()[0]
    np.testing.assert_allclose(moved, moved[:, :1, :1, :1] * np.ones(SHAPE), atol=1e-6)
    assert 0.3 < moved[:, 0, 0, 0].std() < 0.8


def test_mains_raise_one_line_by_another_share_in_every_channel():
    images, targets = batch()
    settings = AugmentSettings(mains=2.0)
    augmented, _ = augment(images, targets, settings, np.random.default_rng(2), mains=[3, 9])
    added = augmented - images
    for image in added:
        rows = np.flatnonzero(np.abs(image).max(axis=(0, 2)) > 1e-6)
        line = int(rows.mean())
        assert rows.tolist() == [line - 1, line, line + 1]
        assert line in (3, 9)
        np.testing.assert_allclose(image[:, line - 1], image[:, line] / 2, atol=1e-5)
        assert np.ptp(image[:, line], axis=0).max() < 1e-5  # alike at all times
        assert 0 < image[0, line].min() < image[0, line].max() <= 2
    assert len({int(np.abs(image).max(axis=(0, 2)).argmax()) for image in added}) == 2


def test_image_without_the_mains_bins_is_unchanged():
    images, targets = batch()
    same, _ = augment(images, targets, AugmentSettings(mains=2.0), np.random.default_rng(2), [])
    np.testing.assert_array_equal(same, images)


@pytest.mark.parametrize(
    ("rate", "fft", "bins", "rows"),
    [
        (1000.0, 64, (1, 33), [2, 3]),  # 15.6 Hz a bin
        (200.0, 32, (1, 17), [7, 9]),
        (1000.0, 64, (6, 33), []),
        (128.0, 32, (0, 8), []),
    ],
)
def test_mains_bins(rate, fft, bins, rows):
    spec = FrontendSpec(
        segment_length=4 * fft, hop_length=fft // 2, n_fft=fft, bins=bins, rate=rate, channels=2
    )
    assert mains_bins(spec) == rows
