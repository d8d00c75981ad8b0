"""Compiler flags that choose CMSIS-DSP's FFT numerics, for the device and for the host."""

from edgebio.frontend.spec import FftNumerics

HELIUM_READS_AHEAD = 80
"""Bytes behind its frame that Helium's FFT loads and does not use."""


def numerics_flags(numerics: FftNumerics, *, helium: bool = False) -> tuple[str, ...]:
    """Compiler definitions that make CMSIS-DSP compute with `numerics` on any machine.

    Parameters
    ----------
    numerics
        FFT numerics of the model.
    helium
        Whether the CPU has Helium; only numerics ``mve`` use it.
    """
    simd32_order = f"-DEB_FFT_NUMERICS_DSP={int(numerics != 'scalar')}"
    if uses_helium(numerics, helium):
        return (simd32_order, f"-DEB_FRONTEND_AHEAD={HELIUM_READS_AHEAD}u")
    return (simd32_order, "-DARM_MATH_AUTOVECTORIZE")  # CMSIS-DSP's name for no Helium intrinsics


def uses_helium(numerics: FftNumerics, helium: bool) -> bool:
    """Whether the FFT runs on Helium intrinsics, which the twin only approximates."""
    return helium and numerics == "mve"
