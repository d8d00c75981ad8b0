"""Registry of the kernels, by layer type and kernel set."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from edgebio.compiler.ir.kernel_call import KernelCall, KernelSet
from edgebio.compiler.ir.layer import Layer
from edgebio.compiler.ir.network import Network

Candidate = Callable[[Network, Any], KernelCall | str]
"""Gives a layer a kernel, or says why its preconditions do not hold."""

_Candidate = TypeVar("_Candidate", bound=Candidate)

CANDIDATES: Final[dict[type[Layer], dict[KernelSet, list[Candidate]]]] = defaultdict(
    lambda: defaultdict(list)
)
"""By layer type and kernel set, best first."""


def kernel(isa: KernelSet, *layers: type[Layer]) -> Callable[[_Candidate], _Candidate]:
    """Register a candidate for some layer types.

    The first line of its docstring describes the kernel in explain.txt.
    """

    def register(candidate: _Candidate) -> _Candidate:
        for layer in layers:
            CANDIDATES[layer][isa].append(candidate)
        return candidate

    return register
