import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebio import recipes
from edgebio.cli import main
from edgebio.recipes import Recipe
from edgebio.search.candidate_cost import CostCounter
from tests import tiny
from tests.search import stand_in


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Path of a recipe whose trainings and costs are simulated."""
    stand_in.install(monkeypatch.setattr, stand_in.Trainings())
    monkeypatch.setattr(Recipe, "recordings", lambda self, root, subjects: stand_in.subjects())
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dump(tiny.RECIPE))
    return str(path)


def test_front_is_printed_as_a_table_and_as_json(job, tmp_path):
    arguments = [
        "search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), "--trials", "6",
        "--seeds", "1", "--max-latency", "6ms", "--max-flash", "30000", "--jobs", "1",
    ]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(main, [*arguments, "--json"])
    document = json.loads(again.stdout)
    assert document["limits"] == {"latency": 6.0, "flash": 30000, "ram": None}
    for row in document["front"]:
        assert row["name"] in done.stdout
        assert f"{row['accuracy']:.4f}" in done.stdout
    assert "report.html; recipes, search.json and the study are beside it" in done.stdout
    assert "0: accuracy 0.8970" in done.stderr
    assert (tmp_path / "found" / "report.html").is_file()


@pytest.fixture
def arguments(job, tmp_path):
    return [
        "search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), "--trials", "3",
        "--seeds", "1", "--max-flash", "30000", "--jobs", "1",
    ]  # fmt: skip


def test_giving_up_is_reported_and_an_empty_front_is_a_failure(arguments, monkeypatch):
    monkeypatch.setattr(CostCounter, "untrained", stand_in.only_start_fits)
    gave_up = (
        "after 41 candidates in a row that were beyond the limits or tried before; 1 of 3 trained"
    )
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert f"gave up {gave_up}" in done.stderr.splitlines()
    page = Path(arguments[arguments.index("-o") + 1], "report.html").read_text(encoding="utf-8")
    assert f"The search gave up {gave_up}." in page

    # The starting recipe is always trained; here it exceeds the limits too.
    def beyond(counter, model):
        return stand_in.trained_cost(counter, model).model_copy(update={"flash": 30_001})

    monkeypatch.setattr(CostCounter, "trained", beyond)
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        "edgebio: nothing that was tried is within the limits: allow more, or start from "
        "a smaller recipe"
    )
    document = json.loads(done.stdout)
    assert document["gave_up"] == gave_up
    assert document["front"] == []
    done = CliRunner().invoke(main, [*arguments, "--trials", "1"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("within the limits: try more --trials")


def test_ctrl_c_while_costs_are_counted_prints_one_line(arguments, tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(CostCounter, "untrained", interrupt)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 130
    assert done.stderr.splitlines() == [
        f"edgebio: interrupted: 0 of 3 candidates are kept in {tmp_path / 'found'}; the same "
        "command continues"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-latency", "fast"], "'fast' is not a time; give for example 10ms"),
        (["--max-latency", "0ms"], "'0ms' is not a time"),
        (["--max-flash", "-1"], "is not a size"),
        (["--board", "nowhere"], "no board 'nowhere'"),
        (["--max-flash", "4k"], "no candidate can meet the budget on mps2-an386: the closest "
         "needs 21,600 bytes of flash (--max-flash 4,096 bytes)"),
        (["--protocol", "cross-subject"], "cross-subject needs at least two people"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_in_one_line(job, tmp_path, options, message):
    arguments = ["search", job, "--board", "mps2-an386", "-o", str(tmp_path / "found"), *options]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code in (1, 2)
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.output
