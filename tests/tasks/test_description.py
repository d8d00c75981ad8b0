"""Descriptions tell every setting that a recipe sets, and no other."""

import re

import pytest

from edgebio.recipes import AugmentSettings, DataSettings, NewSubjectsSettings
from edgebio.report.page import Listing
from edgebio.tasks import description
from tests import tiny

NONE = {"subjects": [], "sessions": [], "recordings": 0}
SOME = {**NONE, "recordings": 7}


def describe(recipe=tiny.RECIPE, **metrics):
    return description.describe_training(
        recipe, {"parameters": 1234, "validation": NONE, "tune": NONE, **metrics}
    )


def test_settings_for_new_subjects_are_described_if_used():
    new = NewSubjectsSettings(normalization="session", epochs=7, augment=AugmentSettings(rotate=1))
    training = tiny.RECIPE.training.model_copy(update={"new_subjects": new})
    recipe = tiny.RECIPE.model_copy(update={"training": training})
    known, unknown = describe(recipe), describe(recipe, new_people=True)
    assert " 5 epochs" in known
    assert "without labels" not in known
    for part in ("(1,234 parameters)", " 7 epochs", "augmentation by rotate", "without labels"):
        assert part in unknown


@pytest.mark.parametrize(
    ("section", "setting", "value", "default", "text"),
    [
        ("training", "class_weights", 1.0, 0.0, "classes weighted by inverse frequency,"),
        ("training", "class_weights", 0.4, 0.0, "inverse frequency to the power 0.4"),
        ("training", "prior", 0.4, 0.0, "divided by the class frequencies to the power 0.4"),
        ("training", "costs", {"fist": 1.5}, {}, "Cost of a missed segment: fist 1.5; 1 for"),
        ("training", "label_smoothing", 0.05, 0.0, "label smoothing 0.05"),
        ("training", "weight_decay", 0.01, 0.0, "weight decay 0.01"),
        ("training", "ema_momentum", 0.995, 0.0, "average of the weights with momentum 0.995"),
        ("training", "patience", 4, 0, "stops after 4 epochs without a lower validation loss"),
        ("model", "dropout", 0.3, 0.0, "dropout 0.3"),
    ],
)
def test_setting_is_described_if_set(section, setting, value, default, text):
    def describe_with(value):
        part = getattr(tiny.RECIPE, section).model_copy(update={setting: value})
        return describe(tiny.RECIPE.model_copy(update={section: part}), validation=SOME)

    assert text in describe_with(value)
    assert re.split(r"(?<= )[0-9.]", text)[0] not in describe_with(default)


def test_early_stopping_needs_a_validation_set():
    assert tiny.RECIPE.training.patience
    assert "up to 5 epochs" in describe(validation=SOME)
    assert "up to" not in describe()
    assert "stops" not in describe()


def test_validation_subjects_are_trained_on_without_early_stopping():
    for name, validation, trained_on in (
        ("patient-wise", SOME, False), ("patient-wise", NONE, True), ("one-to-one", NONE, False)
    ):  # fmt: skip
        text, diagram = description.describe_protocol(name, validation)
        assert isinstance(text, str)
        assert ("(v) are trained on too" in text) is trained_on
        assert isinstance(diagram, Listing)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"protocol": "one-to-one"}, "This run is its first fold, 3."),
        ({"test_sessions": ("2",)}, "Trained on all others, tested on session 2."),
        (
            {"train_sessions": ("1", "3"), "test_sessions": ("2",)},
            "Trained on sessions 1 and 3, tested on session 2.",
        ),
        ({"test_repetitions": 2}, "Tested on the last 2 repetitions of each class and session"),
        ({"test_repetitions": 1}, "Tested on the last repetition of each class and session"),
    ],
)
def test_split_of_a_run_is_described(settings, text):
    metrics = {"fold": "3", "validation": NONE}
    first = description.describe_split(DataSettings(**settings), metrics)[0]
    assert isinstance(first, str)
    assert text in first


def test_sets_are_described():
    def subset(subjects, session, recordings):
        return {"subjects": subjects, "sessions": [session], "recordings": recordings, "windows": 9}

    train, test = subset(["1", "2"], "1", 20), subset(["3"], "2", 5)
    text = description.describe_sets(
        {"train": train, "validation": NONE, "tune": NONE, "test": test}
    )
    assert text == (
        "Trained on subjects 1 and 2, session 1 (20 recordings). "
        "Tested on subject 3, session 2 (5 recordings, 9 segments)."
    )
    text = description.describe_sets(
        {"train": train, "validation": subset(["4", "5"], "1", 6), "tune": subset(["3"], "1", 4),
         "test": test}
    )  # fmt: skip
    assert "Tuned on subject 3, session 1 (4 recordings)." in text
    assert "Validated on subjects 4 and 5, session 1 (6 recordings)." in text
    text = description.describe_sets(
        {"train": train, "validation": subset(["2"], "1", 6), "tune": NONE, "test": test}
    )
    assert "Validated on the last repetitions of each class (6 recordings)." in text


def test_artifacts_are_counted_by_recording():
    rows = [{"subject": "1", "session": "2", "flat": 3, "large": 0, "of": 90}] * 7
    assert description.describe_artifacts({"train": rows, "test": []}) == (
        "Segments left out as artifacts: train ("
        + "; ".join(["subject 1, session 2: 3 flat of 90"] * 6)
        + "; 1 more recordings)."
    )
    assert description.describe_artifacts({"train": [], "test": []}) == ""
