"""A .tflite for tflite-micro, without what it does not do as TensorFlow Lite defines it.

tflite-micro takes the shapes of a file as they are, also those that stand for open sizes; it lacks
operators that compute shapes; and its SPACE_TO_BATCH_ND never sets the value that it pads with. So
these are resolved in the file as they are in the compiler, before it runs there.
"""

from typing import Any

import numpy as np

from edgebio import tflite
from edgebio.compiler.passes.dilation import merge_dilations
from edgebio.tflite import Operator, Tensor
from edgebio.tflite.static_shapes import resolve_shapes


def static_model(data: bytes) -> bytes:
    """The same model with static shapes and dilated convolutions; `data` if it has both."""
    graph = tflite.read(data, static=False)
    resolved = merge_dilations(resolve_shapes(graph))
    if resolved.operators == graph.operators and resolved.tensors == graph.tensors:
        return data
    import flatbuffers
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    subgraph = model.subgraphs[0]
    for tensor in resolved.tensors:
        known = graph.tensors[tensor.index] if tensor.index < len(graph.tensors) else None
        if tensor is not known:
            _set_tensor(schema, model, tensor)
    before = {operator.index: operator for operator in graph.operators}
    operators = []
    for operator in resolved.operators:
        table = subgraph.operators[operator.index]
        if operator is not before[operator.index]:
            _set_operator(schema, model, table, operator)
        operators.append(table)
    subgraph.operators = operators
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _set_tensor(schema: Any, model: Any, tensor: Tensor) -> None:
    tables = model.subgraphs[0].tensors
    if tensor.index == len(tables):
        tables.append(schema.TensorT())
        tables[-1].type = getattr(schema.TensorType, tensor.dtype.upper())
    table = tables[tensor.index]
    table.shape, table.shapeSignature = list(tensor.shape), None
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        model.buffers.append(buffer)
        table.buffer = len(model.buffers) - 1


def _set_operator(schema: Any, model: Any, table: Any, operator: Operator) -> None:
    """Give a table the kind, the inputs and the dilation of `operator`."""
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator.kind)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes.append(code)
    table.opcodeIndex, table.inputs = len(model.operatorCodes) - 1, list(operator.inputs)
    if operator.options:
        options = table.builtinOptions
        options.padding = getattr(schema.Padding, str(operator.options["padding"]))
        options.dilationHFactor = int(operator.options["dilation_h_factor"])
        options.dilationWFactor = int(operator.options["dilation_w_factor"])
    else:
        table.builtinOptionsType, table.builtinOptions = 0, None
