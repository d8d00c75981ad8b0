"""Cycles of every CPU: rows of Arm's tables, and no CPU without timings."""

from typing import get_args

import pytest

from edgebio import boards
from edgebio.boards.board import Cpu
from edgebio.firmware import cpu_timings
from edgebio.firmware.cpu_timings import TIMINGS, m0plus_timing
from edgebio.firmware.stand_in import STAND_IN


def test_every_cpu_has_timings_and_a_stand_in() -> None:
    assert TIMINGS.keys() == STAND_IN.keys() == set(get_args(Cpu))
    for cpu, name in STAND_IN.items():
        assert boards.load(name).cpu == (cpu if cpu != "cortex-m0plus" else "cortex-m3")


@pytest.mark.parametrize(
    ("name", "operands", "cycles", "jump"),
    [
        ("movs", "r0, #1", 1, 0),
        ("muls", "r0, r1", 1, 0),
        ("ldr", "r0, [r1, #4]", 2, 0),
        ("ldrsb", "r0, [r1, r2]", 2, 0),
        ("strb", "r0, [r1]", 2, 0),
        ("ldmia", "r0!, {r1, r2, r3}", 4, 0),
        ("push", "{r4, r5, lr}", 4, 0),
        ("pop", "{r4, r5}", 3, 0),
        ("pop", "{r4, r5, pc}", 4, 2),  # 3 + N
        ("bne", "100", 1, 1),
        ("b", "100", 1, 1),
        ("bl", "100", 2, 1),
        ("bx", "lr", 1, 1),
        ("blx", "r3", 1, 1),
        ("bics", "r0, r1", 1, 0),
        ("dmb", "sy", 3, 0),
        ("mrs", "r0, PRIMASK", 3, 0),
    ],
)
def test_m0plus(name: str, operands: str, cycles: int, jump: int) -> None:
    """DDI 0484C, table 3-1; a branch that is not taken takes 1, one that is taken `jump` more."""
    timing = m0plus_timing(name, operands)
    assert (timing.cycles, timing.jump) == (cycles, jump)


def test_m3_multiplies_slower_than_m4() -> None:
    for name in ("mla", "smull", "umlal"):
        m3, m4 = (
            TIMINGS[cpu].timing(name, "r0, r1, r2, r3", "") for cpu in ("cortex-m3", "cortex-m4")
        )
        assert m3.cycles > m4.cycles == 1
    same = ("ldr", "r0, [r1]", "")
    assert TIMINGS["cortex-m3"].timing(*same) == TIMINGS["cortex-m4"].timing(*same)


@pytest.mark.parametrize("cpu", ["cortex-m7", "cortex-m33", "cortex-m55"])
def test_paired_cpus_are_faster_than_m4(cpu: Cpu) -> None:
    for line in (("ldr", "r0, [r1]", ""), ("smlad", "r0, r1, r2, r0", ""), ("bne", "100", "")):
        fast, m4 = TIMINGS[cpu].timing(*line), TIMINGS["cortex-m4"].timing(*line)
        assert fast.kind == m4.kind
        assert 0.6 * m4.cycles < fast.cycles < m4.cycles


def test_vectors_of_m55_take_two_cycles_and_its_loops_no_refill() -> None:
    timing = TIMINGS["cortex-m55"].timing
    for name in ("vldrb", "vmladava", "vqrdmulh", "vstrb"):
        assert timing(name, "q0, [r0]", "").cycles == 2
    assert timing("le", "lr, 100", "").jump == 0
    assert timing("vmov", "s0, r0", "").kind == "float"
    assert "Arm" in cpu_timings.TIMINGS["cortex-m0plus"].source
