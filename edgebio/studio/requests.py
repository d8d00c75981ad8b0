"""What the page asks for: each request by its name, as a call of the engine or as a command."""

import shlex
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgebio import boards
from edgebio.acquisition import Placement, Plan
from edgebio.acquisition.pictures import draw_gesture
from edgebio.errors import EdgebioError
from edgebio.project import Project
from edgebio.sources.catalog import list_sources
from edgebio.studio.engine import Engine
from edgebio.studio.hub import Hub, json_message
from edgebio.studio.jobs import Job, Jobs
from edgebio.suggest import nearest

Content = dict[str, Any]


class Requests:
    """Requests of the page.

    Parameters
    ----------
    project
        Where recordings and runs are.
    source, board
        What the page suggests; the project's where they are empty.
    data
        Folder of data sets for replays.

    Attributes
    ----------
    hub : Hub
        Messages to the open pages.
    """

    def __init__(
        self, project: Project, source: str = "", board: str = "", data: Path | None = None
    ) -> None:
        self.hub = Hub()
        self._project = project
        self._suggested = (source or project.settings.source, board or project.settings.board)
        self._engine = Engine(self.hub, data)
        self._jobs = Jobs(project.folder, self._on_job)
        self._source: Content | None = None
        self._deciding = ""
        self._calls: dict[str, Callable[[Content], Content]] = {
            "sources": lambda content: {"sources": [e.document() for e in list_sources()]},
            "source/open": self._open_source,
            "source/close": self._close_source,
            "record/start": self._start_recording,
            "record/pause": lambda content: self._engine.recording("pause"),
            "record/resume": lambda content: self._engine.recording("resume"),
            "record/repeat": lambda content: self._engine.recording("repeat"),
            "record/save": lambda content: self._engine.recording("save"),
            "job/stop": self._stop_job,
            "train": self._train,
            "quantize": lambda content: self._job("quantize", "quantize"),
            "report": lambda content: self._job(
                "report", "report", self._path(project.latest_run())
            ),
            "build": self._build,
            "flash": self._flash,
            "calibrate": self._calibrate,
            "live/start": self._start_deciding,
            "live/stop": self._stop_deciding,
            "test/start": self._start_test,
        }

    def close(self) -> None:
        """Stop everything."""
        self._jobs.stop()
        self._engine.close()

    def call(self, name: str, content: Content) -> Content:
        """Answer a request.

        Raises
        ------
        EdgebioError
            If there is none of that name, or it cannot be answered.
        """
        if name not in self._calls:
            raise EdgebioError(f"no request {name!r}{nearest(name, self._calls)}")
        return self._calls[name](content)

    def state(self) -> Content:
        """Everything that a page shows when it opens."""
        project = self._project
        source, board = self._suggested
        job = self._jobs.current
        return {
            "project": project.folder.name,
            "suggested": {"source": source, "board": board},
            "classes": list(project.settings.classes),
            "pictures": {
                name: draw_gesture(name) for name in (*project.settings.classes, "rest", "other")
            },
            "boards": [b.name for b in map(boards.load, boards.names()) if b.emulator],
            "source": self._source,
            "recordings": sorted(path.name for path in project.recordings.glob("*.npz")),
            "unfinished": sorted(path.name for path in project.recordings.glob("*.part")),
            "runs": [self._run(path) for path in project.runs()],
            "job": job.document() if job else None,
            "deciding": self._deciding,
        }

    def report(self, run: str) -> Path:
        """Page of a run.

        Raises
        ------
        EdgebioError
            If there is none.
        """
        for path in self._project.runs():
            if path.name == run and (path / "report.html").is_file():
                return path / "report.html"
        raise EdgebioError(f"no report of run {run!r}")

    def _path(self, path: Path) -> str:
        """Path as a person types it in the project."""
        return str(path.relative_to(self._project.folder))

    def _run(self, path: Path) -> Content:
        return {"name": path.name, "quantized": (path / "model.tflite").is_file(),
                "report": (path / "report.html").is_file()}  # fmt: skip

    def _open_source(self, content: Content) -> Content:
        self._source = None
        self._deciding = ""
        self._source = self._engine.open_source(_text(content, "url"))
        return {"source": self._source, "command": "edgebio sources"}

    def _close_source(self, content: Content) -> Content:
        self._engine.close_source()
        self._source, self._deciding = None, ""
        return {}

    def _start_recording(self, content: Content) -> Content:
        subject = _text(content, "subject") or "1"
        session = _text(content, "session") or "1"
        classes = tuple(self._project.settings.classes)
        numbers = {name: _number(content, name, default) for name, default in _PLAN.items()}
        plan = Plan(
            classes, int(numbers["repetitions"]), numbers["seconds"], numbers["rest_seconds"],
            numbers["transition_seconds"], zlib.crc32(f"{subject}/{session}".encode()),
        )  # fmt: skip
        output = self._project.recording(subject, session)
        if output.exists():
            raise EdgebioError(f"{output.name}: exists already; give another session")
        placement = Placement(subject, session, _text(content, "placement"))
        self._engine.start_recording(plan, placement, output)
        self._deciding = ""
        options = [f"--{k.replace('_', '-')}={v:g}" for k, v in numbers.items()]
        return {"command": shlex.join(
            ["edgebio", "record", "--subject", subject, "--session", session, *options]
        )}  # fmt: skip

    def _train(self, content: Content) -> Content:
        epochs = int(_number(content, "epochs", 0))
        return self._job("train", "train", *(["--epochs", str(epochs)] if epochs else []))

    def _report(self, content: Content) -> Content:
        return self._job("report", "report", self._path(self._project.latest_run()))

    def _build(self, content: Content) -> Content:
        board = _text(content, "board")
        boards.load(board)
        run = self._path(self._project.latest_run())
        output = self._path(self._project.image(board))
        return self._job("build", "build", run, "--board", board, "-o", output, "--allow-late")

    def _flash(self, content: Content) -> Content:
        image = self._path(self._project.image(_text(content, "board")))
        port = _text(content, "port")
        return self._job("flash", "flash", image, *(["--port", port] if port else []))

    def _calibrate(self, content: Content) -> Content:
        recording = self._project.recordings / Path(_text(content, "recording")).name
        run = self._project.latest_run()
        output = self._path(run / "calibrated.tflite")
        labels = [] if content.get("labels") else ["--no-labels"]
        return self._job(
            "calibrate", "calibrate", self._path(run), self._path(recording), "-o", output, *labels
        )

    def _start_deciding(self, content: Content) -> Content:
        board, port = _text(content, "board"), _text(content, "port")
        run = self._project.latest_run()
        calibrated = run / "calibrated.tflite"
        model = calibrated if content.get("calibrated") and calibrated.is_file() else run
        file = model if model.suffix == ".tflite" else model / "model.tflite"
        if not file.is_file():
            raise EdgebioError(f"run {run.name} has no int8 model yet: quantize it first")
        classes = self._engine.start_deciding(file, board, port)
        self._deciding = board or port or "this machine"
        where = ["--board", board] if board else ["--port", port] if port else []
        url = self._source["url"] if self._source else ""
        command = shlex.join(["edgebio", "live", self._path(model), url, *where])
        return {"command": command, "classes": classes}

    def _stop_deciding(self, content: Content) -> Content:
        self._deciding = ""
        return self._engine.stop_deciding()

    def _start_test(self, content: Content) -> Content:
        directions = tuple(str(name) for name in content.get("directions", ()))
        kind = _text(content, "kind")
        self._engine.start_test(kind, directions)
        options = ["--directions", ",".join(directions)] if kind == "cursor" else []
        return {"command": shlex.join(["edgebio", "live", "--test", kind, *options])}

    def _job(self, name: str, *arguments: str) -> Content:
        job = self._jobs.start(name, *arguments)
        return {"command": job.command}

    def _stop_job(self, content: Content) -> Content:
        self._jobs.stop()
        return {}

    def _on_job(self, job: Job) -> None:
        self.hub.send(json_message(kind="job", job=job.document()))


_PLAN = {"repetitions": 5.0, "seconds": 3.0, "rest_seconds": 2.0, "transition_seconds": 0.5}


def _text(content: Content, name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise EdgebioError(f"{name} is {value!r}; expected text")
    return value.strip()


def _number(content: Content, name: str, default: float) -> float:
    value = content.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise EdgebioError(f"{name} is {value!r}; expected a number")
    return float(value)
