"""Several networks in one program: on this machine under sanitizers, or in one image of a board.

Each network's model.c is compiled separately, with its functions renamed, and the kernels once. A
model.h stands for all of them: one inference runs each network on its part of the input.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, storage
from edgebio.boards import Board, qemu
from edgebio.compiler.ir.memory_plan import round_up
from edgebio.firmware import linking
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from edgebio.frontend import c_source as frontend_firmware
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler
from edgebio.tflite.edges import inputs_of, outputs_of
from tests.compiler.sanitizers import KERNELS, SANITIZED, compile_sanitized

Bytes = NDArray[np.uint8]

_ALIGNMENT = 4  # of each network's input and output in an image

_WRAPPER = """\
{renames}
#include "model_{index}/model.c"
#include "batch.h"

/* One inference; a network with a state keeps its own from call to call. */
void eb_model_run(void *state, const void *input, void *output);

void eb_model_run(void *state, const void *input, void *output)
{{
#if EB_MODEL_KEPT_BYTES
    static _Alignas(16) uint8_t own[EB_MODEL_STATE_BYTES];
    static int begun;
    if (!begun) {{
        eb_model_reset(own);
        begun = 1;
    }}
    state = own;
#endif
    eb_model_invoke_packed(state, input, output);
}}

const batch_network batch_{index} = {{
    eb_model_run, EB_MODEL_INPUT_BYTES, EB_MODEL_OUTPUT_BYTES, EB_MODEL_STATE_BYTES}};
"""

_HEADER = """\
#ifndef BATCH_H
#define BATCH_H

#include <stdint.h>

typedef struct {
    void (*invoke)(void *state, const void *input, void *output);
    uint32_t input, output, state;
} batch_network;

"""

_MODEL_H = """\
#ifndef BATCH_MODEL_H
#define BATCH_MODEL_H

#define EB_MODEL_INPUT_BYTES {input}
#define EB_MODEL_OUTPUT_BYTES {output}
#define EB_MODEL_STATE_BYTES {state}
#define EB_MODEL_KEPT_BYTES 0
#define EB_MODEL_LAYERS {count}

void eb_model_invoke(void *state, const void *input, void *output);
#define eb_model_invoke_packed eb_model_invoke

#endif
"""

# Every buffer is allocated to its very size, so that one byte too far is caught.
_HOST = """\
#include <stdio.h>
#include <stdlib.h>

#include "batch_all.h"

int main(int count, char **arguments)
{
    const long inputs = count > 1 ? atol(arguments[1]) : 0;
    for (long i = 0; i < inputs; i++) {
        for (int n = 0; n < NETWORKS; n++) {
            void *state = aligned_alloc(16, networks[n]->state);
            void *input = malloc(networks[n]->input);
            void *output = calloc(1, networks[n]->output); /* also between tensors */
            if (fread(input, networks[n]->input, 1, stdin) != 1) {
                return 2;
            }
            networks[n]->invoke(state, input, output);
            fwrite(output, networks[n]->output, 1, stdout);
            free(state);
            free(input);
            free(output);
        }
    }
    return 0;
}
"""


def write(
    folder: Path,
    models: Sequence[compiler.Model],
    isa: compiler.KernelSet,
    goal: compiler.Goal = compiler.SPEED,
) -> list[compiler.Program]:
    """Write the C of all networks, and what joins them, into `folder`."""
    programs = [compiler.compile_model(model, isa, goal) for model in models]
    write_programs(folder, programs, [_WRAPPER] * len(programs))
    return programs


def write_programs(
    folder: Path, programs: Sequence[compiler.Program], wrappers: Sequence[str]
) -> None:
    """Write the C of all programs, what joins them, and around each a wrapper.

    A wrapper is C with ``{renames}`` and ``{index}``; it defines ``batch_{index}``.
    """
    for index, (program, wrapper) in enumerate(zip(programs, wrappers, strict=True)):
        place = folder / f"model_{index}"
        place.mkdir()
        for name, text in compiler.c_files(program).items():
            (place / name).write_text(text)
        names = [
            "invoke",
            "invoke_packed",
            "run",
            "reset",
            "inputs",
            "outputs",
            "sha256",
            *(f"layer_{i}" for i in range(len(program.calls))),
        ]
        names += ["stream_reset", "push", *(f"push_{i}" for i in range(len(program.calls)))]
        renames = "\n".join(f"#define eb_model_{n} eb_model_{index}_{n}" for n in names)
        (folder / f"batch_{index}.c").write_text(wrapper.format(renames=renames, index=index))
    externs = [f"extern const batch_network batch_{i};" for i in range(len(programs))]
    (folder / "batch.h").write_text("\n".join([_HEADER, *externs, "", "#endif", ""]))
    table = "".join(f"    &batch_{i},\n" for i in range(len(programs)))
    (folder / "batch_all.h").write_text(
        '#include "batch.h"\n\n'
        f"enum {{ NETWORKS = {len(programs)} }};\n"
        f"static const batch_network *const networks[NETWORKS] = {{\n{table}}};\n"
    )


def _network_sources(programs: Sequence[compiler.Program]) -> list[Path]:
    return [Path(f"batch_{index}.c") for index in range(len(programs))]


def _kernel_sources(programs: Sequence[compiler.Program]) -> list[Path]:
    names = {name for program in programs for name in program.kernel_sources}
    return [KERNELS / name for name in sorted(names)]


def join_calls(function: str, sizes: Sequence[tuple[int, int]]) -> str:
    """C of one inference of all: calls by name, so that the stack can be bounded.

    Parameters
    ----------
    function
        Of each wrapper, ``eb_model_{index}_{function}``.
    sizes
        Bytes of its input and output.
    """
    names = [f"eb_model_{index}_{function}" for index in range(len(sizes))]
    edges = [(name, *pair) for name, pair in zip(names, sizes, strict=True)]
    return "\n".join(
        [
            '#include "model.h"\n',
            *(f"void {name}(void *state, const void *input, void *output);" for name in names),
            "\nvoid eb_model_invoke(void *state, const void *input, void *output)\n{",
            "    const char *from = input;\n    char *to = output;",
            *(
                f"    {name}(state, from, to);\n    from += {input_};\n    to += {output};"
                for name, input_, output in edges
            ),
            "}\n",
        ]
    )


def _sizes(programs: Sequence[compiler.Program], edge: str) -> list[int]:
    """Bytes of each network's input or output."""
    return [(inputs_of if edge == "input" else outputs_of)(p.graph).bytes for p in programs]


def _split(
    data: bytes, programs: Sequence[compiler.Program], count: int, alignment: int = 1
) -> list[Bytes]:
    """Outputs of each network (count, bytes), of what the program wrote, each aligned."""
    sizes = _sizes(programs, "output")
    steps = [round_up(size, alignment) for size in sizes]
    rows = np.frombuffer(data, np.uint8).reshape(count, sum(steps))
    parts = np.split(rows, np.cumsum(steps)[:-1], axis=1)
    return [part[:, :size] for part, size in zip(parts, sizes, strict=True)]


def _aligned(images: NDArray[Any], count: int) -> Bytes:
    """Inputs as rows of bytes, whose number is a multiple of `_ALIGNMENT`."""
    rows = np.frombuffer(images.tobytes(), np.uint8).reshape(count, -1)
    return np.pad(rows, ((0, 0), (0, round_up(rows.shape[1], _ALIGNMENT) - rows.shape[1])))


def run_sanitized(
    models: Sequence[compiler.Model],
    x: Sequence[NDArray[Any]],
    isa: compiler.KernelSet,
    goal: compiler.Goal = compiler.SPEED,
) -> list[Bytes]:
    """Outputs of every network for its inputs, under the sanitizers, with warnings as errors."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        programs = write(folder, models, isa, goal)
        count = len(x[0])
        data = b"".join(images[i].tobytes() for i in range(count) for images in x)
        return _split(run_host(folder, programs, data, count), programs, count)


def run_host(folder: Path, programs: Sequence[compiler.Program], data: bytes, count: int) -> bytes:
    """Run what `write_programs` wrote on `data`, so many inputs, under the sanitizers."""
    (folder / "main.c").write_text(_HOST)
    own = (folder / name for name in (Path("main.c"), *_network_sources(programs)))
    objects = [
        *compile_sanitized(_kernel_sources(programs)), *compile_sanitized(own, folder)
    ]  # fmt: skip
    program = folder / "program"
    run_compiler(host_compiler.find_compiler(), *SANITIZED, *objects, "-o", program)
    done = subprocess.run(
        [program, str(count)], input=data, capture_output=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[:2000]
    return done.stdout


def run_emulated(
    board: Board,
    models: Sequence[bytes],
    x: Sequence[NDArray[Any]],
    goal: compiler.Goal = compiler.SPEED,
) -> list[Bytes]:
    """Outputs of every network for its inputs, in one image on an emulated board."""
    count = len(x[0])
    rows = np.concatenate([_aligned(images, count) for images in x], axis=1)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "src"
        root.mkdir()
        programs = write(root, models, board.isa, goal)
        sizes = [
            [round_up(size, _ALIGNMENT) for size in _sizes(programs, edge)]
            for edge in ("input", "output")
        ]
        with image(board, root, programs, "run", list(zip(*sizes, strict=True))) as elf:
            outputs = run_image(board, elf, rows.tobytes(), count)
        return _split(outputs, programs, count, _ALIGNMENT)


def run_image(board: Board, elf: Path, data: bytes, count: int) -> bytes:
    """Run an image on `data`, so many inputs."""
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch)
        np.array([0, count, 0], "<u4").tofile(files / "job.bin")
        (files / "inputs.bin").write_bytes(data)
        qemu.run(board, elf, files, 300.0, ())
        return (files / "outputs.bin").read_bytes()


@contextmanager
def image(
    board: Board, root: Path, programs: Sequence[compiler.Program], function: str,
    sizes: Sequence[tuple[int, int]],
) -> Iterator[Path]:  # fmt: skip
    """Image of what `write_programs` wrote into `root`; see `join_calls` for the others."""
    with tempfile.TemporaryDirectory() as scratch:
        inputs, outputs = (sum(each) for each in zip(*sizes, strict=True))
        state = max(program.plan.total for program in programs)
        texts = {
            "model.h": _MODEL_H.format(
                input=inputs, output=outputs, state=state, count=len(programs)
            ),
            "model.c": join_calls(function, sizes),
        }  # fmt: skip
        for name, text in texts.items():
            (root / name).write_text(text)
        tree = SourceTree(root, list(board.flags))
        tree.own += [Path("model.c"), *_network_sources(programs)]
        tree.include.append(Path())
        tree.add("kernels", _kernel_sources(programs), [KERNELS])
        front = frontend_firmware.write(root / "frontend", None)
        tree.add("frontend", front.own, front.include)
        tree.flags += front.flags
        app = storage.assets("firmware_assets") / "app"
        tree.add("app", [app / "batch.c"], [app])
        add_port(tree, board)
        elf = Path(scratch) / "firmware.elf"
        linking.compile_and_link(tree, board, elf)
        yield elf
