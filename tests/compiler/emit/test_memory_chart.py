"""The memory plan is drawn to scale, and every network can be drawn and explained."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgebio import compiler
from edgebio.compiler.emit import memory_chart
from tests.compiler.random_networks import random_network


@pytest.fixture
def program(models_folder: Path) -> compiler.Program:
    return compiler.compile_model(models_folder / "ref_res_cnn_qat.tflite", "dsp")


def test_memory_plan_is_drawn_to_scale(program: compiler.Program) -> None:
    chart, plan = memory_chart.plan_chart(program), program.plan
    (axes,) = chart.figure.axes
    boxes = {
        (round(box.get_x() + 0.47), box.get_y(), box.get_width(), box.get_height())
        for box in axes.patches
    }
    assert boxes == {
        (each.first, each.offset, each.last - each.first + 0.94, each.bytes)
        for each in plan.buffers
    }
    assert len(axes.patches) == len(plan.buffers)
    assert axes.get_ylim()[1] >= plan.total
    text = chart.svg()
    ElementTree.fromstring(text)
    largest = max(plan.buffers, key=lambda each: each.bytes)
    assert f": {largest.bytes:,} bytes at {largest.offset:,}</title>" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.usefixtures("tflite_micro")
def test_charts_and_explanations_of_random_networks() -> None:
    """No plan is too small or too large to be drawn."""
    for seed in range(40):
        program = compiler.compile_model(random_network(seed), "dsp")
        if seed < 8:
            ElementTree.fromstring(memory_chart.plan_chart(program).svg())
        text = compiler.explain(program)
        for stage in ("read", "verified", "fused", "scheduled", "memory"):
            assert f"{stage}:" in text or f"\n{stage}\n" in text
