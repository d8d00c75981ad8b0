"""Record 16 channels at 2,000 Hz from LSL in the studio, with a page in Chromium: the load.

    python tools/live_load.py [--minutes 10]

Prints samples recorded and lost, processor time and memory of the studio, and the frames a second
of the page.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

OUTLET = """
import time, numpy as np, pylsl
info = pylsl.StreamInfo("edgebio-load", "EMG", 16, 2000, "int16", "edgebio-load")
outlet = pylsl.StreamOutlet(info)
noise = np.random.default_rng(0).normal(0, 100, (20000, 16)).astype(np.int16)
start, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - start) * 2000)
    if due > sent:
        outlet.push_chunk(np.ascontiguousarray(noise[np.arange(sent, due) % len(noise)]))
        sent = due
    time.sleep(0.01)
"""


def usage(process: int) -> tuple[float, float]:
    """Processor seconds and resident MB of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / 100
    return seconds, int(fields[21]) * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    repetitions = max(1, round(minutes * 60 / 10))  # of two classes, 3 s and 2 s of rest
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        outlet = subprocess.Popen([sys.executable, "-c", OUTLET], stderr=subprocess.DEVNULL)
        studio = subprocess.Popen(
            [sys.executable, "-m", "edgebio", "studio", "--project", f"{folder}/load", "--port",
             "0", "--no-browser", "--source", "lsl://edgebio-load", "--classes", "a,b"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert studio.stdout
            address = studio.stdout.readline().strip()
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            page.goto(address)
            page.click("#source-form button.main")
            page.wait_for_timeout(4000)
            page.click("#tab-record")
            for name, value in (("repetitions", repetitions), ("seconds", 3), ("rest_seconds", 2)):
                page.fill(f"[name={name}]", str(value))
            page.click("#record-form button")
            start, before = time.monotonic(), usage(studio.pid)[0]
            frames, memory = [], []
            while not (text := page.inner_text("#message")).startswith("saved"):
                page.wait_for_timeout(2000)
                frames.append(int(page.inner_text("#frames").split()[0]))
                memory.append(usage(studio.pid)[1])
                assert time.monotonic() - start < 60 * minutes * 1.3 + 60, text
            seconds = time.monotonic() - start
            busy = usage(studio.pid)[0] - before
            lost = re.search(r"(\d+) samples lost", text)
            with np.load(f"{folder}/load/recordings/1-1.npz") as file:
                samples = len(file["samples"])
            quarter = max(1, len(memory) // 4)
            print(json.dumps({
                "seconds": round(seconds, 1), "samples": samples,
                "lost": int(lost[1]) if lost else None,
                "core_percent": round(100 * busy / seconds, 1),
                "memory_mb": {"first_quarter": round(float(np.median(memory[:quarter])), 1),
                              "last_quarter": round(float(np.median(memory[-quarter:])), 1)},
                "frames_per_second": {"median": float(np.median(frames)), "least": min(frames)},
            }, indent=2))  # fmt: skip
            browser.close()
        finally:
            studio.terminate()
            outlet.kill()
            studio.wait()


if __name__ == "__main__":
    main()
