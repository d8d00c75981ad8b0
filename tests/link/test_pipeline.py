"""Go-back-N against a receiver that loses pieces and answers."""

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio.link.pipeline import Pipeline

CAPACITY = 4000


class Receiver:
    """Takes pieces in order and nothing else; a lossy line on both sides of it."""

    def __init__(self, loss: float, seed: int) -> None:
        self.random = random.Random(seed)
        self.loss = loss
        self.ring: deque[tuple[int, int, int, int]] = deque()  # sequence, first, end, bytes
        self.taken = 0
        self.most_held = 0

    def send(self, sequence: int, first: int, end: int, size: int) -> None:
        if self.random.random() >= self.loss:
            self.ring.append((sequence, first, end, size))
            self.most_held = max(self.most_held, sum(piece[3] for piece in self.ring))

    def answer(self) -> tuple[int, int] | None:
        """Work off one piece; its answer, if that is not lost."""
        sequence, first, end, _ = self.ring.popleft()
        if first <= self.taken < end:
            self.taken = end
        return None if self.random.random() < self.loss else (sequence, self.taken)


@given(
    total=st.integers(1, 30_000),
    piece=st.integers(300, 1500),
    loss=st.sampled_from([0.0, 0.02, 0.3]),
    start=st.integers(0, 65535),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_everything_arrives_and_the_ring_never_overruns(
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
            pipeline.sent(sequence, end, piece)
            sent += 1
        if line.ring:
            answer = line.answer()
            if answer:
                pipeline.answered(*answer)
        else:
            pipeline.drained()  # what a heart-beat finds out when nothing comes any more
        if pipeline.taken >= total:
            break
    assert line.taken == total
    assert line.most_held <= max(CAPACITY, piece)
    if loss == 0:
        assert sent == -(-total // piece), "nothing is sent twice on a good line"


def test_one_lost_piece_costs_one_round() -> None:
    pipeline = Pipeline(10_000)
    for sequence, end in ((1, 10), (2, 20), (3, 30), (4, 40)):
        pipeline.sent(sequence, end, 100)
    pipeline.answered(1, 10)
    pipeline.answered(3, 10)  # 2 was lost
    assert pipeline.position == 10
    pipeline.sent(5, 20, 100)
    pipeline.answered(4, 10)  # sent before the loss was known: no second loss
    assert pipeline.position == 20
    pipeline.answered(5, 20)
    assert (pipeline.taken, pipeline.position, pipeline.idle) == (20, 20, True)


def test_without_resending_losses_stay() -> None:
    pipeline = Pipeline(10_000, resend=False)
    for sequence, end in ((1, 10), (2, 20), (3, 30)):
        pipeline.sent(sequence, end, 100)
    pipeline.answered(3, 30)
    assert (pipeline.taken, pipeline.position, pipeline.idle) == (30, 30, True)
    pipeline.sent(4, 40, 100)
    pipeline.drained()
    assert (pipeline.taken, pipeline.position, pipeline.idle) == (40, 40, True)


@pytest.mark.parametrize("sequence", [0, 65535])
def test_answers_of_pieces_that_were_settled_change_nothing(sequence: int) -> None:
    pipeline = Pipeline(1000)
    pipeline.sent(sequence, 5, 10)
    pipeline.answered(sequence, 5)
    pipeline.answered(sequence, 3)
    assert (pipeline.taken, pipeline.position) == (5, 5)
