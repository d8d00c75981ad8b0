"""Biosignals to microcontrollers, with every step proven bit for bit.

Names are imported when they are first used, so ``import edgebio`` is light; TensorFlow is imported
only by what trains or quantizes. Wrong arguments raise `EdgebioError`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgebio.api import (
        bench,
        build,
        calibrate,
        compile_model,
        evaluate,
        flash,
        load_board,
        load_dataset,
        load_recipe,
        load_recordings,
        quantize,
        train,
        verify,
        write_report,
    )
    from edgebio.compiler.host import HostModel
    from edgebio.errors import CheckFailedError, DeviceError, EdgebioError, MissingToolError
    from edgebio.protocols import ProtocolSplitter
    from edgebio.recipes import Recipe
    from edgebio.recordings import Recording
    from edgebio.runtime.device import Device
    from edgebio.runtime.session import Session

__version__ = "0.2.0"

__all__ = [
    "CheckFailedError",
    "Device",
    "DeviceError",
    "EdgebioError",
    "HostModel",
    "MissingToolError",
    "ProtocolSplitter",
    "Recipe",
    "Recording",
    "Session",
    "bench",
    "build",
    "calibrate",
    "compile_model",
    "evaluate",
    "flash",
    "load_board",
    "load_dataset",
    "load_recipe",
    "load_recordings",
    "quantize",
    "train",
    "verify",
    "write_report",
]

_MODULES = {
    "CheckFailedError": "errors",
    "Device": "runtime.device",
    "DeviceError": "errors",
    "EdgebioError": "errors",
    "HostModel": "compiler.host",
    "MissingToolError": "errors",
    "ProtocolSplitter": "protocols",
    "Recipe": "recipes",
    "Recording": "recordings",
    "Session": "runtime.session",
}
"""Module of each name; functions are in `edgebio.api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'edgebio' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"edgebio.{_MODULES.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
