"""Several streams in one program: each push, and the whole window that it must equal.

One inference of the program pushes the next frames into the stream of every network. Where that
gives an output, the network also runs on the whole window of the last frames.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebio import compiler
from edgebio.boards import Board
from tests.compiler.batch_of_networks import image, run_host, run_image, write_programs

# Input: a byte that says what happens first, then frames. Output: the result of the push, then the
# output of the stream and that of the window.
_WRAPPER = """\
{renames}
#include "model_{index}/model.c"
#include "batch.h"

#include <string.h>

#define NEW (EB_MODEL_HOP_FRAMES * EB_MODEL_FRAME_BYTES)
#define WINDOW (EB_MODEL_WINDOW_FRAMES * EB_MODEL_FRAME_BYTES)

void eb_model_{index}_step(void *state, const void *input, void *output);

void eb_model_{index}_step(void *state, const void *input, void *output)
{{
    static _Alignas(16) int8_t stream[EB_MODEL_STREAM_BYTES];
    static _Alignas(4) int8_t frames[NEW];
    static _Alignas(4) int8_t window[WINDOW];
    const int8_t *const bytes = input;
    int8_t *const result = output;
    memset(result, 0, 1 + 2 * EB_MODEL_OUTPUT_BYTES);
    if (bytes[0]) {{ /* whatever the memory held before */
        memset(stream, bytes[0], sizeof stream);
        eb_model_stream_reset(stream);
    }}
    memcpy(frames, bytes + 1, NEW);
    memmove(window, window + NEW, WINDOW - NEW);
    memcpy(window + WINDOW - NEW, frames, NEW);
    if (eb_model_push(stream, frames, EB_MODEL_HOP_FRAMES + 1u, result + 1) != EB_MODEL_REFUSED ||
        eb_model_push(stream, frames, 0, result + 1) != EB_MODEL_REFUSED) {{
        result[0] = 3;
        return;
    }}
    result[0] = (int8_t)eb_model_push(stream, frames, EB_MODEL_HOP_FRAMES, result + 1);
    if (result[0] == EB_MODEL_DECIDED) {{
        eb_model_invoke(state, window, result + 1 + EB_MODEL_OUTPUT_BYTES);
    }}
}}

const batch_network batch_{index} = {{
    eb_model_{index}_step, 1 + NEW, 1 + 2 * EB_MODEL_OUTPUT_BYTES, EB_MODEL_STATE_BYTES}};
"""


@dataclass(frozen=True)
class Pushes:
    """What the pushes of a stream gave.

    Attributes
    ----------
    results : ndarray of int8 (pushes,)
    streamed, windows : ndarray of int8 (pushes, bytes)
        Outputs of the stream and of the whole window; zeros where there is none.
    """

    results: NDArray[np.int8]
    streamed: NDArray[np.int8]
    windows: NDArray[np.int8]


Run = Callable[[Sequence[compiler.Program], list[tuple[int, int]], bytes, int], bytes]
"""Runs some programs, with the bytes of their inputs and outputs, on data of so many pushes."""


def sanitized(
    programs: Sequence[compiler.Program], sizes: list[tuple[int, int]], data: bytes, count: int
) -> bytes:
    """Run on this machine under the sanitizers."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_programs(folder, programs, [_WRAPPER] * len(programs))
        return run_host(folder, programs, data, count)


def emulated(board: Board) -> Run:
    """Run on an emulated board."""

    def run(
        programs: Sequence[compiler.Program], sizes: list[tuple[int, int]], data: bytes, count: int
    ) -> bytes:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / "src"
            root.mkdir()
            write_programs(root, programs, [_WRAPPER] * len(programs))
            with image(board, root, programs, "step", sizes) as elf:
                return run_image(board, elf, data, count)

    return run


def push_all(
    programs: Sequence[compiler.Program], pushes: int, resets: dict[int, int], run: Run, seed: int
) -> list[Pushes]:
    """Push random frames into the streams of some programs.

    Parameters
    ----------
    resets
        By push, the byte that the memory of the stream is filled with before it is reset.
    """
    rng = np.random.default_rng(seed)
    parts, sizes = [], []
    for program in programs:
        stream, network = program.stream, program.network
        assert stream is not None
        new = stream.hop * network.bytes(network.input) // stream.window
        # The level wanders, so that means over a window do, too.
        level = np.repeat(rng.integers(-128, 128, (pushes // 4 + 1, 1)), 4, axis=0)[:pushes]
        noise = rng.integers(-60, 61, (pushes, 1 + new))
        part = np.clip(level + noise, -128, 127).astype(np.int8)
        part[:, 0] = 0
        for push, filling in resets.items():
            part[push, 0] = filling
        parts.append(part)
        sizes.append((1 + new, 1 + 2 * network.bytes(network.output)))
    data = np.concatenate(parts, axis=1).tobytes()
    rows = np.frombuffer(run(programs, sizes, data, pushes), np.int8).reshape(pushes, -1)
    ends = np.cumsum([size for _, size in sizes])[:-1]
    return [
        Pushes(each[:, 0], *np.split(each[:, 1:], 2, axis=1))
        for each in np.split(rows, ends, axis=1)
    ]
