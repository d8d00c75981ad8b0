"""Decisions of a device compared with this machine's, and differences located."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.parity.decisions import ComparedSession, HostStream
from edgebio.recordings import Recording
from edgebio.runtime.device import Device
from edgebio.runtime.session import Session
from tests.link.models import SEGMENTS, on_host, segments
from tests.link.models import SLOW_SPEC as SPEC


@pytest.fixture(scope="module")
def served(
    models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    with on_host(models_folder, tmp_path_factory.mktemp("served")) as url_and_model:
        yield url_and_model


@pytest.fixture
def device(served: tuple[str, Path]) -> Iterator[Device]:
    with Device(*served) as opened:
        yield opened


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return segments()


def test_all_decisions_are_compared(device: Device, samples: np.ndarray) -> None:
    recording = Recording.from_array(samples, SPEC.rate, labels="grip 2", classes=["grip 2"])
    compared = ComparedSession(Session(device))
    decisions = list(compared.run([recording, recording], SEGMENTS + 3))
    assert len(decisions) == compared.segments == compared.labeled == SEGMENTS + 3
    assert compared.correct == sum(decision.name == "grip 2" for decision in decisions)
    document = compared.document()
    assert document["differing"] == {"images": 0, "logits": 0, "decisions": 0}
    assert (document["windows"], document["first"], document["approximate"]) == (15, None, False)


def test_first_difference_is_located(device: Device, samples: np.ndarray) -> None:
    graph = device.graph
    assert graph is not None
    host, compared = HostStream(graph, samples), ComparedSession(Session(device))
    for decision in device.classify(samples):
        event = decision.event
        if event.index >= 5:
            event = dataclasses.replace(event, image_crc=event.image_crc ^ 1)
        compared.compare("day 1", event, host)
    assert compared.differing == {"images": SEGMENTS - 5, "logits": 0, "decisions": 0}
    assert compared.first.startswith("day 1: segment 5: image ")


def test_recordings_without_a_segment_are_refused(device: Device, samples: np.ndarray) -> None:
    short = Recording.from_array(samples[:100], SPEC.rate)
    with pytest.raises(EdgebioError, match="no recording is as long as one segment of 182"):
        list(ComparedSession(Session(device)).run([short]))


def test_nothing_is_compared_without_the_model(
    served: tuple[str, Path], samples: np.ndarray
) -> None:
    with Device(served[0]) as plain:
        compared = ComparedSession(Session(plain))
        list(compared.run([Recording.from_array(samples, SPEC.rate)]))
        assert compared.document()["differing"] is None
        assert compared.segments == SEGMENTS


def test_host_needs_a_front_end(models_folder: Path, samples: np.ndarray) -> None:
    with pytest.raises(EdgebioError, match="no edgebio metadata"):
        HostStream(tflite.read(models_folder / "emg_cnn.tflite"), samples)
