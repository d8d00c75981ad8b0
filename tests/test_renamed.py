"""Keys of old recipes, run folders, models and board files are read, with one warning."""

import dataclasses
import json
import tomllib
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio import boards, firmware, recipes, storage, tflite
from edgebio.cli import main
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.frontend.spec import FrontendSpec
from edgebio.renamed import EdgebioDeprecationWarning, print_warnings
from edgebio.tasks import load_run
from edgebio.tflite.metadata import ENTRY, read_metadata

OLD_KEYS = [
    ("frontend", "window = 183", "segment_length", 183),
    ("frontend", "hop = 8", "hop_length", 8),
    ("frontend", "fft = 32\nbins = [1, 17]\nhop = 14", "n_fft", 32),
    ("frontend", "stride = 2", "step_frames", 2),
    ("frontend", 'taper = "hamming"', "window_function", "hamming"),
    ("frontend", 'standardise = "channel"', "standardization", "channel"),
    ("frontend", 'core_class = "scalar"', "fft_numerics", "scalar"),
    ("data", 'windows = "stride"', "segments", "step"),
    ("data", 'windows = "beats"', "segments", "beats"),
    ("data", "artefacts = 8.0", "artifacts", 8.0),
    ("training", 'normalise = "session"', "normalization", "session"),
    ("training", "average = 0.99\npatience = 0", "ema_momentum", 0.99),
    ("training.new_people", "epochs = 3", "training.new_subjects.epochs", 3),
    ("training.new_subjects", 'normalise = "session"', "normalization", "session"),
    ("training.augment", "mask_columns = 2", "mask_frames", 2),
    ("imitation", "units = 12", "feature_imitation.units", 12),
    ("feature_imitation", "prediction = 2", "horizon", 2),
    ("feature_imitation", "samples = 20", "samples_per_step", 20),
    ("feature_imitation", "gain = 1.0", "gain_octaves", 1.0),
]


def value_of(recipe: recipes.Recipe, path: str) -> object:
    value: object = recipe
    for part in path.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(("section", "text", "key", "value"), OLD_KEYS)
def test_old_recipe_key_is_read_with_one_warning(tmp_path, section, text, key, value):
    path = tmp_path / "old.toml"
    path.write_text(f'name = "old"\n[{section}]\n{text}\n')
    with pytest.warns(EdgebioDeprecationWarning) as caught:
        recipe = recipes.load(path)
    (warning,) = caught
    assert str(path) in str(warning.message)
    assert "\n" not in str(warning.message)
    assert value_of(recipe, key if "." in key else f"{section}.{key}") == value


def test_new_keys_are_read_without_a_warning(tmp_path):
    path = tmp_path / "new.toml"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in recipes.names():
            path.write_text(recipes.dump(recipes.load(name)))
            assert recipes.load(path) == recipes.load(name)
        for name in boards.names():
            boards.load(name)


def test_key_under_both_names_is_refused(tmp_path):
    path = tmp_path / "both.toml"
    path.write_text('name = "both"\n[frontend]\nhop = 8\nhop_length = 8\n')
    with pytest.raises(EdgebioError, match="frontend: 'hop' is the old name of 'hop_length'"):
        recipes.load(path)


OLD_METADATA = {
    "version": 1,
    "name": "emg-grips",
    "classes": list("abcdef"),
    "frontend": {
        "window": 272, "hop": 16, "fft": 32, "stride": 2, "taper": "hann", "highpass": 20.0,
        "lowpass": 0.0, "notch": 0, "bins": [1, 17], "floor": 64.0, "standardise": "bin",
        "core_class": "dsp", "rate": 1000.0, "channels": 8,
    },
    "standardisation": {"offset": [[0]], "gain": [[256]]},
    "decision": {
        "votes": 1, "confidence": 0.0, "hold": 0, "onset": 0.0, "rest": "", "timeout": 250,
    },
    "layers": [],
}  # fmt: skip
"""As a model.tflite of version 0.1 carries it."""


def test_model_with_old_metadata_is_read_as_it_is(models_folder):
    graph = tflite.read(models_folder / "emg_cnn.tflite")
    content = json.dumps(OLD_METADATA).encode()
    old = dataclasses.replace(graph, metadata={ENTRY: content})
    with pytest.warns(EdgebioDeprecationWarning, match="^the model's edgebio metadata: ") as caught:
        read = read_metadata(old)
    assert len(caught) == 1
    assert read is not None
    assert read.frontend == FrontendSpec(
        segment_length=272, hop_length=16, n_fft=32, step_frames=2, bins=(1, 17), rate=1000,
        channels=8,
    )  # fmt: skip
    assert read.standardization is not None
    assert read.standardization.gain == ((256,),)
    assert old.metadata[ENTRY] == content


@pytest.mark.filterwarnings("ignore::edgebio.renamed.EdgebioDeprecationWarning")
def test_model_with_old_metadata_builds(models_folder, tmp_path):
    pytest.importorskip("tensorflow", reason='needs pip install "edgebio[train]"')
    from edgebio.quantization import flatbuffer

    plain = (models_folder / "emg_cnn.tflite").read_bytes()
    path = tmp_path / "old.tflite"
    path.write_bytes(flatbuffer.with_metadata(plain, ENTRY, json.dumps(OLD_METADATA).encode()))
    content = path.read_bytes()
    try:
        firmware.build(path, boards.load("mps2-an386"), tmp_path / "image")
    except MissingToolError as error:
        pytest.skip(str(error))
    config = (tmp_path / "image/src/frontend/frontend_config.h").read_text()
    assert "#define EB_FRONTEND_STEP 32u" in config
    assert path.read_bytes() == content


OLD_RUNS = Path(__file__).parent / "old_runs"
"""Settings files of runs of version 0.1."""


@pytest.mark.parametrize(
    ("task", "normalization", "step"),
    [("stft_classifier", "layers", 51), ("feature_imitation", "training", 50)],
)
def test_old_run_folder_is_read(task, normalization, step):
    with pytest.warns(EdgebioDeprecationWarning) as caught:
        run = load_run(OLD_RUNS / task)
    files = {str(OLD_RUNS / task / name) for name in ("recipe.toml", "frontend.json")}
    assert {str(warning.message).split(": ")[0] for warning in caught} == files
    assert run.recipe.task == task
    assert run.training.normalization == normalization
    assert run.frontend.frontend.step == step


def old_board_file(folder: Path) -> Path:
    text = (storage.assets("boards") / "mps3-an547.toml").read_text()
    text = text.replace("cpu = ", "core = ").replace("fft_numerics = ", "core_class = ")
    path = folder / "old.toml"
    path.write_text(text.replace('isa = "mve"\n', ""))
    assert tomllib.loads(path.read_text())["core"] == "cortex-m55"
    return path


def test_command_prints_one_line_about_old_keys(tmp_path):
    path = old_board_file(tmp_path)
    result = CliRunner().invoke(main, ["boards", "info", str(path), "--json"])
    document = json.loads(result.stdout)
    assert document["cpu"] == document["core"] == "cortex-m55"
    assert document["fft_numerics"] == document["core_class"] == "dsp"
    old = "old keys: core is now cpu, core_class is now fft_numerics"
    assert result.stderr == f"edgebio: {path}: {old}\n"


def test_warning_is_printed_once():
    lines: list[str] = []
    with print_warnings(lines.append):
        for _ in range(3):
            FrontendSpec.model_validate({"rate": 1000, "channels": 2, "hop": 17})
    assert lines == ["hop is now hop_length"]


def test_old_board_file_is_read_with_one_warning(tmp_path):
    path = old_board_file(tmp_path)
    with pytest.warns(EdgebioDeprecationWarning, match="core is now cpu") as caught:
        board = boards.load(path)
    assert len(caught) == 1
    assert board == boards.load("mps3-an547")
