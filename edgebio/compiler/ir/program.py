"""A compiled network: its kernel calls and its memory plan."""

from dataclasses import dataclass

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.memory_plan import MemoryPlan
from edgebio.compiler.ir.network import Network
from edgebio.compiler.ir.stream import Stream
from edgebio.tflite import Graph


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled network, before it is written as C: one kernel call per layer, in order.

    `stream` is its other form, which takes new frames; None if it has none.
    """

    graph: Graph
    network: Network
    calls: tuple[KernelCall, ...]
    plan: MemoryPlan
    stream: Stream | None = None

    def runs(self, call: KernelCall) -> bool:
        """Whether a call of `calls` is executed; the output of another is part of its input."""
        return self.plan.part(call.layer.output) is None

    @property
    def operators(self) -> int:
        """Number of operators that the layers compute."""
        return len({index for call in self.calls for index in call.layer.operators})

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, biases, requantization and other tables."""
        calls = (*self.calls, *(self.stream.calls if self.stream else ()))
        arrays = {(each.ctype, each.values): each.bytes for call in calls for each in call.arrays}
        return sum(arrays.values())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(call.layer.macs for call in self.calls)

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels' files, headers included, sorted."""
        names = {source for call in self.calls if self.runs(call) for source in call.sources}
        if self.stream:
            names |= self.stream.sources
        return tuple(sorted({"eb_kernels.h", *names}))

    @property
    def kernel_sources(self) -> tuple[str, ...]:
        """Names of the kernels' C files."""
        return tuple(name for name in self.kernels if name.endswith(".c"))
