"""The operators that edgebio compiles: one module for each one or each small family.

A module holds the operator's check, its lowering to a layer, and its registration. Every module in
this folder is imported, so a new operator takes one new file.
"""

import importlib
import pkgutil

from edgebio.compiler.operators.common import OPERATORS, SEVERAL_OUTPUTS, STATES

__all__ = ["OPERATORS", "SEVERAL_OUTPUTS", "STATES"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
