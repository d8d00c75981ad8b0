"""The benchmark under tools/ runs and says what it should; speed is for a quiet machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "bench_frontend.py"


def test_throughput_is_measured_against_scipy_in_one_run():
    pytest.importorskip("scipy")
    words = ["--json", "--windows", "64", "--repeats", "3", "--fft", "64"]
    done = subprocess.run(
        [sys.executable, TOOL, *words], capture_output=True, text=True, check=True, timeout=120
    )
    row = json.loads(done.stdout)["rows"][0]
    assert row["columns"] == 64 * 9 * 8
    costs = row["nanoseconds"]
    assert all(20 < cost < 1e6 for cost in costs.values())
    assert {"twin", "SciPy", "SciPy, chain"} <= costs.keys()
    assert 0.05 < row["ratio"] < 100
