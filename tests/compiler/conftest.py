"""Fixtures: random networks and the oracle, where tflite-micro is installed; a sanitized build."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgebio import compiler, storage
from edgebio.processes import host_compiler
from tests.compiler import networks

STRICT = ("-Wshadow", "-Wconversion", "-Wmissing-prototypes", "-Wpedantic")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")

# Every buffer is allocated to its very size, so that one byte too far is caught.
_MAIN = """\
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

int main(void)
{
    void *state = aligned_alloc(16, EB_MODEL_STATE_BYTES);
    void *input = malloc(EB_MODEL_INPUT_BYTES);
    void *output = malloc(EB_MODEL_OUTPUT_BYTES);
    while (fread(input, EB_MODEL_INPUT_BYTES, 1, stdin) == 1) {
        eb_model_invoke(state, input, output);
        fwrite(output, EB_MODEL_OUTPUT_BYTES, 1, stdout);
    }
    free(state);
    free(input);
    free(output);
    return 0;
}
"""


@pytest.fixture(scope="session")
def tflite_micro() -> None:
    """Skip where the oracle is not installed."""
    pytest.importorskip("tflite_micro", reason="tflite-micro, the oracle, is not installed")
    networks.load_schema()


@pytest.fixture(scope="session")
def kernel_objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All kernels, compiled once with the address and undefined-behaviour sanitizers."""
    folder = tmp_path_factory.mktemp("kernels")
    sources = sorted((storage.assets("firmware_assets") / "kernels").glob("*.c"))
    assert sources
    objects = []
    for source in sources:
        target = folder / f"{source.stem}.o"
        flags = (*host_compiler.STRICT, *STRICT, *SANITIZE, f"-I{source.parent}")
        host_compiler.run(host_compiler.compiler(), *flags, "-c", str(source), "-o", str(target))
        objects.append(target)
    return objects


@pytest.fixture
def run_sanitized(kernel_objects: list[Path], tmp_path: Path) -> Callable[..., NDArray[Any]]:
    """Run a model's generated C under the sanitizers, warnings being errors."""

    def run(model: Any, x: NDArray[Any], core: compiler.Core = "portable") -> NDArray[Any]:
        generated = compiler.generate(model, tmp_path / "generated", core)
        (tmp_path / "main.c").write_text(_MAIN)
        host_compiler.run(
            host_compiler.compiler(),
            *(*host_compiler.STRICT, *STRICT, *SANITIZE),
            *(f"-I{folder}" for folder in generated.include),
            str(tmp_path / "main.c"),
            str(generated.sources[0]),
            *map(str, kernel_objects),
            "-o",
            str(tmp_path / "program"),
        )
        done = subprocess.run(
            [tmp_path / "program"], input=x.tobytes(), capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[:2000]
        network = generated.program.network
        dtype = np.dtype(network.tensors[network.output].dtype)
        return np.frombuffer(done.stdout, dtype).reshape(len(x), *network.output_shape[1:])

    return run
