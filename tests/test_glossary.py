"""One vocabulary: names that say what a thing is, and one spelling, in Python, C and text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_house import ROOT, tracked

BANNED = {
    "about", "alone", "asked", "begun", "crew", "descend", "fed", "found", "heard", "held", "kept",
    "leaning", "made", "said", "settled", "taught", "those", "told", "whose",
}  # fmt: skip
"""Identifiers that say nothing: participles and pronouns."""
BANNED_PARTS = {
    "begun", "crew", "kept", "leaning", "person", "persons", "said", "sitting", "sittings", "taper",
    "taught", "told", "whose",
}  # fmt: skip
"""Words that no part of an identifier is, as the glossary has another one for the thing."""
BANNED_NAMES = {"core_class", "CoreClass", "hostcc"}
BRITISH = re.compile(
    r"\b(?!analyses\b)\w*(?:"
    r"(?:normal|quant|standard|initial|optim|summar|recogn|synchron|serial|real|general|minim|maxim|"
    r"organ|util|visual|random|token|local|central|categor|vector|final|parallel)is(?:e|es|ed|er|ers|"
    r"ing|ation|ations)\b|colour|behaviour|neighbour|favour|honour|artefact|licence|labell(?:ed|ing)"
    r"|modell(?:ed|ing)|cancell(?:ed|ing)|signall(?:ed|ing)|centre[sd]?\b|\bgrey\b|metre[s]?\b"
    r"|analys(?:e|ed|er|ing)\b|catalogue|programme\b)",
    re.IGNORECASE,
)
"""British spellings; the project writes American English."""
STABLE_NAMES = re.compile(
    r'"(?:licence|people|artefacts|standardis[a-z]+|normalise|labelled|labelled_windows|'
    r"unlabelled_seconds)\b|CancelledError"
)
"""Keys of documents and of old recipes, and names of Python's library: they do not change."""
HOLDS_OLD_KEYS = {"renamed.py", "test_renamed.py", "CHANGELOG.md", "recipe.toml"}
"""Files that name the old keys: their readers, the changelog, and run folders of version 0.1."""


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Names that a module defines: functions, classes, arguments, variables and attributes."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str()):
                yield node.lineno, str(node.asname)


def is_banned(name: str) -> bool:
    bare = name.strip("_").lower()
    if name.startswith("test_"):  # a sentence
        return False
    return name in BANNED_NAMES or bare in BANNED or bool(set(bare.split("_")) & BANNED_PARTS)


@pytest.mark.parametrize("folder", ["edgebio", "tools", "examples", "tests", "docs"])
def test_names_say_what_a_thing_is(folder: str) -> None:
    banned = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files()
        if path.relative_to(ROOT).parts[0] == folder
        for line, name in names(path)
        if is_banned(name)
    ]
    assert not banned, "\n".join(banned[:40])


def test_c_uses_the_same_vocabulary() -> None:
    pattern = re.compile(r"\b\w*(?:requantis|normalis|quantis|initialis|core_class|taper)\w*")
    banned = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in tracked()
        if path.suffix in {".c", ".h"}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for match in pattern.finditer(line)
    ]
    assert not banned, "\n".join(banned[:40])


@pytest.mark.parametrize(
    "folder", ["edgebio", "firmware_assets", "boards", "tools", "tests", "docs", "examples", "."]
)
def test_spelling_is_american(folder: str) -> None:
    own = Path(__file__).resolve()
    british = []
    for path in tracked():
        parts = path.relative_to(ROOT).parts
        if (parts[0] if len(parts) > 1 else ".") != folder or path == own or path.suffix == ".json":
            continue
        if path.name in HOLDS_OLD_KEYS:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if match := BRITISH.search(STABLE_NAMES.sub("", line)):
                british.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not british, "\n".join(british[:40])


def test_the_patterns_match_what_they_should() -> None:
    assert is_banned("told")
    assert is_banned("_by_sitting")
    assert is_banned("core_class")
    assert not is_banned("threshold")
    assert not is_banned("test_what_was_told")
    assert BRITISH.search("normalised")
    assert BRITISH.search("the neighbouring bin")
    assert not BRITISH.search("raise, precise, analysis, exercises, centers")
