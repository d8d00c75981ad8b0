"""What the front end costs on a board: instructions of a column, flash and RAM, by FFT length."""

import re
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from edgebio import progress
from edgebio.boards import Board
from edgebio.errors import MissingToolError
from edgebio.firmware import batch, counting, cycles, elf
from edgebio.frontend.spec import FftNumerics, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import HELIUM_READS_AHEAD, Twin, uses_helium

LENGTHS: tuple[Literal[32, 64, 128, 256, 512], ...] = (32, 64, 128, 256, 512)
_CHANNELS = 8
_COLUMNS = 9
_PUSHED, _FRONTEND, _FFT = 1, 2, 3
_PLACED = re.compile(r"^ \.(?:text|rodata)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$", re.MULTILINE)


class ColumnCost(BaseModel):
    """What one STFT column of one channel costs.

    Attributes
    ----------
    fft, hop : int
        FFT length, and samples from column to column: a quarter of it.
    instructions : int
        Executed for a column and channel, from the samples' arrival to the pixels: filter,
        window, scaling, FFT, logarithm, pixels, and the image's move by one column.
    fft_instructions : int
        Those of ``arm_rfft_q15`` among them.
    flash : int
        Bytes of the front end for this length: its code, CMSIS-DSP's, and all constants; the C
        library's memcpy, memset and memmove, which any program has, are not among them.
    ram : int
        Bytes of its state, for 8 channels and images of 9 columns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fft: int
    hop: int
    instructions: int
    fft_instructions: int
    flash: int
    ram: int


class FrontendBench(BaseModel):
    """What the front end costs on a board, and whether it computed what the twin does.

    Attributes
    ----------
    board, core, core_class : str
        What ran where, with which numerics.
    channels : int
        Channels of the front ends that were counted.
    columns : list of ColumnCost
        By FFT length.
    compared, differing, worst : int
        Pixels, how many of them are unlike the host twin's, and by how many steps at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    board: str
    core: str
    core_class: str
    channels: int
    columns: list[ColumnCost]
    compared: int
    differing: int
    worst: int


class DecisionCost(BaseModel):
    """What the front end executes from one decision to the next.

    Attributes
    ----------
    instructions : int
        Executed for all channels of a stride's columns.
    cycles : int or None
        Estimated, for Cortex-M4 only (`edgebio.firmware.cycles`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instructions: int
    cycles: int | None


def bench_decision(board: Board, spec: FrontendSpec) -> DecisionCost:
    """Count what a front end executes from one decision to the next, once its filters have settled.

    Parameters
    ----------
    board
        An emulated board.
    spec
        The front end; its signal is noise, and its statistics are the noise's.

    Raises
    ------
    EdgebioError
        Where the board has no emulator.
    MissingToolError
        Where the emulator takes no plugin.
    """
    plugin = _plugin()
    few = spec.segment_length + spec.step
    noise = np.random.default_rng(0).normal(scale=300, size=(few + 4 * spec.step, spec.channels))
    samples = noise.astype(np.int16)
    standard = Standardization.learn(spec, [Twin(spec).columns(samples)])
    with batch.prepare_frontend(board, spec, standard) as chain:
        image = elf.Image(chain.elf)
        marks = {"eb_frontend_push": _FRONTEND, "eb_batch_pushed": _PUSHED}

        def count(part: npt.NDArray[np.int16]) -> tuple[int, int]:
            whole, each = counting.run(plugin, image, marks, partial(chain.images, part))
            executed = int(whole[whole[:, 0] == _FRONTEND, 2].sum())
            if board.cpu != cycles.CORE:
                return executed, 0
            return executed, cycles.estimate(image, each[each[:, 0] == _FRONTEND])[0][_FRONTEND]

        # A longer run less a shorter one: what the start costs is in both.
        some, more = count(samples[:few]), count(samples)
    instructions, taken = (round((b - a) / 4) for a, b in zip(some, more, strict=True))
    return DecisionCost(
        instructions=instructions, cycles=taken if board.cpu == cycles.CORE else None
    )


def bench_frontend(board: Board, core_class: FftNumerics | None = None) -> FrontendBench:
    """Count what a column of the front end costs on `board`, for every FFT length.

    The signal is noise of 8 channels at 1000 Hz; high-pass at 20 Hz, Hann window, all bins but 0,
    standardised by channel (by bin and channel, each of their pairs takes 4 bytes of flash more).

    Parameters
    ----------
    board
        An emulated board.
    core_class
        Numerics; the board's own by default.

    Raises
    ------
    MissingToolError
        Where the emulator takes no plugin.
    """
    plugin = _plugin()
    chosen = core_class or board.fft_numerics
    ahead = HELIUM_READS_AHEAD if uses_helium(chosen, board.helium is not None) else 0
    costs, compared, differing, worst = [], 0, 0, 0
    for fft in progress.track(LENGTHS, f"front end on {board.name}"):
        hop = fft // 4
        spec = FrontendSpec(
            rate=1000, channels=_CHANNELS, n_fft=fft, hop_length=hop, segment_length=fft + (_COLUMNS - 1) * hop,
            bins=(1, fft // 2 + 1), fft_numerics=chosen, standardization="channel",
        )  # fmt: skip
        noise = np.random.default_rng(0).normal(scale=300, size=(spec.segment_length + 6 * spec.step, 8))
        samples = noise.astype(np.int16)
        standard = Standardization.learn(spec, [Twin(spec).columns(samples)])
        twin = Twin(spec, standard)
        with batch.prepare_frontend(board, spec, standard) as chain:
            image = elf.Image(chain.elf)
            expected, measured = twin.images(samples), chain.images(samples)
            marks = {"eb_frontend_push": _FRONTEND, "eb_batch_pushed": _PUSHED}
            whole, _ = counting.run(plugin, image, marks, partial(chain.images, samples))
            flash = _flash(chain)
        compared += expected.size
        distance = np.abs(expected.astype(int) - measured)
        differing += int(np.count_nonzero(distance))
        worst = max(worst, int(distance.max()))
        made = ((len(samples) - fft) // hop + 1) * _CHANNELS
        inside = whole[whole[:, 0] == _FRONTEND]
        fft_functions = [
            1 + index
            for index, f in enumerate(image.functions)
            if f.name.lstrip("_").startswith("arm_")
        ]
        costs.append(
            ColumnCost(
                fft=fft,
                hop=hop,
                instructions=round(inside[:, 2].sum() / made),
                fft_instructions=round(
                    inside[np.isin(inside[:, 1], fft_functions), 2].sum() / made
                ),
                flash=flash,
                ram=twin.state_bytes + ahead,
            )
        )
    return FrontendBench(
        board=board.name,
        core=board.cpu,
        core_class=chosen,
        channels=_CHANNELS,
        columns=costs,
        compared=compared,
        differing=differing,
        worst=worst,
    )


def _plugin() -> Path:
    found = counting.plugin()
    if found is None:
        raise MissingToolError(
            "counting the front end needs QEMU with plugins and a C compiler: "
            "sudo apt-get install qemu-system-arm gcc"
        )
    return found


def _flash(chain: batch.Chain) -> int:
    """Bytes that the front end's and CMSIS-DSP's objects brought into the image, by its map."""
    ours = {
        str(made)
        for made, source in chain.sources.items()
        if source.parts[0] in ("frontend", "cmsis-dsp")
    }
    text = chain.elf.with_suffix(".map").read_text()
    kept = text[text.index("Linker script and memory map") :]
    # A long section name stands on a line of its own.
    joined = re.sub(r"^( \.\S+)\n\s+", r"\1 ", kept, flags=re.MULTILINE)
    return sum(int(size, 16) for size, made in _PLACED.findall(joined) if made in ours)
