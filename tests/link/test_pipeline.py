"""Go-back-N against a receiver that loses pieces and answers."""

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.link.pipeline import Pipeline

CAPACITY = 4000


class Receiver:
    """Accepts pieces in order only; both directions lose some."""

    def __init__(self, loss: float, seed: int) -> None:
        self.random = random.Random(seed)
        self.loss = loss
        self.ring: deque[tuple[int, int, int, int]] = deque()  # sequence, first, end, bytes
        self.accepted = 0
        self.most_stored = 0

    def send(self, sequence: int, first: int, end: int, size: int) -> None:
        if self.random.random() >= self.loss:
            self.ring.append((sequence, first, end, size))
            self.most_stored = max(self.most_stored, sum(piece[3] for piece in self.ring))

    def answer(self) -> tuple[int, int] | None:
        """Process one piece; returns its answer unless that is lost."""
        sequence, first, end, _ = self.ring.popleft()
        if first <= self.accepted < end:
            self.accepted = end
        return None if self.random.random() < self.loss else (sequence, self.accepted)


@given(
    total=st.integers(1, 30_000),
    piece=st.integers(300, 1500),
    loss=st.sampled_from([0.0, 0.02, 0.3]),
    start=st.integers(0, 65535),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_everything_arrives_and_the_receive_buffer_never_overflows(
    total: int, piece: int, loss: float, start: int, seed: int
) -> None:
    line = Receiver(loss, seed)
    pipeline = Pipeline(CAPACITY)
    sequence = start
    sent = 0
    for _ in range(20_000):
        while pipeline.position < total and pipeline.fits(piece):
            end = min(pipeline.position + piece, total)
            sequence = (sequence + 1) % 65536
            line.send(sequence, pipeline.position, end, piece)
            pipeline.add(sequence, end, piece)
            sent += 1
        if line.ring:
            answer = line.answer()
            if answer:
                pipeline.acknowledge(*answer)
        else:
            pipeline.drain()  # as after a ping that was answered
        if pipeline.accepted >= total:
            break
    assert line.accepted == total
    assert line.most_stored <= max(CAPACITY, piece)
    if loss == 0:
        assert sent == -(-total // piece), "nothing is sent twice without losses"


def test_one_lost_piece_costs_one_round_trip() -> None:
    pipeline = Pipeline(10_000)
    for sequence, end in ((1, 10), (2, 20), (3, 30), (4, 40)):
        pipeline.add(sequence, end, 100)
    pipeline.acknowledge(1, 10)
    pipeline.acknowledge(3, 10)  # 2 was lost
    assert pipeline.position == 10
    pipeline.add(5, 20, 100)
    pipeline.acknowledge(4, 10)  # sent before the loss was known: no second loss
    assert pipeline.position == 20
    pipeline.acknowledge(5, 20)
    assert (pipeline.accepted, pipeline.position, pipeline.idle) == (20, 20, True)


def test_without_resending_losses_stay() -> None:
    pipeline = Pipeline(10_000, resend=False)
    for sequence, end in ((1, 10), (2, 20), (3, 30)):
        pipeline.add(sequence, end, 100)
    pipeline.acknowledge(3, 30)
    assert (pipeline.accepted, pipeline.position, pipeline.idle) == (30, 30, True)
    pipeline.add(4, 40, 100)
    pipeline.drain()
    assert (pipeline.accepted, pipeline.position, pipeline.idle) == (40, 40, True)


@pytest.mark.parametrize("sequence", [0, 65535])
def test_repeated_answers_change_nothing(sequence: int) -> None:
    pipeline = Pipeline(1000)
    pipeline.add(sequence, 5, 10)
    pipeline.acknowledge(sequence, 5)
    pipeline.acknowledge(sequence, 3)
    assert (pipeline.accepted, pipeline.position) == (5, 5)
