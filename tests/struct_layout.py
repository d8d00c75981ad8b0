"""Layout of C structs as the host's compiler sees them, to check their ctypes mirrors."""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgebio.processes import host_compiler


def assert_same_layout(
    folder: Path,
    header: str,
    mirrors: Mapping[str, type[ctypes.Structure]],
    include: Sequence[Path],
    flags: Sequence[str] = host_compiler.STRICT,
) -> None:
    """Compare size and field offsets of each mirror with those of the C struct.

    Parameters
    ----------
    folder
        Where the C file goes.
    header
        Header that declares the structs.
    mirrors
        ctypes structure by the C name of its struct; fields have the names of the C.
    include, flags
        Folders of headers, and flags of the compiler.
    """
    expected = {}
    for struct, mirror in mirrors.items():
        expected[f"sizeof({struct})"] = ctypes.sizeof(mirror)
        for name, *_ in mirror._fields_:
            expected[f"offsetof({struct}, {name})"] = getattr(mirror, name).offset
    source = folder / "layout.c"
    source.write_text(
        f'#include <stddef.h>\n#include "{header}"\n'
        "const size_t layout[] = {" + ", ".join(expected) + "};\n"
    )
    library = host_compiler.load_library("layout", [source], include, flags)
    layout = (ctypes.c_size_t * len(expected)).in_dll(library, "layout")
    assert dict(zip(expected, layout, strict=True)) == expected
