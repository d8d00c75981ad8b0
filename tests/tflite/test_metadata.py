import dataclasses
import json

import numpy as np
import pytest
from pydantic import ValidationError

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.metadata import ENTRY, ModelMetadata, read_metadata, require_metadata

SPEC = FrontendSpec(
    rate=1000, channels=8, n_fft=32, hop_length=16, segment_length=32 + 15 * 16, bins=(1, 17),
    step_frames=2,
)  # fmt: skip
METADATA = ModelMetadata(
    name="test",
    classes=tuple("abcdef"),
    frontend=SPEC,
    standardization=Standardization(offset=((0,),), gain=((256,),)),
)


@pytest.fixture(scope="module")
def graph(models_folder):
    return tflite.read(models_folder / "emg_cnn.tflite")


def with_entry(graph, content: str):
    return dataclasses.replace(graph, metadata={ENTRY: content.encode()})


def test_metadata_survives_json(graph):
    assert read_metadata(with_entry(graph, METADATA.model_dump_json())) == METADATA


def test_model_without_metadata_is_refused_where_it_is_needed(graph):
    assert read_metadata(graph) is None
    with pytest.raises(EdgebioError, match="no edgebio metadata, which classify needs"):
        require_metadata(graph, "classify")


def changed(**fields):
    return json.dumps({**METADATA.model_dump(), **fields})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "metadata: Invalid JSON"),
        (changed(version=2), "version: "),
        (changed(frontend={**SPEC.model_dump(), "hop_length": 0}), "frontend.hop_length: "),
        (changed(frontend={**SPEC.model_dump(), "channels": 9}), r"images of \(16, 16, 8\)"),
        (changed(classes=["a", "b"]), "6 outputs, but its metadata names 2 classes"),
        (changed(standardization={"offset": [[0]], "gain": [[0]]}), "standardization: "),
        (changed(standardization={"offset": [[0], [1, 2]], "gain": [[1]]}), "same shape"),
    ],
)
def test_damaged_metadata_is_refused_by_key(graph, content, reason):
    with pytest.raises(EdgebioError, match=reason):
        read_metadata(with_entry(graph, content))


def test_extreme_standardization_stays_within_int32():
    """The largest offset and gain that are accepted, with the extreme log magnitudes."""
    extreme = Standardization(offset=((-32768,), (32767,)), gain=((32000,), (32000,)))
    log = np.array([[[-32768], [-32768]], [[32767], [32767]]], np.int16)
    assert (extreme.apply(log) == np.array([[[0], [-128]], [[127], [0]]])).all()
    with pytest.raises(ValidationError, match="within 1 to 32000"):
        Standardization(offset=((0,),), gain=((32001,),))
