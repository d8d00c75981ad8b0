"""What model.tflite says of itself: its front end, classes and decision settings.

The entry is JSON in a metadata buffer of the file, so that build, classify and validate need the
model alone; other programs ignore it.
"""

import struct
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
_ALIGNMENT = 16  # of every buffer's data, as the schema's force_align asks


class LayerStatistics(Section):
    """What a convolution summed up over those whom it was trained on, by output.

    Attributes
    ----------
    mean, deviation : tuple of float
        Of the sums with their bias, before they are bounded.
    """

    mean: tuple[float, ...]
    deviation: tuple[Annotated[float, Field(ge=0)], ...]


class ModelMetadata(Section):
    """Content of the metadata entry.

    Attributes
    ----------
    version : int
        Version of this layout.
    name : str
        Recipe that the model was trained by.
    classes : tuple of str
        Class names, in the order of the outputs.
    frontend : FrontendSpec
        The fixed-point STFT that made the training images.
    standardisation : Standardisation
        Offset and gain of the pixels.
    decision : DecisionSettings
        Vote and rejection.
    layers : tuple of LayerStatistics
        One a convolution, in the order of the operators, where a wearer's calibration is to give
        the layers these statistics on his or her own signal; otherwise empty.
    """

    old_keys: ClassVar[dict[str, str]] = {"standardisation": "standardization"}

    version: Annotated[int, Field(ge=1, le=1)] = 1
    name: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    frontend: FrontendSpec
    standardization: Standardization
    decision: DecisionSettings = DecisionSettings()
    layers: tuple[LayerStatistics, ...] = ()


def metadata(graph: Graph) -> ModelMetadata | None:
    """Metadata of a model; None where it carries none.

    Raises
    ------
    EdgebioError
        Where the entry is damaged or does not fit the model; the text names the field.
    """
    raw = graph.metadata.get(ENTRY)
    if raw is None:
        return None
    try:
        with one_warning("the model's edgebio metadata"):
            found = ModelMetadata.model_validate_json(raw)
    except ValidationError as error:
        raise EdgebioError(f"the model's edgebio metadata: {first_problem(error)}") from None
    image = graph.tensors[graph.inputs[0]]
    outputs = graph.tensors[graph.outputs[0]]
    if tuple(image.shape[1:]) != found.frontend.image_shape:
        raise EdgebioError(
            f"the model takes images of {tuple(image.shape[1:])}, but its metadata describes a "
            f"front end that makes {found.frontend.image_shape}"
        )
    if outputs.shape[-1] != len(found.classes):
        raise EdgebioError(
            f"the model has {outputs.shape[-1]} outputs, but its metadata names "
            f"{len(found.classes)} classes"
        )
    widths = [
        graph.tensors[operator.outputs[0]].shape[-1]
        for operator in graph.operators
        if operator.kind in CONVOLUTIONS
    ]
    told = [len(s.mean) for s in found.layers if len(s.mean) == len(s.deviation)]
    if found.layers and widths != told:
        raise EdgebioError(
            f"the model's edgebio metadata: layers: the convolutions have {widths} outputs, and "
            "the statistics are of others"
        )
    return found


def with_metadata(content: bytes, about: ModelMetadata) -> bytes:
    """Copy of a .tflite with other metadata in place of its own; nothing else is rewritten.

    The new entry is put behind the file, and its buffer pointed there.

    Parameters
    ----------
    content
        A .tflite that carries the entry.
    about
        The new content of the entry.
    """
    model = tflite.Model.GetRootAs(content, 0)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    buffer = next(model.Buffers(m.Buffer()) for m in entries if m.Name() == ENTRY.encode())
    table = buffer._tab  # the generated accessors do not say where a field lies
    field = table.Pos + table.Offset(4)  # slot 0, its data
    text = about.model_dump_json().encode()
    start = -(-(len(content) + 4) // _ALIGNMENT) * _ALIGNMENT  # of the data, behind its length
    made = bytearray(content.ljust(start - 4, b"\0"))
    made += struct.pack("<I", len(text)) + text
    struct.pack_into("<I", made, field, start - 4 - field)
    return bytes(made)


def require(graph: Graph, what_for: str) -> ModelMetadata:
    """Metadata of a model, or an error that says `what_for` it is needed."""
    found = metadata(graph)
    if found is None:
        raise EdgebioError(
            f"the model carries no edgebio metadata, which {what_for} needs; "
            "make it by edgebio train and edgebio quantize"
        )
    return found
