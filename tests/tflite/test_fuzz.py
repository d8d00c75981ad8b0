"""Minutes of coverage-guided fuzzing find no crash, no hang and no allocation beyond a limit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiler.every_operator import any_network
from tests.compiler.model_builder import load_schema

SECONDS = int(os.environ.get("EDGEBIO_FUZZ_SECONDS", "600"))
LARGEST = 1 << 18


@pytest.mark.slow
def test_fuzz(models_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris, the fuzzer, is not installed")
    pytest.importorskip("tflite_micro", reason="tflite-micro's schema makes the small networks")
    load_schema()
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in models_folder.glob("*.tflite"):
        shutil.copyfile(path, corpus / path.name)
    for seed in range(120):  # small, and with operators of every kind
        (corpus / f"random-{seed}").write_bytes(any_network(seed))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.tflite.fuzz", str(corpus)),
            *(f"-max_total_time={SECONDS}", "-timeout=20", f"-max_len={LARGEST}"),
            *("-rss_limit_mb=3000", "-print_final_stats=1", "-seed=1"),
            f"-artifact_prefix={tmp_path}/crash-",
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 300,
        check=False,
    )
    crashes = [path.name for path in tmp_path.glob("crash-*")]
    assert done.returncode == 0, f"{crashes}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert not crashes
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert runs
    print(f"{int(runs[1]):,} executions in {SECONDS} s")
    assert int(runs[1]) > 5 * SECONDS
