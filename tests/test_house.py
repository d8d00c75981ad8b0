"""The architecture: packages, one direction of imports, and what stays light."""

import ast
import graphlib
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgebio.cli import main

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "edgebio"

# The road: a room imports from rooms on lines above its own, never from below. Recipes read the
# settings of the decision; its twin comes after the model.
ROAD = (
    "report",
    "recordings sampling frontend decision.spec",
    "datasets",
    "recipes",
    "project",
    "protocols",
    "models",
    "training",
    "tflite",
    "decision",
    "calibration",
    "quantization",
    "compiler",
    "boards",
    "link",
    "sources",
    "acquisition",
    "firmware",
    "runtime",
    "parity",
    "tasks",
    "evaluation",
    "search",
    "doctor",
    "arguments",
    "api",
    "studio",
    "cli",
)
STAGE = {room: stage for stage, rooms in enumerate(ROAD) for room in rooms.split()}
BASE = {
    "errors", "storage", "progress", "processes", "generated_c", "renamed", "section", "suggest",
}  # fmt: skip
LIGHT = ("tflite", "compiler", "firmware", "boards", "link", "decision", "runtime")
HEAVY = {"tensorflow", "tf_keras", "keras", "tensorflow_model_optimization"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room(name: str) -> str:
    """Room of a module, or of a name in it; "" for the package itself."""
    parts = name.split(".")[1:]
    return ".".join(parts[:2]) if ".".join(parts[:2]) in STAGE else parts[0] if parts else ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import in a module, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(ROOT).with_suffix("").parts[: -node.level or None])
            base = ".".join(filter(None, [package if node.level else "", node.module or ""]))
            yield node.lineno, base
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def test_every_package_has_a_layer() -> None:
    known = STAGE.keys() | BASE | {"", "__main__"}
    assert {room(name_of(path)) for path in modules()} <= known


def test_packages_import_lower_layers_only() -> None:
    wrong = []
    for path in modules():
        own = room(name_of(path))
        for line, name in imports(path):
            other = room(name) if name.startswith("edgebio.") else ""
            if other in {"", own, *BASE}:
                continue
            if own in BASE or STAGE.get(other, len(ROAD)) > STAGE.get(own, len(ROAD)):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong


def test_packages_of_one_layer_have_no_import_circle() -> None:
    used: dict[str, set[str]] = {name: set() for name in STAGE}
    for path in modules():
        if room(name_of(path)) in STAGE:
            used[room(name_of(path))] |= {
                room(name) for _, name in imports(path) if name.startswith("edgebio.")
            } & STAGE.keys()
    circles = [(a, b) for a in used for b in used if a < b and a in used[b] and b in used[a]]
    assert not circles


def test_no_module_imports_itself_through_others() -> None:
    """No import circles between modules, those of imports inside functions included."""
    paths = {name_of(path): path for path in modules()}
    used: dict[str, set[str]] = {}
    for name, path in paths.items():
        used[name] = {
            imported for _, imported in imports(path) if imported in paths and imported != name
        }
        # `from edgebio.a import b` names the package too; its own modules do not depend on it.
        used[name] -= {name.rsplit(".", count)[0] for count in range(1, name.count(".") + 1)}
    try:
        graphlib.TopologicalSorter(used).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_modules_are_short() -> None:
    """At most 400 lines, unless the module says at its top why it is longer."""
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in modules()
        if (lines := len((text := path.read_text("utf-8")).splitlines())) > 400
        and "Longer than 400 lines" not in text[:2000]
    ]
    assert not long


@pytest.mark.parametrize("name", LIGHT)
def test_light_packages_do_not_name_tensorflow(name: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {imported}"
        for path in modules()
        if name_of(path).split(".")[1:2] == [name]
        for line, imported in imports(path)
        if imported.split(".")[0] in HEAVY
    ]
    assert not wrong


def test_light_packages_work_without_tensorflow() -> None:
    """Every module of theirs is imported in a process in which TensorFlow cannot be."""
    names = [name_of(path) for path in modules() if set(name_of(path).split(".")[1:2]) & set(LIGHT)]
    assert len(names) > len(LIGHT)
    code = (
        "import importlib, sys\n"
        f"for name in {sorted(HEAVY)}: sys.modules[name] = None\n"
        f"for name in {names}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_is_quick_and_light() -> None:
    """It takes little more than click: processor time of both, as the machine may be busy."""

    def seconds(*arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
        def spent() -> float:
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        before = spent()
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *arguments],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return spent() - before, done

    click_alone, helped = [], []
    for _ in range(5):
        click_alone.append(seconds("-c", "import click")[0])
        took, done = seconds("-m", "edgebio", "--help")
        helped.append(took)
    imported = set(re.findall(r"\| +([A-Za-z_]\w*)", done.stderr))
    assert "click" in imported
    assert not imported & {*HEAVY, "scipy", "sklearn", "numpy", "matplotlib", "rich"}
    assert min(helped) < 4 * min(click_alone)
    assert "train" in done.stdout


def test_help_of_every_command_imports_no_training() -> None:
    names = [path for path, command in commands() if path]
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom edgebio.cli import main\n"
        f"for path in {names}: assert not CliRunner().invoke(main, [*path, '--help']).exit_code\n"
        f"print({HEAVY | {'scipy', 'sklearn', 'matplotlib'}} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    waiting: list[tuple[tuple[str, ...], click.Command]] = [((), main)]
    while waiting:
        path, command = waiting.pop()
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                listed = command.get_command(context, name)
                assert listed is not None, f"{' '.join((*path, name))} is listed and not there"
                waiting.append(((*path, name), listed))


def test_every_command_shows_an_example_of_itself() -> None:
    for path, _ in commands():
        done = CliRunner().invoke(main, [*path, "--help"])
        assert done.exit_code == 0, path
        assert f"edgebio {' '.join(path)}".rstrip() in done.output.partition("Example:")[2], path


def test_every_option_says_what_it_does() -> None:
    silent = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert not silent


@cache
def tracked() -> tuple[Path, ...]:
    """Text files that git tracks; in an unpacked archive, all of them."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = done.stdout.split("\0") if done.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [
        path for path in ROOT.rglob("*") if not any(p.startswith(".") for p in path.parts)
    ]
    return tuple(path for path in paths if path.is_file() and path.stat().st_size < 1 << 20)


def test_nothing_belongs_to_one_machine() -> None:
    """No absolute path of somebody's, and no registry's host: what users have is theirs to set."""
    folders = r"/(?:work|root|farm|tmp|home|Users)/[A-Za-z0-9_.]"
    hosts = r"(?:pypi|files\.pythonhosted|registry\.npmjs|deb\.debian|proxy\.golang)\.(?:org|io)"
    pattern = re.compile(rf"(?<![\w.~}}]){folders}|{hosts}")
    paths = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not paths


def test_python_is_the_same_everywhere() -> None:
    """tools/setup accepts the interpreters that the package accepts."""
    declared = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', read("pyproject.toml"))
    assert declared
    first, end = map(int, declared.groups())
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {end - 1})" in read("tools/setup")


def test_the_version_is_the_same_everywhere() -> None:
    stated = (
        ("pyproject.toml", r'^version = "(.+)"$'),
        ("edgebio/__init__.py", r'^__version__ = "(.+)"$'),
        ("CITATION.cff", r"^version: (.+)$"),
        ("CHANGELOG.md", r"^## \[(.+)\]"),
    )
    versions = {}
    for name, pattern in stated:
        version = re.search(pattern, read(name), re.MULTILINE)
        versions[name] = version[1] if version else None
    assert len(set(versions.values())) == 1, versions


def read(name: str) -> str:
    return (ROOT / name).read_text()
