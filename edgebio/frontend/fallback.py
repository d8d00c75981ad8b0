"""The twin without a C compiler: numerics ``scalar`` by NumPy and PyPI's ``cmsisdsp``.

Rung 2 of the ladder proves that it gives the twin's bits. It is slower.
"""

import importlib.util
import platform

import numpy as np
import numpy.typing as npt

from edgebio.errors import MissingToolError
from edgebio.frontend import reference
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.stages import STAGES, Stages, count_clipped
from edgebio.frontend.standardization import Standardization, images


def wheel_is_scalar() -> bool:
    """Whether PyPI's cmsisdsp is installed and computes plain C; on Arm hosts it uses NEON."""
    return importlib.util.find_spec("cmsisdsp") is not None and platform.machine() == "x86_64"


def compute_stages(
    spec: FrontendSpec,
    standardization: Standardization | None,
    samples: npt.NDArray[np.int16],
) -> Stages:
    """All stages of `Twin.stages`.

    Raises
    ------
    MissingToolError
        If the FFT numerics are not ``scalar``, or PyPI's ``cmsisdsp`` is not installed.
    """
    if spec.fft_numerics != "scalar":
        raise MissingToolError(
            f"fft_numerics {spec.fft_numerics} needs a C compiler: sudo apt-get install gcc"
        )
    if not wheel_is_scalar():
        raise MissingToolError(
            "without a C compiler a front end needs PyPI's cmsisdsp, on x86-64: pip install "
            '"edgebio[verify]", or a compiler: sudo apt-get install gcc'
        )
    frames = spec.frames_in(len(samples))
    if frames:
        values = reference.compute_stages(spec, samples, standardization, reference.pypi_rfft)
        used = spec.n_fft + (frames - 1) * spec.hop_length
        values["filter"] = values["filter"][:, :used]  # the last samples wait for their hop
        values.setdefault("image", np.zeros(values["log"].shape, np.int8))
    else:
        widths = {"window": spec.n_fft, "scale": spec.n_fft, "fft": spec.n_fft + 2}
        values = {
            name: np.zeros((spec.channels, 0, widths.get(name, spec.n_bins)), dtype)
            for name, dtype in STAGES.items()
        }
        values["exponent"] = values["exponent"][..., 0]
        used = len(samples) // spec.hop_length * spec.hop_length
        values["filter"] = reference.filtered(spec, samples[:used]).astype(np.int32)
    segments = np.zeros((0, *spec.image_shape), np.int8)
    if standardization:
        pixels = np.moveaxis(values["image"], 0, -1)
        segments = np.ascontiguousarray(images(spec, pixels))
    return Stages(values, segments, count_clipped(samples))
