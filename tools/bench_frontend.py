"""What the front end costs on this machine: its throughput, and the memory of a whole data set.

    python tools/bench_frontend.py             # segments of 8 channels, against SciPy
    python tools/bench_frontend.py --images emg-3dc

The first runs the host twin and `scipy.signal.ShortTimeFFT` in turn over the same segments (the
same window function, hop, FFT length and frames) and takes medians of the repetitions:

twin             high-pass, window, block scaling, q15 FFT, log, pixels: int16 samples to int8
                 images, in one call, on all cores
twin, one core   the same on one core
twin, no filter  the same as the twin without its high-pass, as SciPy's STFT has none
SciPy            ShortTimeFFT.stft alone, float64 to complex128, all segments in one call; its
                 samples are float64 and lie channel by channel before the clock starts
SciPy, blocks    the same in blocks of segments that stay in the cache
SciPy, chain     high-pass (sosfilt), STFT, log2, standardization, rounding to int8

``ratio`` is the twin's throughput over that of SciPy's one call, the median of paired runs; it
wants a machine with nothing else to do. ``ratio_processor`` is that of the processor time.

The second makes the images of a data set as training does, and prints the peak of the memory.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from edgebio import datasets, recipes
from edgebio.frontend import float64
from edgebio.frontend.spec import FftLength, FrontendSpec
from edgebio.frontend.standardization import PIXEL_SCALE, Standardization
from edgebio.frontend.twin import Twin
from edgebio.processes.worker_pool import available_cores
from edgebio.training.image_set import build_image_set

CHANNELS, FRAMES, RATE = 8, 9, 1000.0
BLOCK = 64  # segments that stay in the cache


def spec_for(fft: FftLength, highpass: float = 20.0) -> FrontendSpec:
    """Front end of one FFT length: a Hann window, a hop of a quarter, 9 frames, 8 channels."""
    hop = fft // 4
    return FrontendSpec(
        rate=RATE, channels=CHANNELS, n_fft=fft, hop_length=hop,
        segment_length=fft + (FRAMES - 1) * hop,
        bins=(1, fft // 2 + 1), highpass=highpass,
    )  # fmt: skip


def contenders(fft: FftLength, segments: int) -> dict[str, Callable[[], Any]]:
    """Calls to time, by name; each works through all segments."""
    from scipy import signal

    spec = spec_for(fft)
    noise = np.random.default_rng(fft).normal(0, 300, (segments, spec.segment_length, CHANNELS))
    samples = noise.astype(np.int16)
    standardization = Standardization.learn(spec, [Twin(spec).log_magnitudes(samples[0])])
    twin, bare = Twin(spec, standardization), Twin(spec_for(fft, highpass=0.0), standardization)
    exact = np.ascontiguousarray(np.moveaxis(samples, 1, -1)).astype(np.float64)
    stft = signal.ShortTimeFFT(
        float64.exact_window_function(spec),
        hop=spec.hop_length,
        fs=RATE,
        fft_mode="onesided",
        phase_shift=None,
    )
    high = signal.butter(2, spec.highpass, "highpass", fs=RATE, output="sos")
    offset, gain = standardization.tables()
    mean = offset.T[..., None] / 1024
    scale = gain.T[..., None] / 256

    def transform(x: Any) -> Any:
        return stft.stft(x, p0=0, p1=FRAMES, k_offset=fft // 2, axis=-1)

    def chain() -> Any:
        start = signal.sosfilt_zi(high)[:, None, None, :] * exact[None, ..., :1]
        spectrum = transform(signal.sosfilt(high, exact, axis=-1, zi=start)[0])[:, :, 1:]
        octaves = 0.5 * np.log2(spectrum.real**2 + spectrum.imag**2 + spec.floor**2)
        return np.clip(np.rint((octaves - mean) * scale), -128, 127).astype(np.int8)

    # What is compared in speed must be the same thing: pixels agree to a few steps.
    theirs = chain().transpose(0, 3, 2, 1).astype(int)
    distance = np.abs(theirs - twin.segment_images(samples))
    if np.median(distance) * PIXEL_SCALE > 0.1:
        raise SystemExit(f"the chains differ: {np.median(distance)} steps at the median")
    return {
        "twin": lambda: twin.segment_images(samples),
        "SciPy": lambda: transform(exact),
        "twin, one core": lambda: twin.segment_images(samples, cores=1),
        "twin, no filter": lambda: bare.segment_images(samples),
        "SciPy, blocks": lambda: [
            transform(exact[i : i + BLOCK]) for i in range(0, segments, BLOCK)
        ],
        "SciPy, chain": chain,
    }


def throughput(fft: FftLength, segments: int, repeats: int) -> dict[str, Any]:
    """Time all contenders in turn; frames of one channel per second, and ratios to SciPy's call."""
    calls = contenders(fft, segments)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    processor: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            start, busy = time.perf_counter(), time.process_time()
            call()
            seconds[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - busy)
    # The first one warms up.
    seconds = {name: times[1:] for name, times in seconds.items()}
    processor = {name: times[1:] for name, times in processor.items()}
    frames = segments * FRAMES * CHANNELS
    return {
        "fft": fft,
        "windows": segments,
        "columns": frames,
        "ratio": _ratio(seconds, "twin", "SciPy"),
        "ratio_blocks": _ratio(seconds, "twin", "SciPy, blocks"),
        "ratio_chain": _ratio(seconds, "twin", "SciPy, chain"),
        "ratio_processor": _ratio(processor, "twin", "SciPy"),
        "nanoseconds": {name: round(median(t) / frames * 1e9) for name, t in seconds.items()},
    }


def _ratio(seconds: dict[str, list[float]], ours: str, theirs: str) -> float:
    pairs = zip(seconds[ours], seconds[theirs], strict=True)
    return round(median(other / mine for mine, other in pairs), 2)


def memory(name: str) -> dict[str, Any]:
    """Make the images of a data set as training does, and measure time and memory."""
    settings = recipes.load("emg-grips").frontend
    dataset = datasets.get(name)
    spec = FrontendSpec(**settings.model_dump(), rate=dataset.rate, channels=dataset.channels)
    Twin(spec).log_magnitudes(
        np.zeros((spec.segment_length, spec.channels), np.int16)
    )  # libraries and tables
    before = _peak()
    recordings = datasets.load(name)
    start = time.perf_counter()
    images = build_image_set(settings, recordings, [], []).train
    data = sum(r.samples.nbytes + r.labels.nbytes for r in recordings)
    return {
        "dataset": name,
        "recordings": len(recordings),
        "images": len(images),
        "seconds": round(time.perf_counter() - start, 2),
        "data_bytes": data,
        "pixel_bytes": images.pixels.nbytes,
        "index_bytes": images.starts.nbytes + images.labels.nbytes,
        "image_bytes_if_cut": len(images) * int(np.prod(images.shape)),
        "peak_rss_before": before,
        "peak_rss": _peak(),
        "peak_rss_over_data": round((_peak() - before) / data, 2),
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", "--windows", type=int, default=1000, help="segments per call")
    parser.add_argument("--repeats", type=int, default=15, help="timed repetitions")
    parser.add_argument("--fft", type=int, nargs="*", default=[64, 128, 256], help="FFT lengths")
    parser.add_argument("--images", metavar="DATASET", help="memory of a data set's images instead")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if options.images:
        document = memory(options.images)
        if not options.json:
            for key, value in document.items():
                print(f"{key:18} {value:>14{',' if isinstance(value, int) else ''}}")
    else:
        rows = [throughput(fft, options.segments, options.repeats) for fft in options.fft]
        document = {"cores": available_cores(), "channels": CHANNELS, "rows": rows}
        if not options.json:
            for row in rows:
                print(f"{row['fft']} points, {row['windows']} segments, {available_cores()} cores:")
                for name, cost in row["nanoseconds"].items():
                    print(f"    {name:16} {cost:6,} ns per frame of one channel")
                print(
                    f"    twin against SciPy: {row['ratio']}; in blocks: {row['ratio_blocks']}; "
                    f"its whole chain: {row['ratio_chain']}; processor time: "
                    f"{row['ratio_processor']}"
                )
    if options.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
