"""Cost of the front end on a board: instructions of a frame, flash and RAM, by FFT length."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgebio import progress
from edgebio.boards import Board
from edgebio.errors import MissingToolError
from edgebio.firmware import batch, counting, cpu_timings, elf
from edgebio.frontend.numerics import HELIUM_READS_AHEAD, uses_helium
from edgebio.frontend.spec import FftLength, FftNumerics, FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import Twin
from edgebio.section import Section

LENGTHS: tuple[FftLength, ...] = (32, 64, 128, 256, 512)
_CHANNELS = 8
_FRAMES = 9
_STEPS = 6  # decisions of the signal that FFT lengths are counted with, beyond the first
_PUSHED, _FRONTEND = 1, 2
_MARKS = {"eb_frontend_push": _FRONTEND, "eb_batch_pushed": _PUSHED}
_PLACED = re.compile(r"^ \.(?:text|rodata)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$", re.MULTILINE)


class FrameCost(Section):
    """Cost of one STFT frame of one channel, from the samples' arrival to the pixels.

    Flash: the front end and CMSIS-DSP, without the C library's memcpy, memset and memmove. RAM:
    the state for 8 channels and images of 9 frames.
    """

    old_keys: ClassVar[Mapping[str, str]] = {"fft": "n_fft", "hop": "hop_length"}

    n_fft: int
    hop_length: int
    instructions: int
    fft_instructions: int  # of ``arm_rfft_q15``
    flash: int
    ram: int


class FrontendBench(Section):
    """Cost of the front end on a board by FFT length, and a comparison with the host twin."""

    old_keys: ClassVar[Mapping[str, str]] = {
        "core": "cpu", "core_class": "fft_numerics", "columns": "frames",
    }  # fmt: skip

    board: str
    cpu: str
    fft_numerics: str
    channels: int
    frames: list[FrameCost]
    compared: int  # pixels
    differing: int  # pixels
    worst: int  # steps

    def document(self) -> dict[str, Any]:
        """Content to print as JSON, under old keys, too."""
        frames = [frame.document() for frame in self.frames]
        return super().document() | {"frames": frames, "columns": frames}


class DecisionCost(Section):
    """Cost of the front end from one decision to the next, all channels and frames of a step."""

    instructions: int
    cycles: int  # estimated


@dataclass(frozen=True)
class _NoiseBench:
    """A front end on an emulated board, and noise whose statistics it has."""

    target: batch.EmulatedFrontend
    image: elf.Image
    samples: npt.NDArray[np.int16]
    twin: Twin
    plugin: Path

    def count(self, samples: npt.NDArray[np.int16]) -> tuple[counting.Table, counting.Table]:
        """Count the instructions of the front end only; tables as by `counting.run`."""
        job = partial(self.target.images, samples)
        tables = counting.run(self.plugin, self.image, _MARKS, job)
        by_function, by_address = (table[table[:, 0] == _FRONTEND] for table in tables)
        return by_function, by_address


@contextlib.contextmanager
def _noise_bench(board: Board, spec: FrontendSpec, steps: int) -> Iterator[_NoiseBench]:
    """Build a front end; its noise is `steps` decisions longer than a segment."""
    plugin = counting.plugin()
    if plugin is None:
        raise MissingToolError(
            "counting the front end needs QEMU with plugins and a C compiler: "
            "sudo apt-get install qemu-system-arm gcc"
        )
    shape = (spec.segment_length + steps * spec.step, spec.channels)
    samples = np.random.default_rng(0).normal(scale=300, size=shape).astype(np.int16)
    standardization = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples)])
    with batch.prepare_frontend(board, spec, standardization) as target:
        twin = Twin(spec, standardization)
        yield _NoiseBench(target, elf.Image(target.elf), samples, twin, plugin)


def bench_decision(board: Board, spec: FrontendSpec) -> DecisionCost:
    """Count the cost of a front end from one decision to the next, after its filters have settled.

    Raises
    ------
    EdgebioError
        If QEMU takes no plugin (`MissingToolError`).
    """
    timings = cpu_timings.TIMINGS[board.cpu]
    with _noise_bench(board, spec, 5) as bench:

        def count(samples: npt.NDArray[np.int16]) -> tuple[int, int]:
            by_function, by_address = bench.count(samples)
            by_stretch, _ = timings.estimate(bench.image, by_address)
            return int(by_function[:, 2].sum()), by_stretch.get(_FRONTEND, 0)

        # A longer run minus a shorter one: both contain the start.
        short = count(bench.samples[: spec.segment_length + spec.step])
        instructions, taken = (
            round((b - a) / 4) for a, b in zip(short, count(bench.samples), strict=True)
        )
    return DecisionCost(instructions=instructions, cycles=taken)


def bench_frontend(board: Board, fft_numerics: FftNumerics | None = None) -> FrontendBench:
    """Count the cost of a frame on an emulated board for every FFT length.

    The signal is noise of 8 channels at 1000 Hz; high-pass at 20 Hz, Hann window, all bins but 0,
    standardized by channel (by bin and channel, each of their pairs takes 4 more bytes of flash).

    Parameters
    ----------
    fft_numerics
        The board's own if None.
    """
    numerics = fft_numerics or board.fft_numerics
    reads_ahead = HELIUM_READS_AHEAD if uses_helium(numerics, board.helium is not None) else 0
    costs, compared, differing, worst = [], 0, 0, 0
    for n_fft in progress.track(LENGTHS, f"front end on {board.name}"):
        hop = n_fft // 4
        spec = FrontendSpec(
            rate=1000, channels=_CHANNELS, n_fft=n_fft, hop_length=hop,
            segment_length=n_fft + (_FRAMES - 1) * hop, bins=(1, n_fft // 2 + 1),
            fft_numerics=numerics, standardization="channel",
        )  # fmt: skip
        with _noise_bench(board, spec, _STEPS) as bench:
            expected, measured = (
                bench.twin.images(bench.samples),
                bench.target.images(bench.samples),
            )
            by_function, _ = bench.count(bench.samples)
            flash = _flash(bench.target)
        compared += expected.size
        distance = np.abs(expected.astype(int) - measured)
        differing += int(np.count_nonzero(distance))
        worst = max(worst, int(distance.max()))
        frames = ((len(bench.samples) - n_fft) // hop + 1) * _CHANNELS
        fft_functions = [
            number
            for number, function in enumerate(bench.image.functions, 1)
            if function.name.lstrip("_").startswith("arm_")
        ]
        in_fft = by_function[np.isin(by_function[:, 1], fft_functions)]
        costs.append(
            FrameCost(
                n_fft=n_fft,
                hop_length=hop,
                instructions=round(by_function[:, 2].sum() / frames),
                fft_instructions=round(in_fft[:, 2].sum() / frames),
                flash=flash,
                ram=bench.twin.state_bytes + reads_ahead,
            )
        )
    return FrontendBench(
        board=board.name,
        cpu=board.cpu,
        fft_numerics=numerics,
        channels=_CHANNELS,
        frames=costs,
        compared=compared,
        differing=differing,
        worst=worst,
    )


def _flash(target: batch.EmulatedFrontend) -> int:
    """Bytes of the front end's and CMSIS-DSP's objects in the image, by its map."""
    objects = {
        str(path)
        for source, path in target.objects.items()
        if source.parts[0] in ("frontend", "cmsis-dsp")
    }
    text = target.elf.with_suffix(".map").read_text()
    linked = text[text.index("Linker script and memory map") :]
    # A long section name stands on a line of its own.
    joined = re.sub(r"^( \.\S+)\n\s+", r"\1 ", linked, flags=re.MULTILINE)
    return sum(int(size, 16) for size, path in _PLACED.findall(joined) if path in objects)
