"""Random damage to the files of a data set."""

from pathlib import Path

import numpy as np

from edgebio import datasets
from edgebio.errors import EdgebioError


def check_damage(path: Path, name: str, root: Path, subject: str, cases: int = 60) -> None:
    """Cut and flip bits in the files of one trial: they are read, or refused in one line."""
    files = sorted(path.parent.glob(f"{path.stem}.*"))
    intact = {file: file.read_bytes() for file in files}
    rng = np.random.default_rng(0)
    messages = []
    for case in range(cases):
        file = files[case % len(files)]
        body = bytearray(intact[file])
        if case % 3 == 0:
            body = body[: rng.integers(len(body))]
        for _ in range(case % 7):
            if body:
                body[rng.integers(min(len(body), 300))] = rng.integers(256)
        file.write_bytes(body)
        try:
            datasets.load(name, root, [subject])
        except EdgebioError as error:
            messages.append(str(error))
        file.write_bytes(intact[file])
    assert len(messages) > 5
    assert not [message for message in messages if "\n" in message]
