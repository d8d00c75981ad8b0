"""Compile a .tflite to C: read, resolve, verify, lower, fuse, schedule, plan memory, emit."""

from pathlib import Path

from edgebio import tflite
from edgebio.compiler.emit.c_source import c_files
from edgebio.compiler.emit.describe import describe_call
from edgebio.compiler.emit.explain import explain
from edgebio.compiler.emit.files import Generated, write_explanation, write_files
from edgebio.compiler.ir.kernel_call import KERNEL_SETS, KernelSet
from edgebio.compiler.ir.program import Program
from edgebio.compiler.passes.constant_channels import remove_constant_channels
from edgebio.compiler.passes.dilation import merge_dilations
from edgebio.compiler.passes.fit_memory import fit_memory
from edgebio.compiler.passes.float_tables import tabulate
from edgebio.compiler.passes.fuse import fuse
from edgebio.compiler.passes.lower import lower
from edgebio.compiler.passes.plan_memory import plan_memory
from edgebio.compiler.passes.remedies import with_remedy
from edgebio.compiler.passes.schedule import SPEED, Goal, Optimize, schedule
from edgebio.compiler.passes.small_scales import fit_small_scales
from edgebio.compiler.passes.stream import make_stream
from edgebio.compiler.passes.variables import resolve_variables
from edgebio.compiler.passes.verify import verify
from edgebio.errors import EdgebioError

__all__ = [
    "KERNEL_SETS",
    "SPEED",
    "Generated",
    "Goal",
    "KernelSet",
    "Model",
    "Optimize",
    "Program",
    "c_files",
    "compile_model",
    "describe_call",
    "explain",
    "generate",
    "write_explanation",
]

Model = tflite.Graph | Path | str | bytes
"""A graph, the path of a .tflite, or its bytes."""


def compile_model(
    model: Model, isa: KernelSet = "portable", goal: Goal = SPEED, hop: int | None = None
) -> Program:
    """Compile a .tflite.

    Parameters
    ----------
    model
        A graph, a path, or the file's bytes.
    isa
        Kernel set: which instructions kernels may use.
    goal
        What to choose kernels for.
    hop
        Frames between the beginnings of two windows, for the form that computes only what is new;
        None for the whole window only.

    Raises
    ------
    EdgebioError
        If the file cannot be read or compiled, its windows share nothing, or the goal
        cannot be met; names the operator and the reason.
    """
    graph = model if isinstance(model, tflite.Graph) else tflite.read(model)
    try:
        resolved = merge_dilations(resolve_variables(graph))
        verify(resolved)
        network = fit_small_scales(remove_constant_channels(fuse(tabulate(lower(resolved)))))
    except EdgebioError as error:
        path = model if isinstance(model, Path | str) else None
        reason = with_remedy(str(error), graph, path)
        raise EdgebioError(f"{path}: {reason}" if path else reason) from None
    calls = fit_memory(network, schedule(network, isa, goal), goal.state)
    # The functions of a stream call those of all layers.
    plan = plan_memory(network, calls, with_parts=hop is None)
    if goal.state is not None and plan.total > goal.state:
        raise EdgebioError(
            f"no plan fits: activations and scratch take at least {plan.total:,} bytes of RAM, "
            f"and {max(goal.state, 0):,} are left for them"
        )
    stream = None if hop is None else make_stream(network, calls, isa, hop)
    if stream and goal.state is not None and stream.plan.total > goal.state:
        raise EdgebioError(
            f"no plan fits: the stream takes {stream.plan.total:,} bytes of RAM, "
            f"{stream.state:,} of them for what later windows share, and "
            f"{max(goal.state, 0):,} are left for them"
        )
    return Program(graph, network, calls, plan, stream)


def generate(
    model: Model,
    folder: Path,
    isa: KernelSet = "portable",
    goal: Goal = SPEED,
    hop: int | None = None,
) -> Generated:
    """Compile a .tflite and write its C into `folder`; see `compile_model`."""
    return write_files(compile_model(model, isa, goal, hop), folder)
