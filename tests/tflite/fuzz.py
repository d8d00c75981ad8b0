"""Coverage-guided fuzzing of all that a .tflite meets before its C is compiled.

``python -m tests.tflite.fuzz CORPUS [libFuzzer's options]``: reads, verifies, lowers, fuses,
schedules, plans memory and emits. The only result besides C is one line of `EdgebioError`. A crash,
a hang or an allocation above the limit ends the run and saves the input.
"""

import os
import resource
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["edgebio", "tflite"]):
    from edgebio import compiler, tflite
    from edgebio.errors import EdgebioError

MEMORY = 1 << 30
"""Address space that may be allocated in addition to that at the start."""


def attempt(data: bytes) -> None:
    try:
        program = compiler.compile_model(tflite.read(data))
        compiler.c_files(program)
        compiler.explain(program)
    except EdgebioError as error:
        text = str(error)
        if "\n" in text or len(text) > 1000:
            raise AssertionError(f"not one line: {text[:200]!r}") from None


def limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    atheris.Setup(sys.argv, attempt)
    limit_memory()
    atheris.Fuzz()
