"""All C of a library under its own names, without a dependency."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from edgebio import generated_c, storage
from edgebio.compiler import Program, c_files
from edgebio.decision import c_source as decision
from edgebio.decision.outputs import Outputs
from edgebio.firmware.library import header, sections, vectors
from edgebio.firmware.library.names import INTERNAL, VENDOR, Names
from edgebio.firmware.library.sections import mark_constants, mark_functions
from edgebio.frontend import c_source as frontend
from edgebio.frontend import cmsisdsp
from edgebio.frontend.numerics import numerics_flags
from edgebio.frontend.twin import Twin
from edgebio.tflite.metadata import ModelMetadata

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
_CPP_HEADER = re.compile(r"<c(stdint|string|math|float|limits)>")
_NETWORK = ("eb_library_memory.h", "eb_library_network.c", "eb_library_check.c")
_WHOLE = ("eb_library.c",)
# Of the FFT on Helium, which differs from the twin by a few steps: a library computes as the twin.
_HELIUM = {"arm_helium_utils.h", "arm_vec_fft.h"}
_HEAD_BYTES = 64  # of eb_library_memory, besides its arrays; asserted by the C
_CHANGED = """\
/* Of CMSIS-DSP {version}, changed by edgebio: names have the prefix of this library, and files are
 * included by other paths. */
#pragma GCC system_header
"""


def library_sources(
    names: Names, program: Program, metadata: ModelMetadata | None
) -> dict[PurePosixPath, str]:
    """Text of every C file and license of a library, by path."""
    own = dict(_own_files(program, metadata))
    vendor = _vendor_files(own) if metadata else {}
    files = {name: names.path(name) for name in (*own, "eb_library.h", "settings.h")}
    files |= {name: names.path(name, VENDOR) for name in vendor}
    config = names.header.with_name(f"{names.prefix}_config.h")
    settings = f'#include "{files["settings.h"].name}"\n'
    result = {
        names.header: header.public_header(
            names, program, metadata, _state_bytes(program, metadata)
        ),
        config: _config(names),
        files["settings.h"]: _settings(names, config, metadata),
    }
    for name, text in own.items():
        path = files[name]
        renamed = names.rename(text, path, files)
        result[path] = _insert(renamed, settings) if name.endswith(".c") else renamed
    for name, text in vendor.items():
        path = files[name]
        changed = _CHANGED.format(version=cmsisdsp.VERSION)
        result[path] = changed + names.rename(text, path, files)
    if vendor:
        includes = "".join(
            f'#include "{files[name].relative_to(INTERNAL)}"\n'
            for name in vendor
            if name.endswith(".inc")
        )
        result[names.path("fft.c")] = (
            f"{generated_c.NOTICE}/* CMSIS-DSP's FFT. Generated. */\n{settings}\n{includes}"
        )
        result[VENDOR / "LICENSE"] = _read(cmsisdsp.source() / "LICENSE")
    return result


def _own_files(program: Program, metadata: ModelMetadata | None) -> Iterator[tuple[str, str]]:
    """Name in edgebio and text of edgebio's own and generated files."""
    assets = storage.assets("firmware_assets")
    for name, text in c_files(program).items():
        yield name, mark_constants(text) if name.endswith(".c") else text
    for name in program.kernels:
        yield name, mark_functions(_read(assets / "kernels" / name))
    for name in (*_NETWORK, *(_WHOLE if metadata else ())):
        yield name, _read(assets / "library" / name)
    graph = program.graph
    with tempfile.TemporaryDirectory(prefix="edgebio-library-") as scratch:
        folder = Path(scratch)
        if metadata is None:
            frontend.write(folder, None)
            yield "vectors.h", vectors.network_vectors(graph)
        else:
            frontend.write(folder, metadata.frontend, metadata.standardization)
            decision.write(folder, metadata.decision, Outputs.from_graph(graph))
            for name in ("eb_decision.h", "eb_decision.c"):
                yield name, _read(decision.FOLDER / name)
            yield "eb_frontend.c", mark_functions(_read(folder / "eb_frontend.c"))
            for name in ("frontend_config.c", "decision_config.c"):
                yield name, mark_constants(_read(folder / name))
            yield "class_names.c", header.class_names(metadata)
            yield "vectors.h", vectors.whole_vectors(graph, metadata)
        for path in sorted(folder.glob("*.h")):
            yield path.name, _read(path)


def _vendor_files(own: dict[str, str]) -> dict[str, str]:
    """Files of CMSIS-DSP: those of the FFT, and all headers that they and `own` need.

    C files are included by one of the library's own, and have no compiler's suffix, as build
    systems compile every .c in a folder.
    """
    files = {
        Path(name).with_suffix(".inc").name: _read(cmsisdsp.source() / name)
        for name in cmsisdsp.RFFT_Q15
    }
    headers = {path.name: path for folder in cmsisdsp.include() for path in folder.rglob("*.h")}
    waiting = [*own.values(), *files.values()]
    while waiting:
        for include in _INCLUDE.findall(waiting.pop()):
            name = PurePosixPath(include).name
            if name in headers.keys() - own.keys() - files.keys() - _HELIUM:
                files[name] = _read(headers[name])
                waiting.append(files[name])
    return files


def _read(path: Path) -> str:
    text = path.read_text("utf-8-sig", "replace")  # some files of CMSIS-DSP begin with a mark
    # Arduino looks for includes in C as if it were C++, for which some toolchains have no headers.
    return _CPP_HEADER.sub(r"<\1.h>", text)


def _state_bytes(program: Program, metadata: ModelMetadata | None) -> int:
    arrays = [max(program.plan.total, 1), program.stream.plan.total if program.stream else 0]
    if metadata is not None:
        spec = metadata.frontend
        frontend_bytes = Twin(spec, metadata.standardization).state_bytes
        arrays += [frontend_bytes, 2 * spec.channels + _HEAD_BYTES]
    return sum(-(-size // 16) * 16 for size in arrays)


def _insert(text: str, line: str) -> str:
    """C text with a line in front of its first include."""
    at = text.index("#include")
    return f"{text[:at]}{line}{text[at:]}"


def _config(names: Names) -> str:
    macro = names.macro
    return generated_c.header(
        f"""\
/* Choices for your board: uncomment here, or define them for the compiler.
 *
 * Sections of your linker script. Constants are read-only, code is what takes the time: in fast
 * memory, both are faster.
 *
 * #define {macro}_WEIGHTS_SECTION ".fast_constants"
 * #define {macro}_CODE_SECTION ".fast_code"
 */
""",
        f"{macro}_CONFIG_H",
    )


def _settings(names: Names, config: PurePosixPath, metadata: ModelMetadata | None) -> str:
    macro, numerics = names.macro, ""
    if metadata is not None:
        for flag in numerics_flags(metadata.frontend.fft_numerics):
            name, _, value = flag.removeprefix("-D").partition("=")
            numerics += f"#define {name} {value}".rstrip() + "\n"
    return generated_c.header(
        "/* What a program would otherwise have to give the compiler. Generated. */\n",
        f"{macro}_SETTINGS_H",
        includes=f'#include "../{config.name}"\n',
        macros=f"""\
{numerics}
{sections.MACROS.replace("@", macro)}""",
    )
