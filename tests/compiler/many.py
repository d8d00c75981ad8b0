"""Many networks in one program: on this machine under the sanitizers, and in one image of a board.

Each network's model.c is compiled by itself, with its functions renamed, and the kernels once; a
model.h stands for all of them, whose one invocation runs each network on its share of the input.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler, storage
from edgebio.boards import Board, qemu
from edgebio.firmware import linking
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree
from edgebio.frontend import c_source as frontend_firmware
from edgebio.processes import host_compiler
from edgebio.processes.programs import run_compiler

Bytes = NDArray[np.uint8]

_WRAPPER = """\
{renames}
#include "model_{index}/model.c"
#include "many.h"

const many_network many_{index} = {{
    eb_model_invoke, EB_MODEL_INPUT_BYTES, EB_MODEL_OUTPUT_BYTES, EB_MODEL_STATE_BYTES}};
"""

_HEADER = """\
#ifndef MANY_H
#define MANY_H

#include <stdint.h>

typedef struct {
    void (*invoke)(void *state, const void *input, void *output);
    uint32_t input, output, state;
} many_network;

"""

_MODEL_H = """\
#ifndef MANY_MODEL_H
#define MANY_MODEL_H

#define EB_MODEL_INPUT_BYTES {input}
#define EB_MODEL_OUTPUT_BYTES {output}
#define EB_MODEL_STATE_BYTES {state}
#define EB_MODEL_LAYERS {count}

void eb_model_invoke(void *state, const void *input, void *output);

#endif
"""

# Every buffer is allocated to its very size, so that one byte too far is caught.
_HOST = """\
#include <stdio.h>
#include <stdlib.h>

#include "many_all.h"

int main(int count, char **arguments)
{
    const long inputs = count > 1 ? atol(arguments[1]) : 0;
    for (long i = 0; i < inputs; i++) {
        for (int n = 0; n < MANY; n++) {
            void *state = aligned_alloc(16, many[n]->state);
            void *input = malloc(many[n]->input);
            void *output = malloc(many[n]->output);
            if (fread(input, many[n]->input, 1, stdin) != 1) {
                return 2;
            }
            many[n]->invoke(state, input, output);
            fwrite(output, many[n]->output, 1, stdout);
            free(state);
            free(input);
            free(output);
        }
    }
    return 0;
}
"""


def write(folder: Path, models: Sequence[bytes], core: compiler.Core) -> list[compiler.Program]:
    """Write the C of all networks, and what joins them, into `folder`."""
    programs = [compiler.compile_model(model, core) for model in models]
    kernels = storage.assets("firmware_assets") / "kernels"
    for index, program in enumerate(programs):
        place = folder / f"model_{index}"
        place.mkdir()
        for name, text in program.texts().items():
            (place / name).write_text(text)
        names = ["invoke", "sha256", *(f"layer_{i}" for i in range(len(program.steps)))]
        renames = "\n".join(f"#define eb_model_{n} eb_model_{index}_{n}" for n in names)
        (folder / f"many_{index}.c").write_text(_WRAPPER.format(renames=renames, index=index))
    for name in {name for program in programs for name in program.kernels}:
        (folder / name).write_bytes((kernels / name).read_bytes())
    externs = [f"extern const many_network many_{i};" for i in range(len(models))]
    (folder / "many.h").write_text("\n".join([_HEADER, *externs, "", "#endif", ""]))
    table = "".join(f"    &many_{i},\n" for i in range(len(models)))
    (folder / "many_all.h").write_text(
        '#include "many.h"\n\n'
        f"enum {{ MANY = {len(models)} }};\n"
        f"static const many_network *const many[MANY] = {{\n{table}}};\n"
    )
    return programs


def units(folder: Path, programs: Sequence[compiler.Program]) -> list[Path]:
    """C files to compile, the kernels after the networks."""
    kernels = {name for program in programs for name in program.kernel_sources}
    return [
        *(Path(f"many_{index}.c") for index in range(len(programs))),
        *(Path(name) for name in sorted(kernels)),
    ]


def _joined(programs: Sequence[compiler.Program]) -> str:
    """Text of one invocation of all: calls by name, so that the stack can be bounded."""
    names = [f"eb_model_{index}_invoke" for index in range(len(programs))]
    sizes = zip(names, shares(programs, "input"), shares(programs, "output"), strict=True)
    return "\n".join(
        [
            '#include "model.h"\n',
            *(f"void {name}(void *state, const void *input, void *output);" for name in names),
            "\nvoid eb_model_invoke(void *state, const void *input, void *output)\n{",
            "    const char *from = input;\n    char *to = output;",
            *(
                f"    {name}(state, from, to);\n    from += {taken};\n    to += {given};"
                for name, taken, given in sizes
            ),
            "}\n",
        ]
    )


def shares(programs: Sequence[compiler.Program], what: str) -> list[int]:
    """Bytes of each network's input or output."""
    return [p.network.bytes(getattr(p.network, what)) for p in programs]


def split(data: bytes, programs: Sequence[compiler.Program], count: int) -> list[Bytes]:
    """Outputs of each network (count, bytes), of what the program wrote."""
    sizes = shares(programs, "output")
    rows = np.frombuffer(data, np.uint8).reshape(count, sum(sizes))
    return np.split(rows, np.cumsum(sizes)[:-1], axis=1)


def sanitized(
    models: Sequence[bytes],
    x: Sequence[NDArray[np.int8]],
    core: compiler.Core,
    flags: Sequence[str],
) -> list[Bytes]:
    """Outputs of every network for its inputs, under the sanitizers, warnings being errors."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        programs = write(folder, models, core)
        (folder / "main.c").write_text(_HOST)
        command = (host_compiler.find_compiler(), *host_compiler.STRICT, *flags, f"-I{folder}")
        files = [Path("main.c"), *units(folder, programs)]

        def compiled(source: Path) -> str:
            target = folder / f"{source.stem}.o"
            run_compiler(*command, "-c", str(folder / source), "-o", str(target))
            return str(target)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = list(pool.map(compiled, files))
        run_compiler(*command, *objects, "-o", str(folder / "program"))
        count = len(x[0])
        data = np.concatenate([rows.reshape(count, -1) for rows in x], axis=1).tobytes()
        done = subprocess.run(
            [folder / "program", str(count)], input=data, capture_output=True, timeout=600,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[:2000]
        return split(done.stdout, programs, count)


def emulated(board: Board, models: Sequence[bytes], x: Sequence[NDArray[np.int8]]) -> list[Bytes]:
    """Outputs of every network for its inputs, on an emulated board, of one image of them all."""
    with _image(board, models) as (elf, programs), tempfile.TemporaryDirectory() as scratch:
        files, count = Path(scratch), len(x[0])
        np.array([0, count, 0], "<u4").tofile(files / "job.bin")
        rows = np.concatenate([given.reshape(count, -1) for given in x], axis=1)
        (files / "inputs.bin").write_bytes(rows.tobytes())
        qemu.run(board, elf, files, 300.0, ())
        return split((files / "outputs.bin").read_bytes(), programs, count)


@contextmanager
def _image(board: Board, models: Sequence[bytes]) -> Iterator[tuple[Path, list[compiler.Program]]]:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "src"
        root.mkdir()
        programs = write(root, models, board.isa)
        state = max(program.plan.total for program in programs)
        texts = {
            "model.h": _MODEL_H.format(
                input=sum(shares(programs, "input")), output=sum(shares(programs, "output")),
                state=state, count=len(models),
            ),
            "model.c": _joined(programs),
        }  # fmt: skip
        for name, text in texts.items():
            (root / name).write_text(text)
        tree = SourceTree(root, list(board.flags))
        tree.own += [Path("model.c"), *units(root, programs)]
        tree.include.append(Path())
        front = frontend_firmware.write(root / "frontend", None)
        tree.add("frontend", front.own, front.include)
        tree.flags += front.flags
        app = storage.assets("firmware_assets") / "app"
        tree.add("app", [app / "batch.c"], [app])
        add_port(tree, board)
        elf = Path(scratch) / "firmware.elf"
        linking.compile_and_link(tree, board, elf)
        yield elf, programs
