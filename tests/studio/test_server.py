"""Who may use the studio, and how it refuses."""

import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edgebio.cli import main
from edgebio.errors import EdgebioError
from edgebio.project import Project, ProjectSettings
from edgebio.studio.requests import Requests
from edgebio.studio.server import serve
from tests.studio.serving import TOKEN, Studio, messages, serving


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with serving(tmp_path_factory.mktemp("studio") / "hand") as studio:
        yield studio


def test_a_page_with_the_token_gets_the_state(studio: Studio) -> None:
    status, state = studio.ask("/api/state")
    assert status == 200
    assert state["classes"] == ["rest", "fist", "open hand"]
    assert state["pictures"].keys() >= {"rest", "fist", "open hand"}
    assert state["recordings"] == []
    assert "mps2-an386" in state["boards"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], "é"])
def test_without_the_token_nothing_is_answered(studio: Studio, token: str) -> None:
    status, answer = studio.ask("/api/state", token=token.encode().decode("latin-1"))
    assert status == 403
    assert "the token is missing or wrong" in answer["error"]
    assert studio.ask("/api/source/open", {"url": "synthetic://"}, token=token.strip("é"))[0] == 403
    assert studio.ask("/api/state")[1]["source"] is None


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_is_refused(studio: Studio, origin: str) -> None:
    status, answer = studio.ask("/api/source/open", {"url": "synthetic://"}, origin=origin)
    assert status == 403
    assert "may not use this server" in answer["error"]
    with (
        pytest.raises((ConnectionClosed, InvalidStatus)),
        studio.socket(origin=origin) as page,
    ):
        page.recv(timeout=5)


def test_its_own_origin_is_not(studio: Studio) -> None:
    assert studio.ask("/api/job/stop", {}, origin=studio.address)[0] == 200
    with studio.socket(origin=studio.address):
        pass


def test_a_socket_without_the_token_is_closed(studio: Studio) -> None:
    with (
        pytest.raises((ConnectionClosed, InvalidStatus)),
        studio.socket(token="wrong") as page,
    ):
        page.recv(timeout=5)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("trian", {}, "no request 'trian' (did you mean 'train'?)"),
        ("source/open", {"url": "synthetik://"}, "no scheme 'synthetik'"),
        ("source/open", {"url": 7}, "url is 7; expected text"),
        ("source/open", {"url": "serial:///dev/not-there"}, "there is no port"),
        ("record/start", {}, "open a source first"),
        ("record/start", {"seconds": "x"}, "seconds is 'x'; expected a number"),
        ("record/start", {"seconds": 0.5}, "at least 1 s must remain"),
        ("record/pause", {}, "nothing is being recorded"),
        ("live/start", {}, "no run yet: edgebio train"),
        ("test/start", {"kind": "targets"}, "start the decisions first"),
        ("build", {"board": "pickle"}, "no board 'pickle'"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(
    studio: Studio, name: str, content: dict, text: str
) -> None:
    status, answer = studio.ask(f"/api/{name}", content)
    assert status == 400
    assert text in answer["error"]
    assert "\n" not in answer["error"]


@pytest.mark.parametrize("body", [[], "text", 3])
def test_a_request_is_an_object(studio: Studio, body: object) -> None:
    assert studio.ask("/api/train", body) == (400, {"error": "a request is a JSON object"})


def test_a_report_outside_the_runs_is_not_served(studio: Studio) -> None:
    (studio.project.folder / "report.html").write_text("secret")
    for run in ("..", "%2e%2e", "1"):
        status = studio.ask(f"/runs/{run}/report.html")[0]
        assert status in (400, 404)


def test_a_closed_tab_and_a_slow_one_disturb_nobody(studio: Studio) -> None:
    studio.post("source/open", url="synthetic://?channels=2")
    with studio.socket() as page:
        with studio.socket() as other:
            messages(other, 1)
        assert len(messages(page, 1, 20)) == 20
    studio.post("source/close")
    assert studio.ask("/api/state")[1]["source"] is None


def test_a_port_in_use_and_an_open_host_are_refused(studio: Studio) -> None:
    requests = Requests(studio.project)
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(EdgebioError, match=f"port {port}: address already in use"):
                serve(requests, port=port)
        with pytest.raises(EdgebioError, match=r"0\.0\.0\.0: others can reach it; give a --token"):
            serve(requests, host="0.0.0.0")
    finally:
        requests.close()


def test_the_command_needs_a_project(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["studio", "--no-browser"])
    assert done.exit_code == 2
    assert "no project here; name a folder" in done.output


def test_settings_of_a_project_are_read_back(tmp_path) -> None:
    settings = ProjectSettings(source="lsl://x", classes=("a", 'quoted "b"'), board="pico")
    assert Project.create(tmp_path / "p", settings).settings == settings
