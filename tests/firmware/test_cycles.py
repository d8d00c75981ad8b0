"""Cycles of a Cortex-M4: the examples of its manual, and simple code."""

from pathlib import Path

import numpy as np
import pytest

from edgebio import boards
from edgebio.firmware import batch, counting, cycles, elf
from edgebio.firmware.bench import bench
from edgebio.firmware.cycles import timing


def sequence(*lines: tuple[str, str]) -> float:
    """Cycles of instructions one after the other, none of which jumps."""
    total, loaded = 0.0, ""
    for name, operands in lines:
        total += timing(name, operands, loaded).cycles
        loaded = operands.partition(",")[0] if name == "ldr" else ""
    return total


def test_examples_of_the_manual() -> None:
    """DDI 0439, "Load/store timings"."""
    assert sequence(("ldr", "r0, [r1]"), ("ldr", "r1, [r2]")) == 3
    assert sequence(("ldr", "r0, [r1, r2]"), ("str", "r0, [r3, #20]")) == 3
    assert sequence(("ldr", "r0, [r1, r2]"), ("str", "r1, [r3, r2]")) == 3
    assert sequence(("ldr", "r0, [r1, r5]"), ("ldr", "r1, [r2]"), ("ldr", "r2, [r3, #4]")) == 4
    assert sequence(("ldr", "r0, [r1]"), ("ldr", "r2, [r0]")) == 4  # depends on the load


@pytest.mark.parametrize(
    ("name", "operands", "kind", "taken"),
    [
        ("smlad", "r0, r1, r2, r0", "multiply", 1),
        ("smmulr", "r0, r1, r2", "multiply", 1),
        ("smull", "r0, r1, r2, r3", "multiply", 1),
        ("ssat", "r0, #8, r0", "other", 1),
        ("sxtb16", "r0, r1", "other", 1),
        ("ldrd", "r0, r1, [r2]", "load", 3),
        ("ldmia", "r0!, {r4, r5, r6, r7}", "load", 5),
        ("push", "{r4, r5, r6, lr}", "store", 5),
        ("stmdb", "sp!, {r4-r11, lr}", "store", 10),
        ("strb", "r0, [r1, r2]", "store", 2),
        ("strb", "r0, [r1], #1", "store", 1),
        ("ldrsb", "r0, [r1, #1]", "load", 2),
        ("bne", "100", "jump", 1),
        ("blt", "100", "jump", 1),
        ("bls", "100", "jump", 1),
        ("bic", "r0, r1, r2", "other", 1),
        ("udiv", "r0, r1, r2", "divide", cycles.DIVISION),
        ("vfma", "s0, s1, s2", "float", 3),
        ("vmul", "s0, s1, s2", "float", 1),
        ("mls", "r0, r1, r2, r3", "multiply", 1),
        ("movls", "r0, #1", "other", 1),
    ],
)
def test_timings(name: str, operands: str, kind: str, taken: int) -> None:
    result = timing(name, operands)
    assert (result.kind, result.cycles) == (kind, taken)


def test_jumps_are_counted_exactly(models_folder: Path) -> None:
    """Every call jumps, and every return; a loop's branch, all but the last time."""
    board = boards.load("mps2-an386")
    plugin = counting.plugin()
    if plugin is None:
        pytest.skip("the emulator takes no plugin")
    model = models_folder / "ref_plain_cnn.tflite"
    with batch.prepare(board, model) as prepared:
        image = elf.Image(prepared.elf)
        x = np.load(model.with_suffix(".npz"))["x"][:2]
        marks = {"eb_model_invoke": 2, "eb_batch_invoked": 1}
        table, by_address = counting.run(
            plugin, image, marks, lambda options: prepared.network(x, options)
        )
        known = cycles.timings(image)
    inside = by_address[by_address[:, 0] == 2]
    assert inside[:, 2].sum() == table[table[:, 0] == 2, 2].sum()  # two ways of counting
    assert (inside[:, 3] <= inside[:, 2]).all()
    # QEMU executes an instruction across two of its pages of 1 KB by itself: no jump goes there.
    jumps = {
        int(address)
        for _, address, _, jumped in inside
        if jumped and 1022 not in ((address + 2) % 1024, (address + 4) % 1024)
    }
    assert jumps
    assert all(known[address].jump for address in jumps)  # nothing else jumps


def test_bench_estimates_cycles_and_time(models_folder: Path) -> None:
    model = models_folder / "emg_cnn.tflite"
    result = bench(boards.load("mps2-an386"), model)
    assert result.cycles is not None
    assert "wait states" in result.cycles.leaves_out
    assert sum(result.cycles.instructions.values()) == pytest.approx(result.instructions, abs=10)
    assert result.instructions < result.cycles.estimate < 3 * result.instructions
    inside = sum(layer.cycles or 0 for layer in result.layers)
    assert 0.98 * result.cycles.estimate < inside <= result.cycles.estimate
    assert result.time_us is not None
    assert result.time_us.estimate == pytest.approx(result.cycles.estimate / 25, abs=1)
    nucleo = bench(boards.load("nucleo-l476rg"), model)  # QEMU does not emulate it
    assert nucleo.counted_on == "mps2-an386"
    assert nucleo.instructions == result.instructions
    assert nucleo.time_us is not None
    assert result.cycles.estimate / 80 < nucleo.time_us.estimate < 2 * result.cycles.estimate / 80
