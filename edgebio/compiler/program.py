"""A compiled network: the layers, the kernel of each, and where everything lies."""

from dataclasses import dataclass

from edgebio.compiler import emit
from edgebio.compiler.network import Network
from edgebio.compiler.plan import Plan
from edgebio.compiler.step import Step


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled network, before it is written as C.

    Attributes
    ----------
    network : Network
    steps : tuple of Step
        The layers in order, each with its kernel.
    plan : Plan
        Where every buffer lies.
    """

    network: Network
    steps: tuple[Step, ...]
    plan: Plan

    @property
    def operators(self) -> int:
        """Operators that the layers compute together."""
        return len({index for step in self.steps for index in step.layer.operators})

    @property
    def constant_bytes(self) -> int:
        """Flash of weights, biases, requantization and other tables."""
        return sum(step.constant_bytes for step in self.steps)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(step.layer.macs for step in self.steps)

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels' files, headers included, sorted."""
        names = {source for step in self.steps for source in step.sources}
        return tuple(sorted({"eb_kernels.h", *names}))

    @property
    def kernel_sources(self) -> tuple[str, ...]:
        """Those of them that are compiled."""
        return tuple(name for name in self.kernels if name.endswith(".c"))

    def texts(self) -> dict[str, str]:
        """Give the generated files by name."""
        parts = self.network, self.steps, self.plan
        return {"model.h": emit.header(*parts), "model.c": emit.source(*parts)}
