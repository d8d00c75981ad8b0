"""Read a .tflite into a `Graph`, without TensorFlow and without trusting the file."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import tflite
from numpy.typing import NDArray

from edgebio.errors import EdgebioError
from edgebio.tflite.edges import plain_name, unique_names
from edgebio.tflite.flatbuffer import MAX_BYTES, SCHEMA, Reader, Table
from edgebio.tflite.graph import Graph, Operator, Option, Tensor
from edgebio.tflite.static_shapes import resolve_shapes

_MAX_AXES: Final = 8
_MAX_OPERANDS: Final = 64
_MAX_SUBGRAPHS: Final = 16

_NUMPY: Final = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "int8", "uint8", "int16", "int32", "int64", "float32", "float64")
}


def _names(enumeration: str) -> dict[int, str]:
    """Names of an enumeration of the schema, by code."""
    members = vars(getattr(tflite, enumeration)).items()
    return {code: name for name, code in members if name[0] != "_"}


_DTYPES: Final = {code: name.lower() for code, name in _names("TensorType").items()}
_KINDS: Final = _names("BuiltinOperator")
_OPTIONS: Final = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "SUM": "ReducerOptions",
    "SVDF": "SVDFOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}
"""Tables of options that are not named like their operator."""


def read(source: Path | str | bytes, *, static: bool = True) -> Graph:
    """Read a .tflite.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    static
        Whether to resolve its shapes (see `static_shapes`) for a batch of 1.

    Returns
    -------
    Graph
        Its first subgraph, with the others. Constants are views into the file's bytes.

    Raises
    ------
    EdgebioError
        If the file is missing or damaged; names the operator or tensor and the reason.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        graph = _read(bytes(source))
        return resolve_shapes(graph) if static else graph
    path = Path(source)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise EdgebioError("too large for a microcontroller's model")
        return read(path.read_bytes(), static=static)
    except OSError as error:
        raise EdgebioError(f"{path}: cannot be read: {error.strerror}") from None
    except EdgebioError as error:
        raise EdgebioError(f"{path}: {error}") from None


def _read(data: bytes) -> Graph:
    reader = Reader(data)
    model = reader.model()
    tables = model["subgraphs"]
    if not 1 <= len(tables) <= _MAX_SUBGRAPHS:
        raise EdgebioError(f"{len(tables)} subgraphs; a model has 1 to {_MAX_SUBGRAPHS}")
    buffers = [_buffer(table, index) for index, table in enumerate(model["buffers"])]
    kinds = [_kind(table) for table in model["operator_codes"]]
    metadata, sha256 = _metadata(model, buffers), hashlib.sha256(data).hexdigest()
    first, *others = (_subgraph(reader, table, buffers, kinds) for table in tables)
    inputs, outputs = (_signature(model, kind) for kind in ("inputs", "outputs"))
    return replace(
        first,
        metadata=metadata,
        sha256=sha256,
        input_names=_edge_names(first.inputs, first.tensors, inputs),
        output_names=_edge_names(first.outputs, first.tensors, outputs),
        subgraphs=tuple(others),
    )


def _subgraph(
    reader: Reader, graph: Table, buffers: list[NDArray[np.uint8]], kinds: list[str]
) -> Graph:
    """One subgraph, without what belongs to the file."""
    tensors = tuple(_tensor(table, i, buffers) for i, table in enumerate(graph["tensors"]))
    operators = tuple(
        _operator(reader, table, index, kinds, len(tensors))
        for index, table in enumerate(graph["operators"])
    )
    return Graph(
        tensors=tensors,
        operators=operators,
        inputs=_indices(graph["inputs"], len(tensors), "the model's inputs", least=0),
        outputs=_indices(graph["outputs"], len(tensors), "the model's outputs", least=0),
        metadata={},
        sha256="",
        input_names=(),
        output_names=(),
    )


def _signature(model: Table, kind: str) -> dict[int, list[str]]:
    """Names of tensors of the first subgraph in its first signature, by tensor."""
    names: dict[int, list[str]] = {}
    for signature in model["signature_defs"]:
        if signature["subgraph_index"] == 0:
            for entry in signature[kind]:
                names.setdefault(entry["tensor_index"], []).append(_text(entry["name"]))
            break
    return names


def _edge_names(
    indices: tuple[int, ...], tensors: tuple[Tensor, ...], signature: dict[int, list[str]]
) -> tuple[str, ...]:
    """Unique names of the model's inputs or outputs."""
    return unique_names(
        signature[index].pop(0) if signature.get(index) else plain_name(tensors[index].name)
        for index in indices
    )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _indices(values: NDArray[np.int32], count: int, name: str, least: int) -> tuple[int, ...]:
    if len(values) > _MAX_OPERANDS:
        raise EdgebioError(f"{name}: {len(values)} tensors; at most {_MAX_OPERANDS}")
    for value in values:
        if not least <= value < count:
            raise EdgebioError(f"{name}: tensor {value} does not exist; the model has {count}")
    return tuple(int(value) for value in values)


def _buffer(table: Table, index: int) -> NDArray[np.uint8]:
    if table["offset"] > 1 or table["size"] > 1:
        raise EdgebioError(f"buffer {index}: data outside the flatbuffer is not supported")
    data: NDArray[np.uint8] = table["data"]
    return data


def _metadata(model: Table, buffers: list[NDArray[np.uint8]]) -> dict[str, bytes]:
    entries = model["metadata"]
    if len(entries) > _MAX_OPERANDS:
        raise EdgebioError(f"{len(entries)} metadata entries; at most {_MAX_OPERANDS}")
    for index, entry in enumerate(entries):
        if entry["buffer"] >= len(buffers):
            raise EdgebioError(f"metadata {index}: buffer {entry['buffer']} does not exist")
    return {_text(entry["name"]): buffers[entry["buffer"]].tobytes() for entry in entries}


def _kind(code: Table) -> str:
    builtin = max(code["builtin_code"], code["deprecated_builtin_code"])
    if builtin == tflite.BuiltinOperator.CUSTOM:
        return f"CUSTOM {_text(code['custom_code'])!r}"
    return _KINDS.get(builtin, f"operator code {builtin}")


def _tensor(table: Table, index: int, buffers: list[NDArray[np.uint8]]) -> Tensor:
    name = f"tensor {index}"
    shape, signature = tuple(map(int, table["shape"])), table["shape_signature"]
    if max(len(shape), len(signature)) > _MAX_AXES:
        raise EdgebioError(f"{name}: more than {_MAX_AXES} axes")
    if any(size < 0 for size in shape):
        raise EdgebioError(f"{name}: negative size in shape {list(shape)}")
    if math.prod(shape) > np.iinfo(np.int32).max:
        raise EdgebioError(f"{name}: shape {list(shape)} overflows")
    if table["buffer"] >= len(buffers):
        raise EdgebioError(f"{name}: buffer {table['buffer']} does not exist")
    dtype = _DTYPES.get(table["type"], f"type {table['type']}")
    sparse = table["sparsity"] is not None
    scale, zero_point, axis = _quantization(table["quantization"], name, shape, dtype)
    raw = buffers[table["buffer"]]
    return Tensor(
        index=index,
        name=_text(table["name"]),
        shape=shape,
        dtype=dtype,
        scale=scale,
        zero_point=zero_point,
        axis=axis,
        data=None if not len(raw) else raw if sparse else _constant(raw, dtype, shape, name),
        signature=tuple(map(int, signature)) if (signature < 0).any() else (),
        variable=table["is_variable"],
        sparse=sparse,
    )


def _constant(
    raw: NDArray[np.uint8], dtype: str, shape: tuple[int, ...], name: str
) -> NDArray[np.generic]:
    if dtype not in _NUMPY:
        return raw  # strings, int4 and the like: left as bytes, refused where they are used
    size = math.prod(shape) * _NUMPY[dtype].itemsize
    if len(raw) != size:
        raise EdgebioError(
            f"{name}: {len(raw)} bytes of data, {size} required for {dtype} {list(shape)}"
        )
    return raw.view(_NUMPY[dtype]).reshape(shape)


def _quantization(
    table: Table | None, name: str, shape: tuple[int, ...], dtype: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Scale, zero point and axis; zero points are 0 if the file has none."""
    if table is None:
        return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    scale, zero_point, axis = table["scale"], table["zero_point"], table["quantized_dimension"]
    if len(zero_point) not in (0, len(scale)):
        raise EdgebioError(f"{name}: {len(scale)} scales but {len(zero_point)} zero points")
    # tflite-micro ignores the axis of int32: some files give a bias the axis of the weights.
    if (
        len(scale) > 1
        and dtype != "int32"
        and (not 0 <= axis < max(len(shape), 1) or shape[axis : axis + 1] != (len(scale),))
    ):
        raise EdgebioError(f"{name}: {len(scale)} scales along axis {axis} of {list(shape)}")
    return scale, zero_point if len(zero_point) else np.zeros(len(scale), np.int64), axis


def _operator(reader: Reader, table: Table, index: int, kinds: list[str], tensors: int) -> Operator:
    if table["opcode_index"] >= len(kinds):
        raise EdgebioError(
            f"operator {index}: operator code {table['opcode_index']} does not exist"
        )
    kind = kinds[table["opcode_index"]]
    name = f"operator {index} ({kind})"
    return Operator(
        index=index,
        kind=kind,
        inputs=_indices(table["inputs"], tensors, name, least=-1),
        outputs=_indices(table["outputs"], tensors, name, least=0),
        options=_options(reader, table, kind, name),
    )


def options_table(kind: str) -> str:
    """Name of the table of options of a kind of operator in the schema."""
    return _OPTIONS.get(kind, kind.title().replace("_", "") + "Options")


def _options(reader: Reader, operator: Table, kind: str, name: str) -> dict[str, Option]:
    """Options of an operator; empty for a kind without options in `SCHEMA`."""
    table = options_table(kind)
    if table not in SCHEMA:
        return {}
    position, code = operator["builtin_options"], getattr(tflite.BuiltinOptions, table)
    if position is None or operator["builtin_options_type"] != code:
        raise EdgebioError(f"{name}: its {table} are missing")
    options = reader.table(table, position)
    for option, field in SCHEMA[table].items():
        if field.enumeration:
            names = _names(field.enumeration)
            if options[option] not in names:
                raise EdgebioError(f"{name}: option code {options[option]} is not in the schema")
            options = {**options, option: names[options[option]]}
        elif field.kind == "string":
            options = {**options, option: _text(options[option])}
    return options
