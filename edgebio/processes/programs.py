"""Run an external program and read what it prints."""

import os
import select
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgebio.errors import EdgebioError

_COMPILER_ERRORS = ("error:", "undefined reference", "cannot find", "cannot open")


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended, and what it printed."""

    name: str  # file name of the program
    returncode: int  # negative for the signal that ended it
    stdout: str
    stderr: str

    @property
    def error_lines(self) -> list[str]:
        """Lines of stderr that are not blank, stripped."""
        return [line.strip() for line in self.stderr.splitlines() if line.strip()]


def run_program(
    *command: str | Path, folder: Path | None = None, timeout: float | None = None
) -> ProgramResult:
    """Run a program to its end in `folder`, or kill it after `timeout` seconds.

    Raises
    ------
    EdgebioError
        Where the program cannot be started or does not finish in time.
    """
    try:
        process = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, encoding="utf-8",
            errors="replace", timeout=timeout, check=False,
        )  # fmt: skip
    except OSError as error:
        raise EdgebioError(f"{command[0]}: cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise EdgebioError(f"{command[0]}: no end after {timeout:g} s") from None
    name = Path(command[0]).name
    return ProgramResult(name, process.returncode, process.stdout, process.stderr)


def stream_program(
    *command: str | Path, on_output: Callable[[str], None], silence: float
) -> ProgramResult:
    """Run a program to its end and hand on its output as it comes, stderr within stdout.

    Raises
    ------
    EdgebioError
        Where the program cannot be started, or prints nothing for `silence` seconds.
    """
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise EdgebioError(f"{command[0]}: cannot be started: {error.strerror}") from None
    assert process.stdout is not None
    output = b""
    last_output = time.monotonic()
    with process.stdout as pipe:
        try:
            while True:
                if select.select([pipe], [], [], 1.0)[0]:
                    piece = os.read(pipe.fileno(), 4096)
                    if not piece:
                        break
                    output += piece
                    last_output = time.monotonic()
                    on_output(piece.decode(errors="replace"))
                elif time.monotonic() - last_output > silence:
                    raise EdgebioError(f"{name} hangs: no output for {silence:g} s")
            process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return ProgramResult(name, process.returncode, output.decode(errors="replace"), "")


def run_compiler(*command: str | Path, folder: Path | None = None) -> str:
    """Run a compiler, linker or other build tool and return its standard output.

    Raises
    ------
    EdgebioError
        Where it cannot be started or fails; the text has the first error that it prints.
    """
    result = run_program(*command, folder=folder)
    if result.returncode:
        # The driver's own last line only says that the linker failed.
        lines = [line for line in result.error_lines if not line.startswith("collect2:")]
        lines = lines or result.error_lines or [f"exit code {result.returncode}"]
        errors = (line for line in lines if any(text in line for text in _COMPILER_ERRORS))
        raise EdgebioError(f"{result.name} failed: {next(errors, lines[0])}")
    return result.stdout
