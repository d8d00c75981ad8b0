"""A graph that cannot be compiled is refused by name, index and reason."""

from typing import Any

import numpy as np
import pytest

from edgebio import compiler
from edgebio.errors import EdgebioError
from tests.compiler.changes import (
    Change,
    assert_refused,
    set_options,
    set_quantization,
    set_tensor,
    tensor,
)
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net

pytestmark = pytest.mark.usefixtures("tflite_micro")


def conv_net() -> Net:
    """CONV_2D 3x3 VALID without activation: tensors 0 input, 1 weights, 2 bias, 3 output."""
    net = Net(np.random.default_rng(0), (1, 8, 8, 2))
    rng = np.random.default_rng(1)
    weights = net.tensor(
        (4, 3, 3, 2), "INT8", [0.01] * 4, 0, 0, rng.integers(-127, 128, (4, 3, 3, 2)).astype("i1")
    )
    bias = net.tensor((4,), "INT32", data=np.zeros(4, np.int32))
    output = net.activation((1, 6, 6, 4), np.float32(0.1), 3)
    net.operator(
        "CONV_2D",
        [net.at, weights, bias],
        [output],
        "Conv2DOptions",
        padding=1,
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
    )
    net.at = output
    return net


def dense_net() -> Net:
    """FULLY_CONNECTED 6 -> 3: tensors 0 input, 1 weights, 2 bias, 3 output."""
    net = Net(np.random.default_rng(0), (1, 6))
    weights = net.tensor((3, 6), "INT8", 0.01, 0, 0, np.ones((3, 6), np.int8))
    scale = net.scale_of(0) * np.float32(0.01)
    bias = net.tensor((3,), "INT32", scale, data=np.zeros(3, np.int32))
    output = net.activation((1, 3), np.float32(0.1), 3)
    net.operator("FULLY_CONNECTED", [0, weights, bias], [output], "FullyConnectedOptions")
    net.at = output
    return net


def one(kind: str, options: str = "", shape: tuple[int, ...] = (1, 4, 4, 2), **values: Any) -> Net:
    net = Net(np.random.default_rng(0), shape)
    output = net.activation(shape, 1 / 256, -128)
    net.operator(kind, [net.at], [output], options, **values)
    net.at = output
    return net


def test_unchanged_networks_compile() -> None:
    assert compiler.compile_model(conv_net().finish()).macs == 6 * 6 * 4 * 18
    assert compiler.compile_model(dense_net().finish()).macs == 18


def wire(inputs: list[int] | None = None, outputs: list[int] | None = None) -> Change:
    def change(net: Net) -> None:
        if inputs is not None:
            net.graph.operators[0].inputs = inputs
        if outputs is not None:
            net.graph.operators[0].outputs = outputs

    return change


def signature(net: Net) -> None:
    tensor(net, 0).shapeSignature = [1, -1, 8, 2]


def second_writer(net: Net) -> None:
    first = net.graph.operators[0]
    net.operator("RELU", [0], [int(first.outputs[0])])


def float_weights(net: Net) -> None:
    tensor(net, 1).type = FLOAT
    tensor(net, 1).buffer = net.buffer(np.zeros((4, 3, 3, 2), np.float32).tobytes())


def input_as_weights(net: Net) -> None:
    net.graph.operators[0].inputs = [0, 0, 2]


def three_groups(net: Net) -> None:
    """Four outputs of three groups of two channels."""
    tensor(net, 0).shape = [1, 8, 8, 6]


def too_many_groups(net: Net) -> None:
    """With the zeros between groups, 4,000 x 3 x 3 x 4,000 weights."""
    tensor(net, 1).shape = [4000, 3, 3, 2]
    tensor(net, 1).quantization.scale = [0.01]
    tensor(net, 1).quantization.zeroPoint = [0]
    tensor(net, 1).buffer = net.buffer(bytes(4000 * 18))
    tensor(net, 2).shape = [4000]
    tensor(net, 2).buffer = net.buffer(bytes(4000 * 4))
    tensor(net, 0).shape = [1, 8, 8, 4000]
    tensor(net, 3).shape = [1, 6, 6, 4000]


FLOAT, INT16 = 0, 7  # TensorType

CONV = "operator 0 (CONV_2D): "


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (float_weights, CONV + "weights, tensor 1, are float32"),
        (input_as_weights, CONV + "weights, tensor 0, are not constant"),
        (set_tensor(1, buffer=0), CONV + "its input, tensor 1, is not computed before it"),
        (set_quantization(1, zeroPoint=[1] * 4), CONV + "weights, tensor 1, have a zero point"),
        (set_quantization(1, quantizedDimension=2), "4 scales along axis 2"),
        (set_quantization(1, scale=[0.1, 0.0, 0.1, 0.1]), CONV + "tensor 1 has scale 0"),
        (set_quantization(0, scale=[float("nan")]), CONV + "tensor 0 has scale nan"),
        (set_quantization(0, scale=[float("inf")]), CONV + "tensor 0 has scale inf"),
        (set_quantization(3, scale=[-0.5]), CONV + "tensor 3 has scale -0.5"),
        (set_quantization(3, scale=[1e-20]), CONV + "its scales require a factor of"),
        (set_quantization(3, zeroPoint=[200]), CONV + "tensor 3 has zero point 200"),
        (set_tensor(0, quantization=None), CONV + "tensor 0 has 0 scales"),
        (set_tensor(0, type=INT16), "tensor 0: the model's input is int16"),
        (set_tensor(0, shape=[2, 8, 8, 2]), "shape [2, 8, 8, 2]; only batch 1 is supported"),
        (set_tensor(0, shape=[1, 8, 8, 3]), CONV + "weights take 2 channels, the input has 3"),
        (set_tensor(0, shape=[1, 2, 8, 2]), CONV + "a window of 3 x 3 does not fit"),
        (set_tensor(0, shape=[1, 0, 8, 2]), CONV + "tensor 0 has shape [1, 0, 8, 2]"),
        (set_tensor(0, shape=[1, 8, 16]), CONV + "tensor 0 has 3 axes; 4 are required"),
        (three_groups, CONV + "4 outputs of 3 groups of channels"),
        (too_many_groups, CONV + "more than 16,777,216 weights with the zeros between groups"),
        (set_tensor(0, shape=[1, 40000, 1, 2]), CONV + "tensor 0 has shape [1, 40000, 1, 2]"),
        (set_tensor(3, shape=[1, 6, 7, 4]), CONV + "output has shape [1, 6, 7, 4], [1, 6, 6, 4]"),
        (signature, CONV + "tensor 0 has a dynamic shape"),
        (set_tensor(0, isVariable=True), "tensor 0: the model's input is a variable"),
        (set_options(strideH=0), CONV + "stride of 0"),
        (set_options(strideW=-1), CONV + "stride of -1"),
        (set_options(dilationHFactor=0), CONV + "dilation of 0"),
        (set_options(fusedActivationFunction=4), CONV + "fused activation TANH"),
        (set_options(fusedActivationFunction=9), CONV + "option code 9"),
        (set_options(padding=7), CONV + "option code 7"),
        (wire(inputs=[0, 1, 2, 2]), CONV + "4 inputs"),
        (wire(inputs=[3, 1, 2]), CONV + "its input, tensor 3, is not computed before it"),
        (wire(inputs=[0]), CONV + "1 inputs"),
        (wire(inputs=[0, -1]), CONV + "input 1 is missing"),
        (wire(inputs=[0, 1, 77]), CONV + "tensor 77 does not exist"),
        (wire(outputs=[3, 0]), CONV + "2 outputs"),
        (wire(outputs=[]), CONV + "0 outputs"),
        (wire(outputs=[1]), CONV + "its output, tensor 1, is a constant"),
        (wire(outputs=[0]), CONV + "its output, tensor 0, is already written"),
        (second_writer, "operator 1 (RELU): its output, tensor 3, is already written"),
        (set_tensor(2, type=INT16, shape=[8]), CONV + "bias, tensor 2, is int16"),
        (set_tensor(2, buffer=0), CONV + "its input, tensor 2, is not computed before it"),
        (set_tensor(2, shape=[5]), "tensor 2: 16 bytes of data, 20 required"),
    ],
)
def test_conv_2d(change: Change, reason: str) -> None:
    net = conv_net()
    change(net)
    assert_refused(net, reason)


DENSE = "operator 0 (FULLY_CONNECTED): "


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_options(weightsFormat=1), DENSE + "weights format SHUFFLED4x16INT8"),
        (set_tensor(0, shape=[1, 5]), DENSE + "5 inputs do not make rows of 6"),
        (set_tensor(3, shape=[1, 4]), DENSE + "output has shape [1, 4], 3 columns"),
        (set_quantization(2, scale=[0.5]), DENSE + "bias has scale 0.5, the products have"),
    ],
)
def test_fully_connected(change: Change, reason: str) -> None:
    net = dense_net()
    change(net)
    assert_refused(net, reason)


def test_unsupported_operators_are_refused() -> None:
    assert_refused(one("EXP"), "operator 0 (EXP): not supported; ")
    custom = one("CUSTOM")
    custom.model.operatorCodes[0].customCode = b"my_op"
    assert_refused(custom, "operator 0 (CUSTOM 'my_op'): not supported")


def test_softmax() -> None:
    net = one("SOFTMAX", "SoftmaxOptions", (1, 512), beta=1.0)
    assert_refused(net, "operator 0 (SOFTMAX): shape [1, 512]; at most 511 classes")
    net = one("SOFTMAX", "SoftmaxOptions", (1, 5), beta=0.0)
    assert_refused(net, "operator 0 (SOFTMAX): beta 0 with input scale")
    net = one("SOFTMAX", "SoftmaxOptions", (1, 5), beta=1.0)
    tensor(net, 1).quantization.scale = [0.1]
    assert_refused(net, "operator 0 (SOFTMAX): output has scale 0.1")


def test_mean_pad_add_reshape() -> None:
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    axis = net.tensor((1,), "INT32", data=np.array([7], np.int32))
    net.operator("MEAN", [0, axis], [net.activation((1, 2))], "ReducerOptions")
    net.at = 2
    assert_refused(net, "operator 0 (MEAN): axes [7] of 4")

    net = Net(np.random.default_rng(0), (1, 4))
    pads = net.tensor((2, 2), "INT32", data=np.array([[0, 0], [-1, 1]], np.int32))
    net.operator("PAD", [0, pads], [net.activation((1, 4))], "PadOptions")
    net.at = 2
    assert_refused(net, "operator 0 (PAD): paddings [(0, 0), (-1, 1)]")

    net = Net(np.random.default_rng(0), (1, 4))
    other = net.tensor((3,), "INT8", 0.1, data=np.zeros(3, np.int8))
    net.operator("ADD", [0, other], [net.activation((1, 4))], "AddOptions")
    net.at = 2
    assert_refused(net, "operator 0 (ADD): shapes [1, 4] and [3] do not broadcast")

    net = Net(np.random.default_rng(0), (1, 4))
    net.operator("ADD", [0, 0], [net.activation((1, 4), np.float32(1e-9))], "AddOptions")
    net.at = 1
    assert_refused(net, "are too far apart")

    net = Net(np.random.default_rng(0), (1, 4))
    net.operator("RESHAPE", [0], [net.activation((1, 5))], "ReshapeOptions")
    net.at = 1
    assert_refused(net, "operator 0 (RESHAPE): [1, 4] to [1, 5] changes the number of elements")


def test_inputs_outputs_and_subgraphs() -> None:
    net = conv_net()
    net.graph.inputs = [0, 0]
    assert_refused(net, "a tensor is two of the model's inputs, [0, 0]")

    net = conv_net()
    net.graph.inputs = []
    assert_refused(net, "the model has no inputs")

    net = conv_net()
    net.graph.outputs = []
    with pytest.raises(EdgebioError, match="the model has no outputs"):
        compiler.compile_model(net.build())

    net = conv_net()
    net.model.subgraphs = [net.graph] * 17
    assert_refused(net, "17 subgraphs; a model has 1 to 16")

    net = conv_net()
    net.at = net.activation((1, 4))
    assert_refused(net, f"tensor {net.at}: no operator computes the model's output")

    net = conv_net()
    net.at = 0
    assert_refused(net, "the model computes nothing")

    net = Net(np.random.default_rng(0), (1, 4))
    output = net.activation((1, 2, 2), net.scale_of(0), net.zero_of(0))
    net.operator("RESHAPE", [0], [output], "ReshapeOptions")
    net.at = output
    assert_refused(net, "the model computes nothing")

    net = conv_net()
    net.at = 1
    assert_refused(net, "tensor 1: the model's output is a constant")


def chain(*kinds: str) -> Net:
    """Operators with one input and one output, one after the other: tensors 0, 1, 2 ..."""
    net = Net(np.random.default_rng(0), (1, 4, 4, 2))
    for kind in kinds:
        output = net.activation((1, 4, 4, 2))
        net.operator(kind, [net.at], [output])
        net.at = output
    return net


def test_missing_and_circular_connections() -> None:
    net = chain("RELU", "RELU6")
    net.graph.operators[0].inputs = [1]
    assert_refused(net, "operator 0 (RELU): its input, tensor 1, is not computed before it")

    net = chain("RELU", "RELU6", "QUANTIZE")  # 0 reads the output of 1, and 1 that of 0
    net.graph.operators[0].inputs = [2]
    assert_refused(net, "operator 0 (RELU): its input, tensor 2, is not computed before it")

    net = chain("RELU", "RELU6")  # not in the order of execution
    net.graph.operators.reverse()
    assert_refused(net, "operator 0 (RELU6): its input, tensor 1, is not computed before it")

    net = chain("RELU", "RELU6")
    net.graph.operators[1].inputs = [net.activation((1, 4, 4, 2))]
    assert_refused(net, "operator 1 (RELU6): its input, tensor 3, is not computed before it")

    net = chain("RELU")
    net.at = net.activation((1, 4, 4, 2))
    assert_refused(net, "tensor 2: no operator computes the model's output")

    net = chain("RELU")
    net.graph.operators[0].outputs = [1 << 20]
    assert_refused(net, "operator 0 (RELU): tensor 1048576 does not exist; the model has 2")


def test_types_inside_a_model() -> None:
    for dtype, reason in (
        (INT16, "its activations are int16 (16x8); make it int8"),
        (0, "a float32 model; make it int8"),
        (3, "its activations are uint8, of TensorFlow 1; make it int8"),
        (17, "operator 1 (RELU): tensor 2 is int4; only int8 is supported here"),
    ):
        net = chain("QUANTIZE", "RELU", "QUANTIZE")
        tensor(net, 2).type = dtype
        assert_refused(net, reason)


@pytest.mark.parametrize("kind", ["WHILE", "IF", "CALL", "UNIDIRECTIONAL_SEQUENCE_RNN"])
def test_control_flow(kind: str) -> None:
    assert_refused(chain(kind), f"operator 0 ({kind}): not supported; ")


def test_sizes_that_overflow() -> None:
    net = chain("RELU")
    tensor(net, 0).shape = [1, 1 << 16, 1 << 15, 2]
    assert_refused(net, "tensor 0: shape [1, 65536, 32768, 2] overflows")
    net = chain("RELU")
    tensor(net, 1).shape = [1, -4, 4, 2]
    assert_refused(net, "tensor 1: negative size in shape [1, -4, 4, 2]")
    net = chain("RELU")
    tensor(net, 0).shape = [1, 8192, 4096, 1]
    assert_refused(net, "operator 0 (RELU): tensor 0 has more than 16,777,216 elements")
    net = chain("RELU")
    tensor(net, 0).shape = [1] * 9
    assert_refused(net, "tensor 0: more than 8 axes")


def test_sparse_weights() -> None:
    net = conv_net()
    tensor(net, 1).sparsity = load_schema().SparsityParametersT()
    assert_refused(net, CONV + "tensor 1 is sparse")


def test_too_much_of_everything_is_refused_soon() -> None:
    net = Net(np.random.default_rng(0), (1, 4))
    for _ in range(501):
        net.unary()
    assert_refused(net, "501 operators; at most 500")

    net = Net(np.random.default_rng(0), (1, 2048))
    weights = net.tensor((1500, 2048), "INT8", 0.01, 0, 0, np.ones((1500, 2048), np.int8))
    for _ in range(6):
        output = net.activation((1, 1500), np.float32(0.1))
        net.operator("FULLY_CONNECTED", [0, weights], [output], "FullyConnectedOptions")
        net.at = output
    assert_refused(net, "operator 5 (FULLY_CONNECTED): more than 16,777,216 bytes of constants")

    net = Net(np.random.default_rng(0), (1, 2048, 2049, 1))
    axes = net.tensor((2,), "INT32", data=np.array([1, 2], np.int32))
    net.operator("MEAN", [0, axes], [net.activation((1, 1))], "ReducerOptions")
    net.at = 2
    assert_refused(net, "operator 0 (MEAN): shape [1, 2048, 2049, 1] is too large")


def test_hundreds_of_layers_are_planned_in_seconds() -> None:
    """Many tensors that live long are the worst case for the planner."""
    net = Net(np.random.default_rng(0), (1, 4))
    tensors = []
    for _ in range(250):
        net.unary()
        tensors.append(net.at)
    for index in tensors[:-1]:
        output = net.activation((1, 4), np.float32(0.1))
        net.operator("ADD", [net.at, index], [output], "AddOptions")
        net.at = output
    assert compiler.compile_model(net.finish()).plan.total >= 200 * 4


def test_error_names_the_path(tmp_path: Any) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(one("EXP").finish())
    with pytest.raises(EdgebioError, match=r"net\.tflite: operator 0 \(EXP\)"):
        compiler.generate(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
