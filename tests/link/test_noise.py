"""Host and firmware over a noisy connection: no error is accepted, nothing is executed twice."""

from pathlib import Path

import numpy as np
import pytest

from edgebio.link.client import Client
from tests.link.noise import Noise, NoisyDevice
from tests.link.standin import SPEC, StandIn, signal


@pytest.mark.parametrize(
    ("to_device", "to_host"), [(3e-4, 0), (0, 3e-3), (3e-4, 2e-3)], ids=["in", "out", "both"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_everything_arrives_and_is_executed_once(
    executable: Path, model: StandIn, to_device: float, to_host: float, seed: int
) -> None:
    samples = signal(6000, seed)
    images, logits = model.images(samples), model.logits(samples)
    expected = model.decided(samples)
    inward, outward = Noise(to_device, seed), Noise(to_host, seed + 100)
    runs = 12
    with (
        NoisyDevice(executable, inward, outward) as device,
        Client(device.url, retry_after=0.05, timeout=60) as client,
    ):
        for k in range(runs):
            assert client.run_image(images[k]).output.tolist() == logits[k].tolist()
            first = k * SPEC.step
            window = samples[first : first + SPEC.segment_length]
            assert client.run_segment(window).output.tolist() == model.logits(window)[0].tolist()
        decisions = list(client.stream(samples))
        assert [d.index for d in decisions] == list(range(len(logits)))
        assert np.array_equal([d.logits for d in decisions], logits)
        assert [d.decision for d in decisions] == expected.decisions.tolist()
        assert {d.origin for d in decisions} == {0}
        inward.rate = outward.rate = 0
        statistics = client.statistics()
        assert statistics.images == 2 * runs + len(logits), "every request took effect once"
        assert statistics.overrun_bytes == 0
        assert client.describe().channels == samples.shape[1]
    assert inward.events + outward.events >= 5, "there was noise"  # how many hangs on retries
    assert (statistics.damaged_frames > 0) == (to_device > 0)
    assert (client.damaged_frames > 0) == (to_host > 0)


def test_live_stream_restarts_after_a_loss_and_reports_the_origin(
    executable: Path, model: StandIn
) -> None:
    """Lost samples stay lost; the following decisions are as if streamed from there."""
    samples = signal(6000, 5)
    inward = Noise(1e-4, 3)
    with (
        NoisyDevice(executable, inward, lambda data: data) as device,
        Client(device.url, retry_after=0.05, timeout=60) as client,
    ):
        decisions = list(client.stream(samples, on_gap="restart"))
        inward.rate = 0
        statistics = client.statistics()
    origins = sorted({d.origin for d in decisions})
    assert statistics.gaps >= len(origins) - 1 >= 2
    assert [d.index for d in decisions] == list(range(len(decisions)))
    for origin in origins:
        part = [d for d in decisions if d.origin == origin]
        logits = model.logits(samples[origin:])
        decided = model.decided(samples[origin:]).decisions
        ends = origin + SPEC.segment_length + SPEC.step * np.arange(len(part))
        assert [d.end for d in part] == ends.tolist()
        assert np.array_equal([d.logits for d in part], logits[: len(part)])
        assert [d.decision for d in part] == decided[: len(part)].tolist()


def test_noise_is_reproducible_and_of_every_kind() -> None:
    data = bytes(range(256)) * 40
    first, again = Noise(0.01, 1), Noise(0.01, 1)
    damaged = first(data)
    assert damaged == again(data) != data
    assert 60 < first.events < 160
    assert Noise(0, 1)(data) == data
