"""The front end of one model as C: its generated configuration and the sources to compile."""

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import generated_c, storage
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import Constants, cascade, config_numbers, constants
from edgebio.frontend.numerics import numerics_flags, uses_helium
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization


@dataclass(frozen=True)
class FrontendSources:
    """Files and flags that a firmware build compiles the front end with."""

    own: tuple[Path, ...]  # edgebio's sources, for which warnings are errors
    vendor: tuple[Path, ...]  # CMSIS-DSP's sources
    include: tuple[Path, ...]  # folders of edgebio's headers
    system_include: tuple[Path, ...]  # folders of CMSIS-DSP's headers
    flags: tuple[str, ...]  # for both


def write(
    folder: Path,
    spec: FrontendSpec | None,
    standardization: Standardization | None = None,
    *,
    helium: bool = False,
) -> FrontendSources:
    """Write the front end into `folder`; without one, only a header that says so.

    Parameters
    ----------
    folder
        Gets ``frontend_config.h``, ``frontend_config.c`` and copies of the sources.
    spec, standardization
        Front end of the model and its pixels; None for a model without metadata.
    helium
        Whether the CPU has Helium; a model of FFT numerics ``mve`` then uses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if spec is None or standardization is None:
        storage.write_text(folder / "frontend_config.h", _HEADER_NONE)
        return FrontendSources((), (), (folder,), (), ())
    storage.write_text(folder / "frontend_config.h", _header(spec))
    storage.write_text(folder / "frontend_config.c", _source(spec, standardization, helium))
    assets = storage.assets("firmware_assets") / "frontend"
    for name in ("eb_frontend.h", "eb_frontend.c", "cmsis_compiler.h"):
        shutil.copyfile(assets / name, folder / name)
    vendor = folder / "cmsis-dsp"
    vendor.mkdir(exist_ok=True)
    for name in cmsisdsp.RFFT_Q15:
        shutil.copyfile(cmsisdsp.source() / name, vendor / Path(name).name)
    return FrontendSources(
        own=(folder / "eb_frontend.c", folder / "frontend_config.c"),
        vendor=tuple(vendor / Path(name).name for name in cmsisdsp.RFFT_Q15),
        include=(folder,),
        system_include=tuple(cmsisdsp.include()),
        flags=numerics_flags(spec.fft_numerics, helium=helium),
    )


_HEADER_NONE = generated_c.header(
    "/* The model has no front end: it takes its inputs as they are. */\n",
    "EB_FRONTEND_CONFIG_H",
    macros="#define EB_HAS_FRONTEND 0\n",
)


def _header(spec: FrontendSpec) -> str:
    sizes = (
        f"{spec.channels}u, {spec.n_fft}u, {spec.hop_length}u, {len(cascade(spec))}u, "
        f"{spec.frames}u, {spec.n_bins}u"
    )
    pixels = spec.frames * spec.n_bins * spec.channels
    return generated_c.header(
        f"""\
/* Front end of the model: {spec.channels} channels at {spec.rate:g} Hz, {spec.n_fft}-point STFT
 * every {spec.hop_length} samples, images of {spec.frames} frames x {spec.n_bins} bins.
 * Generated. */
""",
        "EB_FRONTEND_CONFIG_H",
        includes='#include "eb_frontend.h"\n',
        macros=f"""\
#define EB_HAS_FRONTEND 1
#define EB_FRONTEND_CHANNELS {spec.channels}u
#define EB_FRONTEND_SEGMENT_LENGTH {spec.segment_length}u
#define EB_FRONTEND_STEP {spec.step}u
#define EB_FRONTEND_RATE_MILLIHZ {round(spec.rate * 1000)}u
#define EB_FRONTEND_IMAGE_BYTES {pixels}u
#define EB_FRONTEND_STATE_BYTES EB_FRONTEND_BYTES({sizes})
""",
        declarations="extern const eb_frontend_config eb_frontend_settings;\n",
    )


def _source(spec: FrontendSpec, standardization: Standardization, helium: bool) -> str:
    c = constants(spec)
    table = standardization.pixels()
    pixels = ", ".join(f"{{{offset}, {gain}}}" for offset, gain in table.reshape(-1, 2).tolist())
    fields = [f".{name} = {value}" for name, value in config_numbers(spec, table).items()]
    fields += [".window_function = window_function", f".filter = {'filter' if c.filter else '0'}"]
    fields += [".pixels = pixels", ".rfft = &rfft"]
    sections = "".join(f"    {{{', '.join(map(str, biquad))}}},\n" for biquad in c.filter)
    biquads = f"static const eb_biquad filter[] = {{\n{sections}}};\n" if c.filter else ""
    return f"""\
{generated_c.NOTICE}/* Constants of the front end, computed from the model's metadata. Generated. */
#include "frontend_config.h"

{_array("int16_t", "window_function", c.window_function)}
{biquads}
static const eb_pixel pixels[] = {{
{textwrap.fill(pixels, 98, initial_indent="    ", subsequent_indent="    ")},
}};

/* CMSIS-DSP's tables for this length; its initializer would link those of all lengths. */
{_fft(spec, c, uses_helium(spec.fft_numerics, helium))}
const eb_frontend_config eb_frontend_settings = {_initializer(fields)};
"""


def _fft(spec: FrontendSpec, c: Constants, helium: bool) -> str:
    """Tables of the FFT, and ``rfft``, the instance that uses them."""
    half = spec.n_fft // 2
    bit_reversal = c.bit_reversal
    real_a: npt.NDArray[np.integer] = c.real_a
    real_b: npt.NDArray[np.integer] = c.real_b
    cfft = [f".fftLen = {half}", ".pTwiddle = twiddles", ".pBitRevTable = bit_reversal"]
    cfft.append(f".bitRevLength = {len(bit_reversal)}")
    tables = ""
    if helium:  # reads ahead of bit_reversal and of the coefficients, and has tables of its own
        bit_reversal = np.append(bit_reversal, np.zeros(16, np.uint16))
        steps = np.minimum(np.arange(half + 4) * (8192 // spec.n_fft), 4095)
        real_a, real_b = (
            cmsisdsp.table(f"realCoef{name}Q15").reshape(-1, 2)[steps] for name in "AB"
        )
        radix4 = half if half in (16, 64, 256) else half // 2
        for k in (1, 2, 3):
            offsets = cmsisdsp.table(f"rearranged_twiddle_tab_stride{k}_arr_{radix4}_q15")
            factors = cmsisdsp.table(f"rearranged_twiddle_stride{k}_{radix4}_q15")
            tables += _array("uint32_t", f"offsets_{k}", offsets)
            tables += _array("q15_t", f"rearranged_{k}", factors)
            cfft.append(f".rearranged_twiddle_tab_stride{k}_arr = offsets_{k}")
            cfft.append(f".rearranged_twiddle_stride{k} = rearranged_{k}")
        instance = f".cfftInst = {_initializer(cfft)}"
    else:
        tables = f"static const arm_cfft_instance_q15 cfft = {_initializer(cfft)};\n"
        instance = ".pCfft = &cfft"
    rfft = [f".fftLenReal = {spec.n_fft}", ".ifftFlagR = 0", ".bitReverseFlagR = 1"]
    rfft += [".twidCoefRModifier = 1", ".pTwiddleAReal = real_a", ".pTwiddleBReal = real_b"]
    return (
        _array("q15_t", "twiddles", c.twiddles)
        + _array("uint16_t", "bit_reversal", bit_reversal)
        + _array("q15_t", "real_a", real_a)
        + _array("q15_t", "real_b", real_b)
        + tables
        + f"static const arm_rfft_instance_q15 rfft = {_initializer([*rfft, instance])};\n"
    )


def _initializer(fields: list[str]) -> str:
    lines = textwrap.indent(",\n".join(fields), "    ")
    return f"{{\n{lines},\n}}"


def _array(ctype: str, name: str, values: npt.NDArray[np.integer]) -> str:
    """Constant table in C, aligned for the 32-bit loads of CMSIS-DSP."""
    flat = [str(value) for value in values.ravel().tolist()]
    rows = [", ".join(flat[i : i + 12]) for i in range(0, len(flat), 12)]
    body = "".join(f"    {row},\n" for row in rows)
    return f"static const {ctype} {name}[{len(flat)}] __attribute__((aligned(4))) = {{\n{body}}};\n"
