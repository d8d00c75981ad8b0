"""Streams of random networks: every output equals that of the whole window, in every byte."""

import contextlib
from collections.abc import Sequence

import numpy as np
import pytest

from edgebio import boards, compiler
from edgebio.boards import emulator
from edgebio.errors import EdgebioError, MissingToolError
from edgebio.firmware import toolchain
from tests.compiler import batch_of_streams
from tests.compiler.random_networks import random_stream
from tests.compiler.reference import KERNEL_SETS

pytestmark = pytest.mark.usefixtures("tflite_micro")

PUSHES = 200


def streams(seeds: Sequence[int], isa: compiler.KernelSet) -> list[compiler.Program]:
    """Programs of the random networks whose windows share something."""
    programs = []
    for seed in seeds:
        model, hop = random_stream(seed)
        with contextlib.suppress(EdgebioError):  # they share nothing
            programs.append(compiler.compile_model(model, isa, hop=hop))
    assert len(programs) >= 0.7 * len(seeds)
    return programs


def check(programs: Sequence[compiler.Program], run: batch_of_streams.Run, seed: int) -> None:
    """Compare from the first window on, and after resets, as at a gap."""
    resets = {0: 1, PUSHES // 5: 77, 3 * PUSHES // 5: -1}
    results = batch_of_streams.push_all(programs, PUSHES, resets, run, seed)
    varying = 0
    for program, result in zip(programs, results, strict=True):
        assert program.stream
        due = np.ones(PUSHES, np.bool_)
        for push in resets:
            due[push : push + program.stream.pushes - 1] = False
        assert (result.results == due).all()
        assert result.streamed[due].tobytes() == result.windows[due].tobytes()
        varying += len(np.unique(result.windows[due], axis=0)) > 2
    assert varying >= 0.4 * len(programs)  # constant outputs prove little


@pytest.mark.parametrize("isa", KERNEL_SETS)
def test_streams_equal_whole_windows(isa: compiler.KernelSet) -> None:
    """Under the sanitizers, with the memory of a stream filled with anything before a reset."""
    check(streams(range(12), isa), batch_of_streams.sanitized, 0)


def test_random_streams_are_of_every_kind() -> None:
    """Running sums, phases, views of a row and of a border, both axes of time."""
    programs = [program.stream for program in streams(range(40), "portable")]
    assert {stream.phases for stream in programs if stream} >= {1, 2, 3}
    steps = [
        step for stream in programs if stream for layer in stream.layers for step in layer.steps
    ]
    assert {type(step).__name__ for step in steps} >= {
        "Move", "AddPixels", "CopySums", "FinishMean", "KernelCall",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("isa", KERNEL_SETS)
@pytest.mark.parametrize("start", range(5000, 5600, 50))
def test_five_hundred_streams_equal_whole_windows(start: int, isa: compiler.KernelSet) -> None:
    check(streams(range(start, start + 50), isa), batch_of_streams.sanitized, start)


def emulated(name: str) -> tuple[boards.Board, batch_of_streams.Run]:
    try:
        board = boards.load(name)
        emulator.check_installed(board)
        toolchain.tool("gcc")
    except MissingToolError as error:
        pytest.skip(str(error))
    if board.isa == "portable":  # code of a Cortex-M0+, which QEMU has no board of
        flags = ("-mcpu=cortex-m0plus", *board.flags[1:])
        board = board.model_copy(update={"flags": flags})
    return board, batch_of_streams.emulated(board)


@pytest.mark.parametrize("name", ["mps2-an386", "mps2-an385", "mps3-an547"])
def test_streams_on_emulated_boards_equal_whole_windows(name: str) -> None:
    board, run = emulated(name)
    check(streams(range(60, 66), board.isa), run, 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mps2-an386", "mps2-an385", "mps3-an547"])
@pytest.mark.parametrize("start", range(5000, 5080, 20))
def test_sixty_streams_on_emulated_boards_equal_whole_windows(name: str, start: int) -> None:
    board, run = emulated(name)
    check(streams(range(start, start + 20), board.isa), run, start)
