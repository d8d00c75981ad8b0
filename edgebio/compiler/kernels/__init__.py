"""Kernels of each kernel set: which layers they take, and their constants and parameters.

Every module in this folder is imported, so that its kernels are registered.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
