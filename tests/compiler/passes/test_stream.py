"""Streams: which rows are reused, what is kept, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.compiler.host_stream import HostStream
from edgebio.compiler.ir.layers import Conv2D
from edgebio.compiler.ir.stream import Stream
from edgebio.errors import EdgebioError
from tests.compiler.networks import Net
from tests.compiler.reference import build_network

pytestmark = pytest.mark.usefixtures("tflite_micro")

SHAPE = (1, 20, 4, 8)


def valid(net: Net, frames: int = 3, stride: int = 1) -> None:
    window = {"size": [frames, 3], "stride": [stride, 1], "dilation": [1, 1], "same": False}
    net.conv(window, outputs=8)


def same(net: Net) -> None:
    net.conv({"size": [3, 3], "stride": [1, 1], "dilation": [1, 1], "same": True}, outputs=8)


def stream_of(build: Callable[[Net], None], hop: int = 1) -> Stream:
    stream = compiler.compile_model(build_network(build, SHAPE), hop=hop).stream
    assert stream is not None
    return stream


def rows(stream: Stream) -> list[tuple[int, int]]:
    return [(layer.reused, layer.recomputed) for layer in stream.layers]


def test_without_padding_a_new_frame_changes_one_row_of_each_layer() -> None:
    def build(net: Net) -> None:
        valid(net)
        net.conv({"size": [3, 2], "stride": [1, 1], "dilation": [1, 1], "same": False}, outputs=8)
        net.reshape((1, 16 * 8))
        net.dense()

    stream = stream_of(build)
    assert rows(stream)[:2] == [(17, 1), (15, 1)]
    # Those that take more than one value.
    first, second = (stream.network.tensors[layer.output].shape[-1]
                     for layer in compiler.compile_model(build_network(build, SHAPE)).network.layers
                     if isinstance(layer, Conv2D))  # fmt: skip
    assert stream.layers[1].state == 16 * second
    # Three rows of the input and of the first layer, all 16 of the second, and two counters.
    assert stream.state == 3 * 4 * 8 + stream.layers[0].state + stream.layers[1].state + 8
    assert stream.layers[0].state == 3 * 2 * first


def test_a_mean_over_time_is_a_sum_that_follows_the_window() -> None:
    def build(net: Net) -> None:
        valid(net)
        net.mean([1, 2])

    stream = stream_of(build)
    names = [type(step).__name__ for layer in stream.layers for step in layer.steps]
    assert names == ["AddPixels", "Move", "KernelCall", "AddPixels", "FinishMean"]
    assert stream.layers[1].state == 4 * 8


def test_with_padding_both_borders_are_recomputed() -> None:
    def build(net: Net) -> None:
        same(net)
        same(net)
        net.dense()

    assert rows(stream_of(build))[:2] == [(17, 3), (15, 5)]
    assert rows(stream_of(build, hop=2))[:2] == [(16, 4), (14, 6)]


def test_steps_in_time_are_kept_in_phases() -> None:
    def build(net: Net) -> None:
        valid(net, 4, 2)
        net.conv({"size": [3, 1], "stride": [1, 1], "dilation": [1, 1], "same": True}, outputs=8)
        net.dense()

    assert stream_of(build, hop=2).phases == 1
    stream = stream_of(build, hop=1)
    assert stream.phases == 2
    assert rows(stream)[:2] == rows(stream_of(build, hop=2))[:2] == [(8, 1), (6, 3)]


def test_what_cannot_be_reused_says_why() -> None:
    def build(net: Net) -> None:
        valid(net)
        net.reshape((1, 18 * 2 * 8))
        net.dense()
        net.softmax()

    reasons = [layer.reason for layer in stream_of(build).layers]
    assert reasons == ["", "it connects all rows", "it reads what is computed once a decision"]


@pytest.mark.parametrize("hop", [0, 20, 21, -1])
def test_a_hop_of_no_or_all_frames_is_refused(hop: int) -> None:
    with pytest.raises(EdgebioError, match=r"the hop is 1 to 19"):
        stream_of(same, hop)


def test_windows_that_share_nothing_are_refused() -> None:
    def build(net: Net) -> None:
        net.reshape((1, 20 * 4 * 8))
        net.dense()

    with pytest.raises(EdgebioError, match=r"nothing can be reused: .*FULLY_CONNECTED.*all rows"):
        stream_of(build)


def test_a_step_that_does_not_divide_the_hop_is_refused_or_kept() -> None:
    """Eleven phases are more than are kept."""

    def build(net: Net) -> None:
        window = {"size": [2, 1], "stride": [11, 1], "dilation": [1, 1], "same": False}
        net.pool(window, "MAX_POOL_2D")
        net.dense()

    with pytest.raises(EdgebioError, match=r"step of 11 rows does not divide the hop"):
        stream_of(build)


def test_time_backwards_is_refused() -> None:
    def build(net: Net) -> None:
        net.strided_slice([0, 19, 0, 0], [1, 0, 4, 8], [1, -1, 1, 1], SHAPE, endMask=2)
        valid(net)

    with pytest.raises(EdgebioError, match=r"operator 0 \(STRIDED_SLICE\) reads time backwards"):
        stream_of(build)


def test_an_input_without_time_is_refused() -> None:
    data = build_network(lambda net: net.dense(), (1, 40))
    with pytest.raises(EdgebioError, match=r"no stream: the input \[40\] has no axis of time"):
        compiler.compile_model(data, hop=1)


def test_state_larger_than_memory_is_refused() -> None:
    def build(net: Net) -> None:
        same(net)
        same(net)

    data = build_network(build, SHAPE)
    whole = compiler.compile_model(data, hop=1)
    assert whole.stream
    assert whole.stream.plan.total > whole.plan.total
    goal = compiler.Goal(state=whole.stream.plan.total - 1)
    with pytest.raises(EdgebioError, match=r"the stream takes [\d,]+ bytes of RAM"):
        compiler.compile_model(data, goal=goal, hop=1)


def test_wrong_frames_are_refused() -> None:
    stream = HostStream(build_network(valid, SHAPE), 3)
    with pytest.raises(EdgebioError, match=r"7 frames are no multiple of the hop of 3.*give 6"):
        stream.push(np.zeros((7, 4, 8), np.int8))
    with pytest.raises(EdgebioError, match=r"frames have shape \(6, 4\)"):
        stream.push(np.zeros((6, 4), np.int8))
    with pytest.raises(EdgebioError, match=r"frames are float64"):
        stream.push(np.zeros((6, 4, 8)))


def test_outputs_begin_with_the_first_whole_window() -> None:
    """Also where the window is no multiple of the hop, in pieces of any size, and after a reset."""
    data = build_network(valid, SHAPE)
    stream, whole = HostStream(data, 3), HostModel(data)
    frames = np.random.default_rng(0).integers(-128, 128, (60, 4, 8)).astype(np.int8)
    windows = [frames[end - 20 : end] for end in range(21, 61, 3)]
    expected = whole.run(np.stack(windows))
    pieces = [stream.push(piece) for piece in np.split(frames, [3, 21, 24, 45])]
    assert np.array_equal(np.concatenate(pieces), expected)
    assert [len(piece) for piece in pieces] == [0, 1, 1, 7, 5]
    stream.reset()
    assert np.array_equal(stream.push(frames), expected)


def test_weights_are_shared_with_the_whole_window(models_folder: Path) -> None:
    model = models_folder / "emg_dscnn.tflite"
    whole, both = compiler.compile_model(model, "dsp"), compiler.compile_model(model, "dsp", hop=2)
    assert both.constant_bytes <= 1.25 * whole.constant_bytes


def test_explanation_tells_what_is_reused() -> None:
    text = compiler.explain(compiler.compile_model(build_network(valid, SHAPE), hop=1))
    assert "streamed: 1 new of 20 frames" in text
    assert "recomputed" in text
