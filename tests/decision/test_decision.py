"""The decision's C against its definition in plain Python."""

import ctypes
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.decision import c_source
from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import MAX_CLASSES, REJECTED, REST, DecisionSettings, rest_class
from edgebio.decision.twin import Decider, activity
from edgebio.errors import EdgebioError
from edgebio.processes import host_compiler
from edgebio.tflite import Graph, Operator, Tensor

SOFTMAX = Outputs(classes=4, scale=1 / 256, zero_point=-128, softmax=True)


def outputs(classes: int, softmax: bool, scale: float = 0.1) -> Outputs:
    return Outputs(classes, 1 / 256 if softmax else scale, -128 if softmax else 3, softmax)


@st.composite
def streams(draw: st.DrawFn) -> tuple[DecisionSettings, Outputs, np.ndarray]:
    model = outputs(
        draw(st.integers(2, 12)), draw(st.booleans()), draw(st.sampled_from([0.02, 0.1, 0.5]))
    )
    config = DecisionSettings(
        votes=draw(st.integers(1, 31)), confidence=draw(st.sampled_from([0.0, 0.3, 0.5, 0.9]))
    )
    n = draw(st.integers(0, 60))
    # Few different values, to get ties.
    values = draw(st.sampled_from([[-128, 127], [-5, 0, 40], list(range(-128, 128))]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return config, model, rng.choice(values, (n, model.classes)).astype(np.int8)


def vote(winners: list[int], votes: int) -> list[int]:
    """Majority of the last `votes` votes; a tie goes to the most recent of its votes."""
    decisions = []
    for k in range(len(winners)):
        recent = winners[max(0, k + 1 - votes) : k + 1]
        most = max(recent.count(w) for w in recent)
        decisions.append(next(w for w in reversed(recent) if recent.count(w) == most))
    return decisions


@given(streams())
def test_votes_are_counted_as_defined(
    case: tuple[DecisionSettings, Outputs, np.ndarray],
) -> None:
    config, model, stream = case
    result = Decider(config, model).decide(stream)
    assert result.decisions.tolist() == vote(result.winners.tolist(), config.votes)


@given(streams())
def test_winner_is_the_largest_output_or_rejected_by_its_probability(
    case: tuple[DecisionSettings, Outputs, np.ndarray],
) -> None:
    config, model, stream = case
    winners = Decider(config, model).decide(stream).winners
    largest = stream.argmax(axis=1)
    probability = model.probabilities(stream).max(axis=1, initial=0)
    # Q15 exponentials are off by up to half a step each; at the threshold either is right.
    margin = 0 if model.softmax else probability**2 * model.classes / 2**15
    certain = probability >= config.confidence
    clear = np.abs(probability - config.confidence) > margin
    clear |= probability == config.confidence if model.softmax else False
    assert (winners[clear] == np.where(certain, largest, REJECTED)[clear]).all()
    assert np.isin(winners, [*range(model.classes), REJECTED]).all()
    if not config.confidence:
        assert (winners == largest).all()


def test_votes_and_rejections_of_an_example() -> None:
    """Votes of 3 segments; 128 / 256 is certain enough, 127 / 256 is not."""
    stream = np.array(
        [[0, -128, -128, -128], [-128, 0, -128, -128], [-128, -1, -128, -128],
         [-128, 127, -128, -128], [-128, -128, 100, 100], [-128, -128, -128, 1]], np.int8,
    )  # fmt: skip
    result = Decider(DecisionSettings(votes=3, confidence=0.5), SOFTMAX).decide(stream)
    assert result.winners.tolist() == [0, 1, REJECTED, 1, 2, 3]
    assert result.decisions.tolist() == [0, 1, REJECTED, 1, 2, 3]
    longer = Decider(DecisionSettings(votes=4, confidence=0.5), SOFTMAX).decide(stream)
    assert longer.decisions.tolist() == [0, 1, REJECTED, 1, 1, 3]


def test_confidence_that_no_output_reaches_rejects_everything() -> None:
    stream = np.full((3, 4), 127, np.int8)
    result = Decider(DecisionSettings(confidence=0.999), SOFTMAX).decide(stream)
    assert (result.decisions == REJECTED).all()


def test_largest_number_of_classes_does_not_overflow() -> None:
    model = Outputs(MAX_CLASSES, 0.001, 0, softmax=False)
    stream = np.zeros((2, MAX_CLASSES), np.int8)  # 254 classes, all equal: 1/254 each
    for confidence, expected in ((0.003, 0), (0.004, REJECTED)):
        result = Decider(DecisionSettings(confidence=confidence), model).decide(stream)
        assert result.winners.tolist() == [expected] * 2


def test_exponentials_are_exact_to_half_a_step() -> None:
    c = constants(DecisionSettings(confidence=0.6), outputs(5, softmax=False))
    assert c.exponential is not None
    assert c.exponential[0] == 1 << 15
    for d, value in enumerate(c.exponential):
        assert abs(value - (1 << 15) * math.exp(-0.1 * d)) <= 0.5


@pytest.mark.parametrize(
    "stream", [np.zeros((3, 4)), np.zeros((3, 5), np.int8), np.zeros(4, np.int8)]
)
def test_outputs_of_wrong_shape_or_type_are_refused(stream: np.ndarray) -> None:
    with pytest.raises(EdgebioError, match=r"takes int8 outputs of shape \(n, 4\)"):
        Decider(DecisionSettings(), SOFTMAX).decide(stream)


# --- onset, hold and rest ------------------------------------------------------------------------

VOTE, UNCERTAIN, QUIET, HOLD = range(4)


def policy(
    winners: list[int], quiet: list[bool], settings: DecisionSettings, rest: int
) -> tuple[list[int], list[int]]:
    """Decisions and reasons, in plain Python."""
    votes = vote([rest if q else w for w, q in zip(winners, quiet, strict=True)], settings.votes)
    decisions, reasons = [], []
    last, repeated = REJECTED, 0
    for decision, is_quiet in zip(votes, quiet, strict=True):
        if is_quiet:
            decision, reason = rest, QUIET
        elif decision != REJECTED:
            reason = VOTE
        elif last != REJECTED and repeated < settings.hold:
            decision, reason = last, HOLD
        else:
            reason = UNCERTAIN
        repeated = repeated + 1 if reason == HOLD else 0
        last = decision
        decisions.append(decision)
        reasons.append(reason)
    return decisions, reasons


@given(streams(), st.integers(0, 4), st.booleans(), st.sampled_from([0.0, 1.0]))
def test_onset_and_hold_are_as_defined(
    case: tuple[DecisionSettings, Outputs, np.ndarray], hold: int, has_rest: bool, onset: float
) -> None:
    config, model, stream = case
    config = config.model_copy(update={"hold": hold, "onset": onset})
    names = tuple(f"grip {i}" for i in range(model.classes - has_rest)) + ("Rest",) * has_rest
    model = Outputs(model.classes, model.scale, model.zero_point, model.softmax, names)
    motion = np.random.default_rng(len(stream)).integers(0, 32, len(stream)).astype(np.uint32)
    loud = config.model_copy(update={"onset": 0.0})
    winners = Decider(loud, model).decide(stream).winners.tolist()
    quiet = (motion < 16 * onset).tolist()
    rest = model.classes - 1 if has_rest else REST
    result = Decider(config, model).decide(stream, motion)
    assert (result.decisions.tolist(), result.reasons.tolist()) == policy(
        winners, quiet, config, rest
    )
    # In two parts, and again after a reset.
    decider = Decider(config, model)
    half = len(stream) // 2
    parts = [
        decider.decide(stream[:half], motion[:half]),
        decider.decide(stream[half:], motion[half:]),
    ]
    assert np.concatenate([p.decisions for p in parts]).tolist() == result.decisions.tolist()
    decider.reset()
    assert decider.decide(stream, motion).decisions.tolist() == result.decisions.tolist()


def test_activity_is_the_mean_difference() -> None:
    rng = np.random.default_rng(4)
    samples = rng.integers(-32768, 32768, (300, 3)).astype(np.int16)
    steps = np.abs(np.diff(samples.astype(np.int64), axis=0)).sum(axis=1) * 16 // 3
    result = activity(samples, 100, 40)
    first = [steps[:99], *(steps[99 + 40 * k : 139 + 40 * k] for k in range(5))]
    assert result.tolist() == [int(part.sum() // len(part)) for part in first]
    assert activity(np.full((100, 2), 1000, np.int16), 100, 10).tolist() == [0], "no offset"
    extremes = np.tile(np.array([[-32768], [32767]], np.int16), (3000, 1))
    assert activity(extremes, 6000, 10).tolist() == [16 * 65535], "no overflow"
    assert activity(samples[:99], 100, 40).size == 0


def test_rest_class_is_recognized_by_its_name() -> None:
    assert rest_class(DecisionSettings(), ("fist", "Neutral")) == 1
    assert rest_class(DecisionSettings(), ("fist", "point")) == REST
    assert rest_class(DecisionSettings(rest="fist"), ("fist", "rest")) == 0
    model = Outputs(2, 0.1, 0, softmax=False, names=("a", "b"))
    with pytest.raises(EdgebioError, match="decision settings: rest: no class 'c'; there are a, b"):
        constants(DecisionSettings(rest="c"), model)


# --- a model's outputs ------------------------------------------------------------------


def graph(dtype: str = "int8", classes: int = 6, scales: int = 1, last: str = "SOFTMAX") -> Graph:
    tensors = tuple(
        Tensor(i, "", (1, classes), dtype, np.full(scales, 0.5, np.float32),
               np.full(scales, 7), 0, None)
        for i in range(2)
    )  # fmt: skip
    return Graph(tensors, (Operator(0, last, (0,), (1,), {}),), (0,), (1,), {}, "")


def test_outputs_of_a_model() -> None:
    assert Outputs.from_graph(graph()) == Outputs(6, 0.5, 7, softmax=True)
    assert Outputs.from_graph(graph(last="FULLY_CONNECTED")) == Outputs(6, 0.5, 7, softmax=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (graph(dtype="float32"), "need int8 outputs with one scale; the model's are float32"),
        (graph(scales=6), "int8 with 6 scales"),
        (graph(classes=1), "2 to 254 classes; the model has 1"),
        (graph(classes=255), "the model has 255"),
    ],
)
def test_model_with_unsuitable_outputs_is_refused(wrong: Graph, message: str) -> None:
    with pytest.raises(EdgebioError, match=message):
        Outputs.from_graph(wrong)


# --- the generated configuration ------------------------------------------------------------


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("confidence", [0.0, 0.7])
def test_generated_configuration_decides_as_the_twin(
    softmax: bool, confidence: float, tmp_path: Path
) -> None:
    """The C of a firmware build, under the undefined-behavior sanitizer."""
    model = outputs(5, softmax)
    config = DecisionSettings(votes=5, confidence=confidence, hold=2, onset=0.5)
    sources = c_source.write(tmp_path, config, model)
    loop = tmp_path / "loop.c"
    loop.write_text(
        '#include "decision_config.h"\n'
        "void run(const int8_t *in, size_t n, uint8_t *out);\n"
        "void run(const int8_t *in, size_t n, uint8_t *out)\n{\n"
        "    eb_decision_state state;\n    eb_decision_reset(&state);\n"
        "    for (size_t i = 0; i < n; i++) {\n"
        "        out[i] = eb_decide(&eb_decision_settings, &state, in + 5 * i,\n"
        "                           (uint32_t)(i % 20)).decision;\n    }\n}\n"
    )
    flags = [*host_compiler.STRICT, "-Wshadow", "-Wconversion", "-fsanitize=undefined",
             "-fno-sanitize-recover=all"]  # fmt: skip
    library = host_compiler.load_library(
        "decision-config", [*sources, loop], [c_source.FOLDER, tmp_path], flags
    )
    rng = np.random.default_rng(1)
    stream = rng.integers(-128, 128, (500, 5), np.int8)
    result = np.empty(500, np.uint8)
    library.run(
        ctypes.c_void_p(stream.ctypes.data), ctypes.c_size_t(500),
        ctypes.c_void_p(result.ctypes.data),
    )  # fmt: skip
    motion = np.arange(500, dtype=np.uint32) % 20
    expected = Decider(config, model).decide(stream, motion)
    assert result.tolist() == expected.decisions.tolist()
    # In sixteenths of a count: 8 of 20 segments are below the onset.
    assert (expected.reasons == QUIET).sum() == 500 * 8 // 20
