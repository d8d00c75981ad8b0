"""The front end of one model as C: its generated configuration and the sources to compile."""

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import csource, storage
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import Constants, cascade, config_numbers, constants
from edgebio.frontend.numerics import numerics_flags, uses_helium
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization


@dataclass(frozen=True)
class FrontendSources:
    """Files and flags that a firmware build compiles the front end with.

    Attributes
    ----------
    own
        Sources of edgebio, compiled with all warnings as errors.
    vendor
        Sources of CMSIS-DSP.
    include, system_include
        Header folders of edgebio and of CMSIS-DSP.
    flags
        Definitions that both are compiled with.
    """

    own: tuple[Path, ...]
    vendor: tuple[Path, ...]
    include: tuple[Path, ...]
    system_include: tuple[Path, ...]
    flags: tuple[str, ...]


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


_HEADER_NONE = csource.header(
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
    return csource.header(
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
    vectors = uses_helium(spec.fft_numerics, helium)
    tables, instances = (_helium if vectors else _plain)(spec, c)
    table = standardization.pixels()
    pixels = ", ".join(f"{{{offset}, {gain}}}" for offset, gain in table.reshape(-1, 2).tolist())
    fields = "\n".join(
        f"    .{name} = {value}," for name, value in config_numbers(spec, table).items()
    )
    sections = ",\n".join(
        f"    {{{b.b0}, {b.b1}, {b.minus_a1}, {b.minus_a2}, {b.passes_dc}}}" for b in c.filter
    )
    biquads = f"static const eb_biquad filter[] = {{\n{sections},\n}};\n" if c.filter else ""
    return f"""\
{csource.NOTICE}/* Constants of the front end, computed from the model's metadata. Generated. */
#include "frontend_config.h"

{_array("int16_t", "window_function", c.window_function)}
{biquads}
static const eb_pixel pixels[] = {{
{textwrap.fill(pixels, 98, initial_indent="    ", subsequent_indent="    ")},
}};

/* CMSIS-DSP's tables for this length; its initializer would link those of all lengths. */
{_array("q15_t", "twiddles", c.twiddles)}
{tables}
{instances}

const eb_frontend_config eb_frontend_settings = {{
{fields}
    .window_function = window_function,
    .filter = {"filter" if c.filter else "0"},
    .pixels = pixels,
    .rfft = &rfft,
}};
"""


def _plain(spec: FrontendSpec, c: Constants) -> tuple[str, str]:
    """Tables of the FFT besides its twiddle factors, and the instances that use them."""
    tables = [
        _array("uint16_t", "bit_reversal", c.bit_reversal),
        _array("q15_t", "real_a", c.real_a),
        _array("q15_t", "real_b", c.real_b),
    ]
    cfft = f"""\
static const arm_cfft_instance_q15 cfft = {{
{_cfft(spec, c)}
}};
"""
    return "\n".join(tables), cfft + _rfft(spec, ".pCfft = &cfft")


def _helium(spec: FrontendSpec, c: Constants) -> tuple[str, str]:
    """`_plain` for Helium, which reads ahead of bit_reversal and the coefficients."""
    step = 8192 // spec.n_fft
    half = spec.n_fft // 2
    radix4 = half if half in (16, 64, 256) else half // 2
    tables = [
        _array("uint16_t", "bit_reversal", np.append(c.bit_reversal, np.zeros(16, np.uint16)))
    ]
    for name in ("A", "B"):
        whole = cmsisdsp.table(f"realCoef{name}Q15").reshape(-1, 2)
        coefficients = whole[[min(k * step, len(whole) - 1) for k in range(half + 4)]]
        tables.append(_array("q15_t", f"real_{name.lower()}", coefficients))
    fields = [_cfft(spec, c)]
    for k in (1, 2, 3):
        offsets = cmsisdsp.table(f"rearranged_twiddle_tab_stride{k}_arr_{radix4}_q15")
        factors = cmsisdsp.table(f"rearranged_twiddle_stride{k}_{radix4}_q15")
        tables.append(_array("uint32_t", f"offsets_{k}", offsets))
        tables.append(_array("q15_t", f"rearranged_{k}", factors))
        fields.append(f"    .rearranged_twiddle_tab_stride{k}_arr = offsets_{k},")
        fields.append(f"    .rearranged_twiddle_stride{k} = rearranged_{k},")
    inner = textwrap.indent("\n".join(fields), "    ")
    return "\n".join(tables), _rfft(spec, f".cfftInst = {{\n{inner}\n    }}")


def _cfft(spec: FrontendSpec, c: Constants) -> str:
    return f"""\
    .fftLen = {spec.n_fft // 2},
    .pTwiddle = twiddles,
    .pBitRevTable = bit_reversal,
    .bitRevLength = {len(c.bit_reversal)},"""


def _rfft(spec: FrontendSpec, cfft: str) -> str:
    return f"""
static const arm_rfft_instance_q15 rfft = {{
    .fftLenReal = {spec.n_fft},
    .ifftFlagR = 0,
    .bitReverseFlagR = 1,
    .twidCoefRModifier = 1,
    .pTwiddleAReal = real_a,
    .pTwiddleBReal = real_b,
    {cfft},
}};
"""


def _array(ctype: str, name: str, values: npt.NDArray[np.integer]) -> str:
    """Constant table in C, aligned for the 32-bit loads of CMSIS-DSP."""
    flat = [str(value) for value in values.ravel().tolist()]
    rows = [", ".join(flat[i : i + 12]) for i in range(0, len(flat), 12)]
    body = "".join(f"    {row},\n" for row in rows)
    return f"static const {ctype} {name}[{len(flat)}] __attribute__((aligned(4))) = {{\n{body}}};\n"
