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
        converted_recording,
        evaluate,
        flash,
        infer,
        infer_named,
        load_board,
        load_dataset,
        load_recipe,
        load_recordings,
        quantize,
        quantize_model,
        search_networks,
        train,
        verify,
        write_golden_vectors,
        write_report,
    )  # fmt: skip
    from edgebio.compiler.host_model import HostModel
    from edgebio.errors import CheckFailedError, DeviceError, EdgebioError, MissingToolError
    from edgebio.evaluation import Evaluation
    from edgebio.firmware import Budget
    from edgebio.protocols import ProtocolSplitter
    from edgebio.recipes import Recipe
    from edgebio.recordings import Recording
    from edgebio.runtime.device import Device
    from edgebio.runtime.session import Decision, Session
    from edgebio.search import Limits
    from edgebio.tasks.results import QuantizeResult, TrainResult, VerifyResult

__version__ = "0.2.0"

__all__ = [
    "Budget", "CheckFailedError", "Decision", "Device", "DeviceError", "EdgebioError", "Evaluation",
    "HostModel", "Limits", "MissingToolError", "ProtocolSplitter", "QuantizeResult", "Recipe",
    "Recording", "Session", "TrainResult", "VerifyResult", "bench", "build", "calibrate",
    "compile_model", "converted_recording", "evaluate", "flash", "infer", "infer_named",
    "load_board", "load_dataset", "load_recipe", "load_recordings", "quantize", "quantize_model",
    "search_networks", "train", "verify", "write_golden_vectors", "write_report",
]  # fmt: skip

_MODULES = {
    "compiler.host_model": ("HostModel",),
    "errors": ("CheckFailedError", "DeviceError", "EdgebioError", "MissingToolError"),
    "evaluation": ("Evaluation",),
    "firmware": ("Budget",),
    "protocols": ("ProtocolSplitter",),
    "recipes": ("Recipe",),
    "recordings": ("Recording",),
    "runtime.device": ("Device",),
    "runtime.session": ("Decision", "Session"),
    "search": ("Limits",),
    "tasks.results": ("QuantizeResult", "TrainResult", "VerifyResult"),
}
"""Names of each module; all others are in `edgebio.api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'edgebio' has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "api")
    value = getattr(importlib.import_module(f"edgebio.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
