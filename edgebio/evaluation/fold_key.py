"""The key under which a finished fold is kept: a digest of everything that its result depends on.

All of the package and all C assets count, except what `NOT_IN_A_FOLD` and `ASSETS_NOT_IN_A_FOLD`
name, so that a new package is in the key by default. A test checks that a fold executes none of it.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from edgebio import protocols, storage
from edgebio.protocols import Fold
from edgebio.recipes import Recipe

NOT_IN_A_FOLD = frozenset({
    "api.py", "boards", "cli", "doctor.py", "firmware", "link", "parity", "report", "runtime",
    "search",
})  # fmt: skip
ASSETS_NOT_IN_A_FOLD = frozenset({"app", "emulator", "link", "ports"})

# What [data] says of recordings is in their samples; how they are divided is in the fold.
_DATA = {
    "dataset", "protocol", "train_sessions", "test_sessions", "test_repetitions", "classes",
    "channels", "rate", "band",
}  # fmt: skip
_HASHED_BY_CONTENT = {"samples", "labels", "beats", "source"}
_SUFFIXES = {".py", ".c", ".h"}


def fold_key(recipe: Recipe, fold: Fold) -> str:
    """Digest of a fold, the recipe that trains it, and the code: 24 hexadecimal digits."""
    hasher = hashlib.sha256(code_digest())
    settings = recipe.model_dump(mode="json", exclude={"name": True, "title": True, "data": _DATA})
    hasher.update(json.dumps(settings, sort_keys=True).encode())
    for recordings in (fold.train, fold.test, fold.tune, fold.validation, fold.pretraining):
        hasher.update(b"set")
        for recording in recordings:
            fields = {
                field.name: getattr(recording, field.name)
                for field in dataclasses.fields(recording)
                if field.name not in _HASHED_BY_CONTENT
            }
            hasher.update(json.dumps(fields).encode() + protocols.digest(recording))
    return hasher.hexdigest()[:24]


@functools.cache
def code_digest(*included: str) -> bytes:
    """Digest of the code that results depend on.

    Parameters
    ----------
    included
        Packages and folders of C that count although a fold does not use them.
    """
    hasher = hashlib.sha256()
    for name, path in code_files(*included):
        hasher.update(name.encode() + path.read_bytes())
    return hasher.digest()


def code_files(*included: str) -> Iterator[tuple[str, Path]]:
    """Name, such as ``edgebio/models/blocks.py``, and path of each file of `code_digest`."""
    package = Path(__file__).resolve().parents[1]
    for root, excluded in (
        (package, NOT_IN_A_FOLD | {"_assets"}),
        (storage.assets("firmware_assets"), ASSETS_NOT_IN_A_FOLD),
    ):
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root)
            if path.suffix in _SUFFIXES and name.parts[0] not in excluded - {*included}:
                yield f"{root.name}/{name.as_posix()}", path
