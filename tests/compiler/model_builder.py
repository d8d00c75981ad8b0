"""Builds a .tflite with the schema's object API: no converter needed."""

from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

schema: Any = None  # tflite-micro's generated schema, loaded by `load_schema`


def load_schema() -> Any:
    global schema
    if schema is None:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

        schema = schema_py_generated
    return schema


class Builder:
    """Makes one .tflite: tensors and operators in order; `build` gives the bytes."""

    def __init__(self) -> None:
        s = load_schema()
        self.model = s.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [s.BufferT()]
        self.model.metadata = []
        self.graph = s.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: tuple[int, ...],
        dtype: str = "INT8",
        scale: Any = None,
        zero_point: Any = 0,
        axis: int = 0,
        data: NDArray[Any] | None = None,
    ) -> int:
        s = load_schema()
        t = s.TensorT()
        t.name = f"t{len(self.graph.tensors)}".encode()
        t.shape = list(shape)
        t.type = getattr(s.TensorType, dtype)
        t.buffer = 0
        if data is not None:
            t.buffer = self.buffer(np.ascontiguousarray(data).tobytes())
        if scale is not None:
            q = s.QuantizationParametersT()
            q.scale = [float(x) for x in np.atleast_1d(scale)]
            q.zeroPoint = [int(z) for z in np.broadcast_to(zero_point, len(q.scale))]
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def buffer(self, data: bytes) -> int:
        b = load_schema().BufferT()
        b.data = np.frombuffer(data, np.uint8)
        self.model.buffers.append(b)
        return len(self.model.buffers) - 1

    def operator(
        self, kind: str, inputs: list[int], outputs: list[int], options: str = "", **values: Any
    ) -> int:
        s = load_schema()
        code = s.OperatorCodeT()
        code.builtinCode = getattr(s.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        self.model.operatorCodes.append(code)
        op = s.OperatorT()
        op.opcodeIndex = len(self.model.operatorCodes) - 1
        op.inputs, op.outputs = inputs, outputs
        if options:
            op.builtinOptionsType = getattr(s.BuiltinOptions, options)
            op.builtinOptions = getattr(s, options + "T")()
            for name, value in values.items():
                assert hasattr(op.builtinOptions, name), name
                setattr(op.builtinOptions, name, value)
        self.graph.operators.append(op)
        return len(self.graph.operators) - 1

    def build(self) -> bytes:
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
