"""Coverage-guided fuzzing of all that a .tflite meets before its C is compiled.

``python -m tests.tflite.fuzz CORPUS [libFuzzer's options]``: reads, verifies, lowers, simplifies,
chooses kernels, plans and emits. The only way out besides C is one line of `EdgebioError`. A crash,
a hang and an allocation beyond the limit end the run with the input written down.
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
"""Address space that may be taken beyond what the process has when it starts."""


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
