"""Change a .tflite and write it again, by the schema that TensorFlow carries."""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from edgebio.models.keras import schema

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16  # of every buffer's data, the schema's force_align


def unpack(model: bytes) -> Any:
    """Read a .tflite that TensorFlow has just made into the schema's own objects (`ModelT`)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))


def pack(model: Any) -> bytes:
    """Write a `ModelT`; the same objects give the same bytes."""
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def set_range(model: Any, tensor: int, low: float, high: float) -> None:
    """Set the range of a tensor of the main subgraph, for the quantizer."""
    model.subgraphs[0].tensors[tensor].quantization = schema.QuantizationParametersT(
        min=np.array([low], np.float32), max=np.array([high], np.float32)
    )


def add_to_bias(model: Any, tensor: int, values: npt.NDArray[np.floating]) -> None:
    """Add to an int32 bias of the main subgraph, in the float units of its layer's output.

    `tensor`, the bias, has one scale or one per element; `values` has its shape.
    """
    entry = model.subgraphs[0].tensors[tensor]
    buffer = model.buffers[entry.buffer]
    bias = np.asarray(buffer.data, np.uint8).view("<i4").astype(np.int64)
    bias += np.rint(values / np.asarray(entry.quantization.scale, np.float64)).astype(np.int64)
    buffer.data = bias.astype("<i4").view(np.uint8)


def kinds(model: Any) -> list[str]:
    """Kind of every operator of the main subgraph, such as ``CONV_2D``."""
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    return [names[codes[operator.opcodeIndex]] for operator in model.subgraphs[0].operators]


def with_metadata(model: bytes, name: str, content: bytes) -> bytes:
    """Copy of a .tflite with one metadata entry, which replaces an earlier one of that name."""
    unpacked = unpack(model)
    entries = [e for e in unpacked.metadata or [] if e.name != name.encode()]
    unpacked.buffers.append(schema.BufferT(data=np.frombuffer(content, np.uint8)))
    entries.append(schema.MetadataT(name=name, buffer=len(unpacked.buffers) - 1))
    unpacked.metadata = entries
    return pack(unpacked)


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Python's generated code ignores ``force_align``, but kernels read int32 in place."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802
        if elemSize == 1:  # only buffers and strings hold bytes
            alignment = _ALIGNMENT
        return super().StartVector(elemSize, numElems, alignment)
