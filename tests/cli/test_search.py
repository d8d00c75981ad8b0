import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio import recipes
from edgebio.cli import main
from edgebio.recipes import Recipe
from edgebio.search.cost import Counter
from tests.search import standin


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Path of a recipe whose search is stood in for."""
    standin.stand_in(monkeypatch.setattr, standin.Trainings())
    monkeypatch.setattr(Recipe, "recordings", lambda self, root, subjects: standin.people())
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dump(standin.tiny.RECIPE))
    return str(path)


def test_the_front_is_a_table_and_a_document(job, tmp_path):
    words = [
        "search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), "--trials", "6",
        "--seeds", "1", "--max-latency", "6ms", "--max-flash", "30000", "--jobs", "1",
    ]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(main, [*words, "--json"])
    found = json.loads(again.stdout)
    assert found["limits"] == {"latency": 6.0, "flash": 30000, "ram": None}
    for row in found["front"]:
        assert row["name"] in done.stdout
        assert f"{row['accuracy']:.4f}" in done.stdout
    assert "report.html; recipes, search.json and the study are beside it" in done.stdout
    assert "0: accuracy 0.8970" in done.stderr
    assert (tmp_path / "found" / "report.html").is_file()


@pytest.fixture
def words(job, tmp_path):
    return [
        "search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), "--trials", "3",
        "--seeds", "1", "--max-flash", "30000", "--jobs", "1",
    ]  # fmt: skip


def test_giving_up_is_said_and_nothing_found_is_a_failure(words, monkeypatch):
    monkeypatch.setattr(Counter, "untrained", standin.only_the_recipe)
    gave_up = (
        "after 41 candidates in a row that were beyond the limits or tried before; 1 of 3 trained"
    )
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert f"gave up {gave_up}" in done.stderr.splitlines()
    page = Path(words[words.index("-o") + 1], "report.html").read_text(encoding="utf-8")
    assert f"The search gave up {gave_up}." in page

    # The recipe itself is trained whatever it takes, and is then beyond the limits too.
    def beyond(counter, model):
        return standin.count(counter, model).model_copy(update={"flash": 30_001})

    monkeypatch.setattr(Counter, "trained", beyond)
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        "edgebio: nothing that was tried is within the limits: allow more, or begin with a "
        "smaller recipe"
    )
    found = json.loads(done.stdout)
    assert found["gave_up"] == gave_up
    assert found["front"] == []
    done = CliRunner().invoke(main, [*words, "--trials", "1"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("within the limits: try more --trials")


def test_ctrl_c_while_the_limits_are_looked_at_is_one_line(words, tmp_path, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(Counter, "untrained", interrupted)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 130
    assert done.stderr.splitlines() == [
        f"edgebio: interrupted: 0 of 3 candidates are kept in {tmp_path / 'found'}; the same "
        "command goes on"
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--max-latency", "fast"], "'fast' is no time; say for example 10ms"),
        (["--max-latency", "0ms"], "'0ms' is no time"),
        (["--max-flash", "-1"], "is no size"),
        (["--board", "nowhere"], "no board 'nowhere'"),
        (["--board", "stm32f4discovery"], "board stm32f4discovery has no emulator"),
        (["--max-flash", "4k"], "no candidate can meet the budget on mps2-an386: the closest "
         "needs 21,600 bytes of flash (--max-flash 4,096 bytes)"),
        (["--protocol", "cross-subject"], "cross-subject needs at least two people"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(job, tmp_path, given, said):
    words = ["search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), *given]
    done = CliRunner().invoke(main, words)
    assert done.exit_code in (1, 2)
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.output
