"""The front end of one model as C: its configuration, and the sources that a build compiles."""

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio import storage
from edgebio.frontend import cmsisdsp
from edgebio.frontend.constants import Constants, cascade, constants
from edgebio.frontend.spec import FrontendSpec
from edgebio.frontend.standardization import Standardization
from edgebio.frontend.twin import numerics_flags, uses_helium


@dataclass(frozen=True)
class FrontendSources:
    """What a firmware build compiles for the front end.

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
    standard: Standardization | None = None,
    *,
    helium: bool = False,
) -> FrontendSources:
    """Write the front end into `folder`; for a model without one, only a header that says so.

    Parameters
    ----------
    folder
        Where ``frontend_config.h``, ``frontend_config.c`` and copies of the sources go.
    spec, standard
        Front end of the model and its pixels; `spec` is None for a model without metadata.
    helium
        The core has Helium, which a model of class ``mve`` then uses.

    Returns
    -------
    FrontendSources
        What to compile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if spec is None or standard is None:
        storage.write_text(folder / "frontend_config.h", _HEADER_NONE)
        return FrontendSources((), (), (folder,), (), ())
    storage.write_text(folder / "frontend_config.h", _header(spec))
    storage.write_text(folder / "frontend_config.c", _source(spec, standard, helium))
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


_HEADER_NONE = """\
/* This model came without a front end: it takes its inputs as they are. */
#ifndef EB_FRONTEND_CONFIG_H
#define EB_FRONTEND_CONFIG_H

#define EB_HAS_FRONTEND 0

#endif
"""


def _header(spec: FrontendSpec) -> str:
    sizes = (
        f"{spec.channels}u, {spec.n_fft}u, {spec.hop_length}u, {len(cascade(spec))}u, "
        f"{spec.frames}u, {spec.n_bins}u"
    )
    pixels = spec.frames * spec.n_bins * spec.channels
    return f"""\
/* Front end of the model: {spec.channels} channels at {spec.rate:g} Hz, {spec.n_fft}-point STFT
 * every {spec.hop_length} samples, images of {spec.frames} columns x {spec.n_bins} bins. Generated. */
#ifndef EB_FRONTEND_CONFIG_H
#define EB_FRONTEND_CONFIG_H

#include "eb_frontend.h"

#define EB_HAS_FRONTEND 1
#define EB_FRONTEND_CHANNELS {spec.channels}u
#define EB_FRONTEND_WINDOW {spec.segment_length}u
#define EB_FRONTEND_STEP {spec.step}u
#define EB_FRONTEND_RATE_MILLIHZ {round(spec.rate * 1000)}u
#define EB_FRONTEND_IMAGE_BYTES {pixels}u
#define EB_FRONTEND_STATE_BYTES EB_FRONTEND_BYTES({sizes})

extern const eb_frontend_config eb_frontend_settings;

#endif
"""


def _source(spec: FrontendSpec, standard: Standardization, helium: bool) -> str:
    c = constants(spec)
    vectors = uses_helium(spec.fft_numerics, helium)
    tables, instances = (_helium if vectors else _plain)(spec, c)
    table = standard.pixels()
    bins, channels, _ = table.shape
    pixels = ", ".join(f"{{{offset}, {gain}}}" for offset, gain in table.reshape(-1, 2).tolist())
    sections = ",\n".join(
        f"    {{{b.b0}, {b.b1}, {b.minus_a1}, {b.minus_a2}, {b.passes_dc}}}" for b in c.filter
    )
    biquads = f"static const eb_biquad filter[] = {{\n{sections},\n}};\n" if c.filter else ""
    return f"""\
/* Constants of the front end, computed from the model's metadata. Generated. */
#include "frontend_config.h"

{_array("int16_t", "taper", c.taper)}
{biquads}
static const eb_pixel pixels[] = {{
{textwrap.fill(pixels, 98, initial_indent="    ", subsequent_indent="    ")},
}};

/* CMSIS-DSP's own tables for this length; its initialiser would link all lengths. */
{_array("q15_t", "twiddles", c.twiddles)}
{tables}
{instances}

const eb_frontend_config eb_frontend_settings = {{
    .channels = {spec.channels},
    .fft = {spec.n_fft},
    .log2fft = {spec.n_fft.bit_length() - 1},
    .hop = {spec.hop_length},
    .columns = {spec.frames},
    .stride = {spec.step_frames},
    .first_bin = {spec.bins[0]},
    .bins = {spec.n_bins},
    .sections = {len(c.filter)},
    .bin_stride = {channels if bins > 1 else 0},
    .channel_stride = {1 if channels > 1 else 0},
    .headroom = {c.headroom},
    .floor_exponent = {c.floor_exponent},
    .floor = {c.floor}u,
    .taper = taper,
    .filter = {"filter" if c.filter else "0"},
    .pixels = pixels,
    .rfft = &rfft,
}};
"""


def _plain(spec: FrontendSpec, c: Constants) -> tuple[str, str]:
    """Tables of the FFT besides its twiddle factors, and the instances that point to them."""
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
    """The same for Helium's intrinsics.

    They read ahead, by a vector of the bit reversal's table and by three coefficients.
    """
    step = 8192 // spec.n_fft
    half = spec.n_fft // 2
    radix4 = half if half in (16, 64, 256) else half // 2
    tables = [
        _array("uint16_t", "bit_reversal", np.append(c.bit_reversal, np.zeros(16, np.uint16)))
    ]
    for name in ("A", "B"):
        whole = cmsisdsp.table(f"realCoef{name}Q15").reshape(-1, 2)
        some = whole[[min(k * step, len(whole) - 1) for k in range(half + 4)]]
        tables.append(_array("q15_t", f"real_{name.lower()}", some))
    fields = [_cfft(spec, c)]
    for k in (1, 2, 3):
        place = cmsisdsp.table(f"rearranged_twiddle_tab_stride{k}_arr_{radix4}_q15")
        factors = cmsisdsp.table(f"rearranged_twiddle_stride{k}_{radix4}_q15")
        tables.append(_array("uint32_t", f"place_{k}", place))
        tables.append(_array("q15_t", f"rearranged_{k}", factors))
        fields.append(f"    .rearranged_twiddle_tab_stride{k}_arr = place_{k},")
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
    """Render a constant table, aligned for the 32-bit loads of CMSIS-DSP."""
    flat = [str(value) for value in values.ravel().tolist()]
    rows = [", ".join(flat[i : i + 12]) for i in range(0, len(flat), 12)]
    body = "".join(f"    {row},\n" for row in rows)
    return f"static const {ctype} {name}[{len(flat)}] __attribute__((aligned(4))) = {{\n{body}}};\n"
