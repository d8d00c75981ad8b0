"""A project: a folder with a recipe, recordings and runs, in which commands need no paths."""

import re
from pathlib import Path

import tomli_w
from pydantic import ValidationError

from edgebio import recipes, storage
from edgebio.errors import EdgebioError
from edgebio.recordings.natural_order import sort_naturally
from edgebio.section import Section, first_problem, read_toml

FILE = "edgebio.toml"
"""File that makes a folder a project."""

_README = """\
# {name}

Recordings, networks and firmware of one wearer. All commands run in this folder without paths:

    edgebio sources                    # which devices are there
    edgebio record                     # record the classes of edgebio.toml, guided
    edgebio train                      # train on all recordings: runs/1, runs/2, ...
    edgebio quantize                   # the latest run, to int8
    edgebio live                       # decide about the live source
    edgebio build                      # firmware of the latest run, for the board of edgebio.toml
    edgebio studio                     # all of it in the browser

| here | holds |
| --- | --- |
| `edgebio.toml` | source, classes and board |
| `recipe.toml` | front end, network and training; `edgebio recipes list` names others to copy |
| `recordings/` | one file per subject and session |
| `runs/` | trained networks |
| `images/` | firmware |
"""


class ProjectSettings(Section):
    """Content of ``edgebio.toml``.

    Attributes
    ----------
    source : str
        URL of the live source, see ``edgebio sources``.
    classes : tuple of str
        Classes to record.
    board : str
        Board for which firmware is built.
    """

    source: str = "synthetic://"
    classes: tuple[str, ...] = ("rest", "fist", "open hand")
    board: str = "mps2-an386"


class Project:
    """A project's folder.

    Raises
    ------
    EdgebioError
        If its ``edgebio.toml`` is missing or wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = read_toml(ProjectSettings, "project", folder, folder / FILE)

    @classmethod
    def find(cls, start: Path | None = None) -> "Project | None":
        """Project of a folder (the current one), or of the nearest folder above it."""
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / FILE).is_file():
                return cls(folder)
        return None

    @classmethod
    def create(
        cls, folder: Path, settings: ProjectSettings, recipe: str = "emg-grips"
    ) -> "Project":
        """Make a project of a new or empty folder.

        Raises
        ------
        EdgebioError
            If something is in the folder, or there is no such recipe.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise EdgebioError(f"{folder}: not empty; name a new folder")
        recipes.load(recipe)
        text = recipes.path_of(recipe).read_text("utf-8")
        for name in ("recordings", "runs", "images"):
            (folder / name).mkdir(parents=True)
        storage.write_text(folder / "recipe.toml", recipe_for_recordings(text, folder.name))
        storage.write_text(folder / "README.md", _README.format(name=folder.name))
        title = "# What commands use in this folder where nothing is given.\n"
        storage.write_text(folder / FILE, title + tomli_w.dumps(settings.model_dump(mode="json")))
        return cls(folder)

    @property
    def recipe(self) -> Path:
        """The recipe."""
        return self.folder / "recipe.toml"

    @property
    def recordings(self) -> Path:
        """Folder of the recordings, which is named like a data set."""
        return self.folder / "recordings"

    def runs(self) -> list[Path]:
        """Folders of the runs, oldest first."""
        folders = [path for path in (self.folder / "runs").glob("*") if path.is_dir()]
        by_name = {path.name: path for path in folders}
        return [by_name[name] for name in sort_naturally(by_name)]

    def latest_run(self) -> Path:
        """Return the latest run.

        Raises
        ------
        EdgebioError
            If there is none.
        """
        runs = self.runs()
        if not runs:
            raise EdgebioError(f"{self.folder}: no run yet: edgebio train")
        return runs[-1]

    def next_run(self) -> Path:
        """Folder of the next run."""
        numbers = [int(run.name) for run in self.runs() if run.name.isdecimal()]
        return self.folder / "runs" / str(max(numbers, default=0) + 1)

    def recording(self, subject: str, session: str) -> Path:
        """File of a subject's session."""
        name = re.sub(r"[^\w.-]+", "_", f"{subject}-{session}")
        return self.recordings / f"{name}.npz"

    def image(self, board: str) -> Path:
        """Folder of the firmware for a board."""
        return self.folder / "images" / Path(board).stem


def check_settings(source: str, classes: tuple[str, ...], board: str) -> ProjectSettings:
    """Settings of a new project.

    Raises
    ------
    EdgebioError
        If a value is impossible.
    """
    try:
        return ProjectSettings(source=source, classes=classes, board=board)
    except ValidationError as error:
        raise EdgebioError(first_problem(error)) from None


def recipe_for_recordings(text: str, name: str) -> str:
    """Text of a recipe, its comments included, with a project's recordings as its data."""
    data = (
        '[data]\ndataset = "recordings"\ntest_repetitions = 1  # of each session, the last ones\n'
    )
    result = re.sub(r"(?ms)^\[data\]\n.*?(?=^\[|^#|\Z)", f"{data}\n", text, count=1)
    result = re.sub(r"# The default recipe.*\n", "", result)
    result = re.sub(r"(?ms)^\[data\.\w+\]\n.*?(?=^\[|^#|\Z)", "", result)
    return re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', result, count=1)
