"""Fit memory: give up fast kernels whose scratch does not fit the RAM."""

from collections.abc import Sequence

from edgebio.compiler.ir.kernel_call import KernelCall
from edgebio.compiler.ir.network import Network
from edgebio.compiler.passes.plan_memory import plan_memory


def fit_memory(
    network: Network, calls: Sequence[KernelCall], state: int | None
) -> tuple[KernelCall, ...]:
    """Replace calls by their forms with less scratch until all buffers fit `state` bytes.

    Those with the most scratch are replaced first. The result may still not fit.
    """
    chosen = list(calls)
    while state is not None and plan_memory(network, chosen).total > state:
        forms = {
            index: form
            for index, call in enumerate(chosen)
            if call.smaller and (form := call.smaller()).scratch < call.scratch
        }
        if not forms:
            break
        most = max(forms, key=lambda index: chosen[index].scratch)
        chosen[most] = forms[most]
    return tuple(chosen)
