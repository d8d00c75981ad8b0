"""Limits of the reference networks relative to CMSIS-NN; counts are exact in every run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "bench_networks.py"


@pytest.mark.slow
def test_every_ratio_is_within_its_limit(models_folder: Path) -> None:
    command = [sys.executable, str(TOOL), "--models", str(models_folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.stdout, done.stderr
    missed = [metric for metric in json.loads(done.stdout) if not metric["ok"]]
    assert not missed
    assert done.returncode == 0
