import json
import shutil

import pytest

from edgebio import recipes, tasks
from edgebio.errors import EdgebioError
from edgebio.tasks.run_folder import FRONTEND, METRICS, NETWORK, RECIPE, replacing
from edgebio.tasks.stft_classifier.run import IMAGES, ImageRun
from tests import tiny


def test_new_run_removes_what_was_made_of_the_old_one(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (RECIPE, FRONTEND, METRICS):
        shutil.copy(tiny.run() / name, folder / name)
    (folder / "model.tflite").write_bytes(b"old")
    (folder / "my notes.txt").write_text("stays")
    recipe = tiny.RECIPE.model_copy(
        update={"training": tiny.RECIPE.training.model_copy(update={"epochs": 1})}
    )
    tasks.train(recipe, tiny.recordings(), folder)
    assert not (folder / "model.tflite").exists()
    assert (folder / "my notes.txt").read_text() == "stays"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert ImageRun.load(folder).recipe == recipe


def test_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("dear")
    with pytest.raises(EdgebioError, match="holds files and no run"):
        tasks.train(tiny.RECIPE, tiny.recordings(), tmp_path)
    with pytest.raises(EdgebioError, match="is a file"):
        tasks.train(tiny.RECIPE, tiny.recordings(), tmp_path / "thesis.docx")
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_folder_with_a_recipe_of_its_own_is_no_run(tmp_path):
    (tmp_path / RECIPE).write_text(recipes.dump(tiny.RECIPE))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "diary.txt").write_text("mine")
    with pytest.raises(EdgebioError, match="holds files and no run"):
        tasks.train(tiny.RECIPE, tiny.recordings(), tmp_path)
    assert (tmp_path / "logs" / "diary.txt").read_text() == "mine"


def test_a_training_that_fails_leaves_the_earlier_run(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny.run(), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def fail():
        with replacing(folder) as work:
            (work / METRICS).write_text("{}")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_two_trainings_into_one_folder_are_refused_and_killed_ones_swept(tmp_path):
    (tmp_path / ".run-training-killed").mkdir()
    with replacing(tmp_path / "run") as work:
        assert not (tmp_path / ".run-training-killed").exists()
        with (
            pytest.raises(EdgebioError, match="another training writes there"),
            replacing(tmp_path / "run"),
        ):
            pass
        assert work.is_dir()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (METRICS, None, "not a finished run"),
        (METRICS, "{", "damaged run"),
        (FRONTEND, '{"classes": []}', r"frontend\.json: frontend: Field required"),
        (NETWORK, "not hdf5", r"model\.h5: not the weights"),
        (IMAGES, "not npz", r"images\.npz: damaged"),
    ],
)
def test_damaged_run_is_refused_in_one_line(tmp_path, name, content, message):
    for file in tiny.run().iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)

    def use():
        run = ImageRun.load(tmp_path)
        run.network()
        run.test_images()

    with pytest.raises(EdgebioError, match=message) as error:
        use()
    assert "\n" not in str(error.value)


def test_run_with_old_keys_is_read(tmp_path):
    shutil.copytree(tiny.run(), tmp_path / "run")
    path = tmp_path / "run" / FRONTEND
    content = json.loads(path.read_text())
    content["standardisation"] = content.pop("standardization")
    path.write_text(json.dumps(content))
    with pytest.warns(FutureWarning, match="standardisation is now standardization"):
        run = tasks.load_run(tmp_path / "run")
    assert run.frontend == ImageRun.load(tiny.run()).frontend


def test_folder_without_a_run_has_no_task(tmp_path):
    with pytest.raises(EdgebioError, match=r"not a finished run .*edgebio train"):
        tasks.quantize(tmp_path)
