"""The decision's C against its definition, written out plainly in Python."""

import ctypes
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import hostcc
from edgebio.decision import firmware
from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import REJECTED, DecisionSettings
from edgebio.decision.twin import decide
from edgebio.errors import EdgebioError
from edgebio.tflite import Graph, Operator, Tensor

SOFTMAX = Outputs(classes=4, scale=1 / 256, zero_point=-128, softmax=True)


def outputs(classes: int, softmax: bool, scale: float = 0.1) -> Outputs:
    return Outputs(classes, 1 / 256 if softmax else scale, -128 if softmax else 3, softmax)


@st.composite
def streams(draw: st.DrawFn) -> tuple[DecisionSettings, Outputs, np.ndarray]:
    about = outputs(
        draw(st.integers(2, 12)), draw(st.booleans()), draw(st.sampled_from([0.02, 0.1, 0.5]))
    )
    chosen = DecisionSettings(
        votes=draw(st.integers(1, 31)), confidence=draw(st.sampled_from([0.0, 0.3, 0.5, 0.9]))
    )
    n = draw(st.integers(0, 60))
    # Few different values, so that ties happen.
    values = draw(st.sampled_from([[-128, 127], [-5, 0, 40], list(range(-128, 128))]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return chosen, about, rng.choice(values, (n, about.classes)).astype(np.int8)


def vote(winners: list[int], votes: int) -> list[int]:
    """What most of the last `votes` windows voted for; of equals, what was voted for last."""
    decisions = []
    for k in range(len(winners)):
        recent = winners[max(0, k + 1 - votes) : k + 1]
        most = max(recent.count(w) for w in recent)
        decisions.append(next(w for w in reversed(recent) if recent.count(w) == most))
    return decisions


@given(streams())
@settings(max_examples=400, deadline=None)
def test_votes_are_counted_as_defined(
    case: tuple[DecisionSettings, Outputs, np.ndarray],
) -> None:
    chosen, about, stream = case
    decided = decide(chosen, about, stream)
    assert decided.decisions.tolist() == vote(decided.winners.tolist(), chosen.votes)


@given(streams())
@settings(max_examples=400, deadline=None)
def test_winner_is_the_largest_output_or_rejected_by_its_probability(
    case: tuple[DecisionSettings, Outputs, np.ndarray],
) -> None:
    chosen, about, stream = case
    winners = decide(chosen, about, stream).winners
    largest = stream.argmax(axis=1)
    probability = about.probabilities(stream).max(axis=1, initial=0)
    # Q15 exponentials are off by at most half a step each; at the very edge either is right.
    margin = 0 if about.softmax else probability**2 * about.classes / 2**15
    certain = probability >= chosen.confidence
    clear = np.abs(probability - chosen.confidence) > margin
    clear |= probability == chosen.confidence if about.softmax else False
    assert (winners[clear] == np.where(certain, largest, REJECTED)[clear]).all()
    assert np.isin(winners, [*range(about.classes), REJECTED]).all()
    if not chosen.confidence:
        assert (winners == largest).all()


def test_example_by_hand() -> None:
    """Votes over 3 windows; 128 / 256 is certain enough, 127 / 256 is not."""
    stream = np.array(
        [[0, -128, -128, -128], [-128, 0, -128, -128], [-128, -1, -128, -128],
         [-128, 127, -128, -128], [-128, -128, 100, 100], [-128, -128, -128, 1]], np.int8,
    )  # fmt: skip
    decided = decide(DecisionSettings(votes=3, confidence=0.5), SOFTMAX, stream)
    assert decided.winners.tolist() == [0, 1, REJECTED, 1, 2, 3]
    assert decided.decisions.tolist() == [0, 1, REJECTED, 1, 2, 3]
    longer = decide(DecisionSettings(votes=4, confidence=0.5), SOFTMAX, stream)
    assert longer.decisions.tolist() == [0, 1, REJECTED, 1, 1, 3]


def test_confidence_that_no_output_reaches_rejects_everything() -> None:
    stream = np.full((3, 4), 127, np.int8)
    decided = decide(DecisionSettings(confidence=0.999), SOFTMAX, stream)
    assert (decided.decisions == REJECTED).all()


def test_most_classes_do_not_overflow() -> None:
    about = Outputs(REJECTED, 0.001, 0, softmax=False)
    stream = np.zeros((2, REJECTED), np.int8)  # 255 classes, all equal: 1/255 each
    for confidence, expected in ((0.003, 0), (0.004, REJECTED)):
        decided = decide(DecisionSettings(confidence=confidence), about, stream)
        assert decided.winners.tolist() == [expected] * 2


def test_exponentials_are_exact_to_half_a_step() -> None:
    c = constants(DecisionSettings(confidence=0.6), outputs(5, softmax=False))
    assert c.exponential is not None
    assert c.exponential[0] == 1 << 15
    for d, value in enumerate(c.exponential):
        assert abs(value - (1 << 15) * math.exp(-0.1 * d)) <= 0.5


@pytest.mark.parametrize(
    "stream", [np.zeros((3, 4)), np.zeros((3, 5), np.int8), np.zeros(4, np.int8)]
)
def test_other_streams_are_refused(stream: np.ndarray) -> None:
    with pytest.raises(EdgebioError, match=r"takes int8 outputs of shape \(n, 4\)"):
        decide(DecisionSettings(), SOFTMAX, stream)


# --- what a model's outputs are ------------------------------------------------------------------


def graph(dtype: str = "int8", classes: int = 6, scales: int = 1, last: str = "SOFTMAX") -> Graph:
    tensors = tuple(
        Tensor(i, "", (1, classes), dtype, np.full(scales, 0.5, np.float32),
               np.full(scales, 7), 0, None)
        for i in range(2)
    )  # fmt: skip
    return Graph(tensors, (Operator(0, last, (0,), (1,), {}),), (0,), (1,), {}, "")


def test_outputs_of_a_model() -> None:
    assert Outputs.of(graph()) == Outputs(6, 0.5, 7, softmax=True)
    assert Outputs.of(graph(last="FULLY_CONNECTED")) == Outputs(6, 0.5, 7, softmax=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (graph(dtype="float32"), "need int8 outputs with one scale; the model's are float32"),
        (graph(scales=6), "int8 with 6 scales"),
        (graph(classes=1), "2 to 255 classes; the model has 1"),
        (graph(classes=256), "the model has 256"),
    ],
)
def test_models_that_cannot_be_decided_by(wrong: Graph, message: str) -> None:
    with pytest.raises(EdgebioError, match=message):
        Outputs.of(wrong)


# --- the firmware's own configuration ------------------------------------------------------------


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("confidence", [0.0, 0.7])
def test_generated_configuration_decides_as_the_twin(
    softmax: bool, confidence: float, tmp_path: Path
) -> None:
    """The C that a build compiles, with the undefined-behaviour sanitizer in it."""
    about, chosen = outputs(5, softmax), DecisionSettings(votes=5, confidence=confidence)
    sources = firmware.write(tmp_path, chosen, about)
    loop = tmp_path / "loop.c"
    loop.write_text(
        '#include "decision_config.h"\n'
        "void run(const int8_t *in, size_t n, uint8_t *out);\n"
        "void run(const int8_t *in, size_t n, uint8_t *out)\n{\n"
        "    eb_decision_state state;\n    eb_decision_reset(&state);\n"
        "    for (size_t i = 0; i < n; i++) {\n"
        "        const uint8_t w = eb_decision_winner(&eb_decision_settings, in + 5 * i);\n"
        "        out[i] = eb_decision_vote(&eb_decision_settings, &state, w);\n    }\n}\n"
    )
    flags = [*hostcc.STRICT, "-Wshadow", "-Wconversion", "-fsanitize=undefined",
             "-fno-sanitize-recover=all"]  # fmt: skip
    library = hostcc.library("decision-config", [*sources.own, loop], sources.include, flags)
    rng = np.random.default_rng(1)
    stream = rng.integers(-128, 128, (500, 5), np.int8)
    made = np.empty(500, np.uint8)
    library.run(
        ctypes.c_void_p(stream.ctypes.data), ctypes.c_size_t(500),
        ctypes.c_void_p(made.ctypes.data),
    )  # fmt: skip
    assert made.tolist() == decide(chosen, about, stream).decisions.tolist()
