"""A recording to prepare."""

import dataclasses

import numpy as np

from edgebio.recordings import Recording


def recording(n=4000, rate=360.0, **changes) -> Recording:
    rng = np.random.default_rng(n)
    original = Recording(
        samples=rng.integers(-500, 500, (n, 3), np.int16),
        rate=rate,
        units="counts",
        labels=(np.arange(n) // 10 % 5 - 1).astype(np.int16),
        classes=("n", "s", "v", "q"),
        subject="1",
        session="1",
        repetition=0,
        source="here",
    )
    return dataclasses.replace(original, **changes)
