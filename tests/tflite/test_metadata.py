import dataclasses
import json

import numpy as np
import pytest
from pydantic import ValidationError

from edgebio import tflite
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.tflite.metadata import ENTRY, ModelMetadata, metadata, require

SPEC = FrontendSpec(
    rate=1000, channels=8, n_fft=32, hop_length=16, segment_length=32 + 15 * 16, bins=(1, 17), step_frames=2
)
ABOUT = ModelMetadata(
    name="test",
    classes=tuple("abcdef"),
    frontend=SPEC,
    standardization=Standardization(offset=((0,),), gain=((256,),)),
)


@pytest.fixture(scope="module")
def graph(models_folder):
    return tflite.read(models_folder / "emg_cnn.tflite")


def carrying(graph, content: str):
    return dataclasses.replace(graph, metadata={ENTRY: content.encode()})


def test_metadata_comes_back_as_it_was_written(graph):
    assert metadata(carrying(graph, ABOUT.model_dump_json())) == ABOUT


def test_a_model_without_metadata_has_none_and_says_what_it_lacks(graph):
    assert metadata(graph) is None
    with pytest.raises(EdgebioError, match="no edgebio metadata, which classify needs"):
        require(graph, "classify")


def changed(**fields):
    return json.dumps({**ABOUT.model_dump(), **fields})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "the entry: Invalid JSON"),
        (changed(version=2), "version: "),
        (changed(frontend={**SPEC.model_dump(), "hop_length": 0}), "frontend.hop_length: "),
        (changed(frontend={**SPEC.model_dump(), "channels": 9}), r"images of \(16, 16, 8\)"),
        (changed(classes=["a", "b"]), "6 outputs, but its metadata names 2 classes"),
        (changed(standardization={"offset": [[0]], "gain": [[0]]}), "standardization: "),
        (changed(standardization={"offset": [[0], [1, 2]], "gain": [[1]]}), "same shape"),
    ],
)
def test_damaged_metadata_is_refused_by_field(graph, content, reason):
    with pytest.raises(EdgebioError, match=reason):
        metadata(carrying(graph, content))


def test_every_accepted_standardisation_stays_within_int32():
    """The largest offset and gain that are accepted, on the extreme logarithms."""
    extreme = Standardization(offset=((-32768,), (32767,)), gain=((32000,), (32000,)))
    logs = np.array([[[-32768], [-32768]], [[32767], [32767]]], np.int16)
    assert (extreme.apply(logs) == np.array([[[0], [-128]], [[127], [0]]])).all()
    with pytest.raises(ValidationError, match="within 1 to 32000"):
        Standardization(offset=((0,),), gain=((32001,),))
