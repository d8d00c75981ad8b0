"""Long work of the page, each a command of its own process: train, quantize, build, flash."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgebio.errors import EdgebioError
from edgebio.progress import EVERY_NOTE

_LINES = 400  # that are stored
_NUMBERS = re.compile(r"\b(epoch|loss|accuracy|val_accuracy|val_loss)\b[ :=]+([\d.]+)")


@dataclass
class Job:
    """A command at work.

    Attributes
    ----------
    name, command
        What it is for, and what a person would type.
    lines
        What it printed.
    curve
        One point for each epoch: numbers by name.
    result
        The document that it printed.
    code
        Exit code; None while it runs.
    """

    name: str
    command: str
    lines: list[str] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)
    result: dict[str, Any] | None = None
    code: int | None = None

    def document(self) -> dict[str, Any]:
        """JSON form."""
        return dict(vars(self))


class Jobs:
    """One command at a time, in the folder of the project.

    Parameters
    ----------
    folder
        Where commands run.
    on_change
        Called with the job whenever it prints a line, and when it ends.
    """

    def __init__(self, folder: Path, on_change: Callable[[Job], None]) -> None:
        self.current: Job | None = None
        self._folder, self._on_change = folder, on_change
        self._process: subprocess.Popen[str] | None = None

    def start(self, name: str, *arguments: str) -> Job:
        """Start a command of edgebio.

        Raises
        ------
        EdgebioError
            If another one is at work.
        """
        if self.current is not None and self.current.code is None:
            raise EdgebioError(f"{self.current.name} is at work; stop it, or wait")
        job = Job(name, shlex.join(["edgebio", *arguments]))
        self.current = job
        process = subprocess.Popen(
            [sys.executable, "-m", "edgebio", *arguments, "--json"], cwd=self._folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env={**os.environ, EVERY_NOTE: "1"},
        )  # fmt: skip
        self._process = process
        threading.Thread(target=self._follow, args=(job, process), daemon=True).start()
        self._on_change(job)
        return job

    def stop(self) -> None:
        """Stop the command that is at work."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _follow(self, job: Job, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.append(process.stdout.read()), daemon=True)  # type: ignore[union-attr]
        reader.start()
        for line in process.stderr:
            self._add(job, line.rstrip())
        code = process.wait()
        reader.join()
        try:
            job.result = json.loads(output[0]) if output and output[0].strip() else None
        except ValueError:
            job.result = None
        job.code = code
        self._on_change(job)

    def _add(self, job: Job, line: str) -> None:
        if not line.strip():
            return
        job.lines = [*job.lines[-_LINES:], line]
        numbers = {name: float(value.rstrip(".")) for name, value in _NUMBERS.findall(line)}
        if "epoch" in numbers:
            job.curve.append(numbers)
        self._on_change(job)
