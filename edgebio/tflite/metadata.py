"""What model.tflite says of itself: its front end, classes and decision settings.

The entry is JSON in a metadata buffer of the file, so that build, classify and validate need the
model alone; other programs ignore it.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgebio.decision.spec import DecisionSettings
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standard import Standardisation
from edgebio.tflite.graph import Graph

ENTRY = "edgebio"
"""Name of the metadata entry."""


class ModelMetadata(BaseModel):
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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=1)] = 1
    name: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    frontend: FrontendSpec
    standardisation: Standardisation
    decision: DecisionSettings = DecisionSettings()


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
        found = ModelMetadata.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the entry"
        raise EdgebioError(f"the model's edgebio metadata: {where}: {first['msg']}") from None
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
    return found


def require(graph: Graph, what_for: str) -> ModelMetadata:
    """Metadata of a model, or an error that says `what_for` it is needed."""
    found = metadata(graph)
    if found is None:
        raise EdgebioError(
            f"the model carries no edgebio metadata, which {what_for} needs; "
            "make it by edgebio train and edgebio quantize"
        )
    return found
