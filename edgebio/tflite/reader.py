"""Read a .tflite into a `Graph`, without TensorFlow and without trusting the file."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import tflite
from numpy.typing import NDArray

from edgebio.errors import EdgebioError
from edgebio.tflite import flatbuffer
from edgebio.tflite.graph import Graph, Operator, Option, Tensor

__all__ = ["Graph", "read"]

_MOST_AXES: Final = 8
_MOST_OPERANDS: Final = 64

_NUMPY: Final = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "int8", "uint8", "int16", "int32", "int64", "float32", "float64")
}


def _names(enumeration: type) -> dict[int, str]:
    return {code: name for name, code in vars(enumeration).items() if name[0] != "_"}


_DTYPES: Final = {code: name.lower() for code, name in _names(tflite.TensorType).items()}
_KINDS: Final = _names(tflite.BuiltinOperator)
_PADDING: Final = _names(tflite.Padding)
_ACTIVATION: Final = _names(tflite.ActivationFunctionType)
_WEIGHTS: Final = _names(tflite.FullyConnectedOptionsWeightsFormat)


def read(source: Path | str | bytes) -> Graph:
    """Read a .tflite.

    Parameters
    ----------
    source
        A path, or the file's bytes.

    Returns
    -------
    Graph
        Its only subgraph. Constants are views into the file's bytes.

    Raises
    ------
    EdgebioError
        Where the file is missing, damaged, or holds several subgraphs; the text names the
        operator or tensor and the reason.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _read(bytes(source))
    path = Path(source)
    try:
        if path.stat().st_size > flatbuffer.MOST_BYTES:
            raise EdgebioError(f"{path}: too large for a microcontroller's model")
        data = path.read_bytes()
    except OSError as error:
        raise EdgebioError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return _read(data)
    except EdgebioError as error:
        raise EdgebioError(f"{path}: {error}") from None


def _read(data: bytes) -> Graph:
    flatbuffer.check(data)
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise EdgebioError(f"the model has {model.SubgraphsLength()} subgraphs; 1 is supported")
    graph = model.Subgraphs(0)
    buffers = [_buffer(model.Buffers(i), i) for i in range(model.BuffersLength())]
    kinds = [_kind(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    tensors = tuple(_tensor(graph.Tensors(i), i, buffers) for i in range(graph.TensorsLength()))
    operators = tuple(
        _operator(graph.Operators(i), i, kinds, len(tensors))
        for i in range(graph.OperatorsLength())
    )
    return Graph(
        tensors=tensors,
        operators=operators,
        inputs=_indices(graph.InputsAsNumpy(), len(tensors), "the model's inputs", least=0),
        outputs=_indices(graph.OutputsAsNumpy(), len(tensors), "the model's outputs", least=0),
        metadata=_metadata(model, buffers),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _array(found: Any, dtype: Any) -> NDArray[Any]:
    """Vector of a table as an array; the accessors answer 0 where the vector is absent."""
    return np.zeros(0, dtype) if isinstance(found, int) else np.asarray(found, dtype)


def _text(found: bytes | None) -> str:
    return (found or b"").decode("utf-8", "replace")


def _indices(found: Any, count: int, where: str, least: int) -> tuple[int, ...]:
    values = _array(found, np.int32)
    if len(values) > _MOST_OPERANDS:
        raise EdgebioError(f"{where}: {len(values)} tensors; at most {_MOST_OPERANDS}")
    if len(values) and (values.min() < least or values.max() >= count):
        bad = next(int(v) for v in values if not least <= v < count)
        raise EdgebioError(f"{where}: tensor {bad} does not exist; the model has {count}")
    return tuple(int(v) for v in values)


def _buffer(table: Any, index: int) -> NDArray[np.uint8]:
    if table.Offset() > 1 or table.Size() > 1:
        raise EdgebioError(f"buffer {index}: data outside the flatbuffer is not supported")
    return _array(table.DataAsNumpy(), np.uint8)


def _metadata(model: Any, buffers: list[NDArray[np.uint8]]) -> dict[str, bytes]:
    if model.MetadataLength() > _MOST_OPERANDS:
        raise EdgebioError(f"{model.MetadataLength()} metadata entries; at most {_MOST_OPERANDS}")
    found = {}
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Buffer() >= len(buffers):
            raise EdgebioError(f"metadata {index}: buffer {entry.Buffer()} does not exist")
        found[_text(entry.Name())] = buffers[entry.Buffer()].tobytes()
    return found


def _kind(code: Any) -> str:
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == tflite.BuiltinOperator.CUSTOM:
        return f"CUSTOM {_text(code.CustomCode())!r}"
    return _KINDS.get(builtin, f"operator code {builtin}")


def _tensor(table: Any, index: int, buffers: list[NDArray[np.uint8]]) -> Tensor:
    where = f"tensor {index}"
    if max(table.ShapeLength(), table.ShapeSignatureLength()) > _MOST_AXES:
        raise EdgebioError(f"{where}: more than {_MOST_AXES} axes")
    shape = tuple(int(size) for size in _array(table.ShapeAsNumpy(), np.int32))
    signature = _array(table.ShapeSignatureAsNumpy(), np.int32)
    if any(size < 0 for size in shape):
        raise EdgebioError(f"{where}: negative size in shape {list(shape)}")
    if math.prod(shape) > np.iinfo(np.int32).max:
        raise EdgebioError(f"{where}: shape {list(shape)} overflows")
    if table.Buffer() >= len(buffers):
        raise EdgebioError(f"{where}: buffer {table.Buffer()} does not exist")
    dtype = _DTYPES.get(table.Type(), f"type {table.Type()}")
    sparse = table.Sparsity() is not None
    scale, zero_point, axis = _quantization(table.Quantization(), where, shape)
    raw = buffers[table.Buffer()]
    return Tensor(
        index=index,
        name=_text(table.Name()),
        shape=shape,
        dtype=dtype,
        scale=scale,
        zero_point=zero_point,
        axis=axis,
        data=None if not len(raw) else raw if sparse else _constant(raw, dtype, shape, where),
        dynamic=bool((signature[1:] < 0).any()),
        variable=bool(table.IsVariable()),
        sparse=sparse,
    )


def _constant(
    raw: NDArray[np.uint8], dtype: str, shape: tuple[int, ...], where: str
) -> NDArray[np.generic]:
    if dtype not in _NUMPY:
        return raw  # strings, int4 and the like: kept as bytes, refused where they are used
    wanted = math.prod(shape) * _NUMPY[dtype].itemsize
    if len(raw) != wanted:
        raise EdgebioError(
            f"{where}: {len(raw)} bytes of data, {wanted} wanted for {dtype} {list(shape)}"
        )
    return raw.view(_NUMPY[dtype]).reshape(shape)


def _quantization(
    table: Any, where: str, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    if table is None:
        return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    scale = _array(table.ScaleAsNumpy(), np.float32)
    zero_point = _array(table.ZeroPointAsNumpy(), np.int64)
    axis = table.QuantizedDimension()
    if len(zero_point) not in (0, len(scale)):
        raise EdgebioError(f"{where}: {len(scale)} scales but {len(zero_point)} zero points")
    if len(scale) > 1 and (
        not 0 <= axis < max(len(shape), 1) or shape[axis : axis + 1] != (len(scale),)
    ):
        raise EdgebioError(f"{where}: {len(scale)} scales along axis {axis} of {list(shape)}")
    return scale, zero_point if len(zero_point) else np.zeros(len(scale), np.int64), axis


def _operator(table: Any, index: int, kinds: list[str], tensors: int) -> Operator:
    if table.OpcodeIndex() >= len(kinds):
        raise EdgebioError(f"operator {index}: operator code {table.OpcodeIndex()} does not exist")
    kind = kinds[table.OpcodeIndex()]
    where = f"operator {index} ({kind})"
    return Operator(
        index=index,
        kind=kind,
        inputs=_indices(table.InputsAsNumpy(), tensors, where, least=-1),
        outputs=_indices(table.OutputsAsNumpy(), tensors, where, least=0),
        options=_options(table, kind, where),
    )


def _enum(names: dict[int, str], code: int, where: str) -> str:
    if code not in names:
        raise EdgebioError(f"{where}: option code {code} is not in the schema")
    return names[code]


def _windowed(options: Any, where: str) -> dict[str, Option]:
    return {
        "padding": _enum(_PADDING, options.Padding(), where),
        "stride_h": options.StrideH(),
        "stride_w": options.StrideW(),
        "activation": _enum(_ACTIVATION, options.FusedActivationFunction(), where),
    }


def _dilated(options: Any, where: str) -> dict[str, Option]:
    return {
        **_windowed(options, where),
        "dilation_h": options.DilationHFactor(),
        "dilation_w": options.DilationWFactor(),
    }


def _pooled(options: Any, where: str) -> dict[str, Option]:
    return {
        **_windowed(options, where),
        "filter_h": options.FilterHeight(),
        "filter_w": options.FilterWidth(),
    }


def _activated(options: Any, where: str) -> dict[str, Option]:
    return {"activation": _enum(_ACTIVATION, options.FusedActivationFunction(), where)}


_READERS: Final[dict[str, tuple[type, Callable[[Any, str], dict[str, Option]]]]] = {
    "CONV_2D": (tflite.Conv2DOptions, _dilated),
    "DEPTHWISE_CONV_2D": (
        tflite.DepthwiseConv2DOptions,
        lambda o, where: {**_dilated(o, where), "depth_multiplier": o.DepthMultiplier()},
    ),
    "MAX_POOL_2D": (tflite.Pool2DOptions, _pooled),
    "AVERAGE_POOL_2D": (tflite.Pool2DOptions, _pooled),
    "FULLY_CONNECTED": (
        tflite.FullyConnectedOptions,
        lambda o, where: {
            **_activated(o, where),
            "weights_format": _enum(_WEIGHTS, o.WeightsFormat(), where),
            "keep_num_dims": o.KeepNumDims(),
        },
    ),
    "SOFTMAX": (tflite.SoftmaxOptions, lambda o, where: {"beta": o.Beta()}),
    "ADD": (tflite.AddOptions, _activated),
    "SUB": (tflite.SubOptions, _activated),
    "MUL": (tflite.MulOptions, _activated),
    "CONCATENATION": (
        tflite.ConcatenationOptions,
        lambda o, where: {**_activated(o, where), "axis": o.Axis()},
    ),
    "STRIDED_SLICE": (
        tflite.StridedSliceOptions,
        lambda o, where: {
            "begin_mask": o.BeginMask(),
            "end_mask": o.EndMask(),
            "ellipsis_mask": o.EllipsisMask(),
            "new_axis_mask": o.NewAxisMask(),
            "shrink_axis_mask": o.ShrinkAxisMask(),
            "offset": o.Offset(),
        },
    ),
    "LEAKY_RELU": (tflite.LeakyReluOptions, lambda o, where: {"alpha": o.Alpha()}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        tflite.UnidirectionalSequenceLSTMOptions,
        lambda o, where: {
            **_activated(o, where),
            "cell_clip": o.CellClip(),
            "time_major": o.TimeMajor(),
            "diagonal_recurrent_tensors": o.DiagonalRecurrentTensors(),
        },
    ),
    "MEAN": (tflite.ReducerOptions, lambda o, where: {"keep_dims": o.KeepDims()}),
}


def _options(table: Any, kind: str, where: str) -> dict[str, Option]:
    if kind not in _READERS:
        return {}
    options_type, reader = _READERS[kind]
    code = getattr(tflite.BuiltinOptions, options_type.__name__)
    found = table.BuiltinOptions()
    if found is None or table.BuiltinOptionsType() != code:
        raise EdgebioError(f"{where}: its {options_type.__name__} are missing")
    options = options_type()
    options.Init(found.Bytes, found.Pos)
    return reader(options, where)
