"""Metadata of a model.tflite: its front end, classes and decision settings.

The entry is JSON in a metadata buffer of the file; other programs ignore it. With it, commands
such as build, classify and validate need no other file.
"""

import struct
from decimal import Decimal
from typing import Annotated, ClassVar

import tflite
from pydantic import Field, ValidationError

from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.renamed import one_warning
from edgebio.section import Section, first_problem
from edgebio.tflite.graph import Graph

ENTRY = "edgebio"
"""Name of the metadata entry."""
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_ALIGNMENT = 16  # of every buffer's data, by the schema's force_align


class LayerStatistics(Section):
    """Statistics of a convolution on the training set, by output, before the activation."""

    mean: tuple[float, ...]
    deviation: tuple[Annotated[float, Field(ge=0)], ...]


class SignalScale(Section):
    """What a count of the training recordings means, where it is known.

    Attributes
    ----------
    volts_per_count : Decimal or None
        Volts at the electrode of one count.
    peak : int or None
        Counts that 99.9 % of the training samples stay within, from the median of their channel.
    """

    volts_per_count: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None
    peak: Annotated[int, Field(ge=0, le=65535)] | None = None


class ModelMetadata(Section):
    """Content of the metadata entry.

    Attributes
    ----------
    version : int
        Version of this layout.
    name : str
        Name of the recipe.
    classes : tuple of str
        Class names, in the order of the outputs.
    frontend : FrontendSpec
        The fixed-point STFT of the training images.
    standardization : Standardization
        Offset and gain of the pixels.
    decision : DecisionSettings
        Vote and rejection.
    layers : tuple of LayerStatistics
        One per convolution, in the order of the operators, if calibration adapts the layers to a
        wearer; otherwise empty.
    signal : SignalScale
        What a count means.
    grips : dict of str to tuple of float
        Degrees of each servo by class, or for ``rest``; empty if the recipe has none.
    """

    old_keys: ClassVar[dict[str, str]] = {"standardisation": "standardization"}

    version: Annotated[int, Field(ge=1, le=1)] = 1
    name: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    frontend: FrontendSpec
    standardization: Standardization
    decision: DecisionSettings = DecisionSettings()
    layers: tuple[LayerStatistics, ...] = ()
    signal: SignalScale = SignalScale()
    grips: dict[str, tuple[float, ...]] = Field(default_factory=dict)


def read_metadata(graph: Graph) -> ModelMetadata | None:
    """Metadata of a model; None for a model without.

    Raises
    ------
    EdgebioError
        If the entry is damaged or does not fit the model; names the key.
    """
    entry = graph.metadata.get(ENTRY)
    if entry is None:
        return None
    try:
        with one_warning("the model's edgebio metadata"):
            metadata = ModelMetadata.model_validate_json(entry)
    except ValidationError as error:
        raise EdgebioError(f"the model's edgebio metadata: {first_problem(error)}") from None
    image_shape = tuple(graph.tensors[graph.inputs[0]].shape[1:])
    if image_shape != metadata.frontend.image_shape:
        raise EdgebioError(
            f"the model takes images of {image_shape}, but the front end of its metadata makes "
            f"{metadata.frontend.image_shape}"
        )
    outputs = graph.tensors[graph.outputs[0]].shape[-1]
    if outputs != len(metadata.classes):
        raise EdgebioError(
            f"the model has {outputs} outputs, but its metadata names {len(metadata.classes)} "
            "classes"
        )
    widths = [
        graph.tensors[operator.outputs[0]].shape[-1]
        for operator in graph.operators
        if operator.kind in CONVOLUTIONS
    ]
    sizes = [(len(s.mean), len(s.deviation)) for s in metadata.layers]
    if sizes and sizes != [(width, width) for width in widths]:
        raise EdgebioError(
            "the model's edgebio metadata: layers: the statistics do not fit the convolutions, "
            f"which have {widths} outputs"
        )
    return metadata


def require_metadata(graph: Graph, purpose: str) -> ModelMetadata:
    """Metadata of a model, or an error that names the `purpose` that needs it."""
    metadata = read_metadata(graph)
    if metadata is None:
        raise EdgebioError(
            f"the model has no edgebio metadata, which {purpose} needs; "
            "make it with edgebio train and edgebio quantize"
        )
    return metadata


def replace_metadata(content: bytes, metadata: ModelMetadata) -> bytes:
    """Copy of a .tflite with other `metadata` in its entry; the rest is unchanged.

    The new entry is appended to the file, and its buffer points there.
    """
    model = tflite.Model.GetRootAs(content, 0)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    buffer = next(model.Buffers(m.Buffer()) for m in entries if m.Name() == ENTRY.encode())
    table = buffer._tab  # the generated accessors do not give a field's position
    field = table.Pos + table.Offset(4)  # slot 0, its data
    entry = metadata.model_dump_json().encode()
    start = -(-(len(content) + 4) // _ALIGNMENT) * _ALIGNMENT  # of the data, after its length
    result = bytearray(content.ljust(start - 4, b"\0"))
    result += struct.pack("<I", len(entry)) + entry
    struct.pack_into("<I", result, field, start - 4 - field)
    return bytes(result)
