"""The scalar class where there is no C compiler: the NumPy chain around PyPI's ``cmsisdsp``.

It gives the twin's bits, as rung 2 of the ladder shows where there is a compiler, and is slower.
"""

import importlib.util
import platform

import numpy as np
import numpy.typing as npt

from edgebio.errors import MissingToolError
from edgebio.frontend import reference
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization, windows
from edgebio.frontend.twin import STAGES, Stages, railed_samples


def wheel_is_scalar() -> bool:
    """Whether PyPI's cmsisdsp is here and computes plain C: on Arm hosts it takes NEON's path."""
    return importlib.util.find_spec("cmsisdsp") is not None and platform.machine() == "x86_64"


def stages(
    spec: FrontendSpec, standard: Standardization | None, samples: npt.NDArray[np.int16]
) -> Stages:
    """What `Twin.stages` gives, all stages of it, without a C compiler.

    Raises
    ------
    MissingToolError
        Where the core class is not ``scalar``, or PyPI's ``cmsisdsp`` is not here.
    """
    if spec.fft_numerics != "scalar":
        raise MissingToolError(
            f"a front end of core class {spec.fft_numerics} is computed by its own C: install a C "
            "compiler: sudo apt-get install gcc"
        )
    if not wheel_is_scalar():
        raise MissingToolError(
            "without a C compiler a front end needs PyPI's cmsisdsp, on x86-64: pip install "
            '"edgebio[verify]", or a compiler: sudo apt-get install gcc'
        )
    columns = spec.frames_in(len(samples))
    if columns:
        values = reference.stages(spec, samples, standard, reference.pypi_rfft)
        used = spec.n_fft + (columns - 1) * spec.hop_length
        values["filter"] = values["filter"][:, :used]  # the others wait for their hop
        values.setdefault("image", np.zeros(values["log"].shape, np.int8))
    else:
        widths = {"window": spec.n_fft, "scale": spec.n_fft, "fft": spec.n_fft + 2}
        values = {
            name: np.zeros((spec.channels, 0, widths.get(name, spec.n_bins)), dtype)
            for name, (_, dtype) in STAGES.items()
        }
        values["exponent"] = values["exponent"][..., 0]
        filtered = reference.filtered(
            spec, samples[: len(samples) // spec.hop_length * spec.hop_length]
        )
        values["filter"] = filtered.astype(np.int32)
    images = np.zeros((0, *spec.image_shape), np.int8)
    if standard:
        images = np.ascontiguousarray(windows(spec, np.moveaxis(values["image"], 0, -1)))
    return Stages(values, images, railed_samples(samples))
