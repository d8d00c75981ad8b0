"""A .tflite to C: read -> verify -> lower -> simplify -> choose kernels -> plan memory -> emit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebio import storage, tflite
from edgebio.compiler import emit
from edgebio.compiler.choose import choose
from edgebio.compiler.explain import describe_program
from edgebio.compiler.goal import SPEED, Goal, Optimize
from edgebio.compiler.lower import lower
from edgebio.compiler.plan import plan
from edgebio.compiler.program import Program
from edgebio.compiler.simplify import simplify
from edgebio.compiler.step import CORES, Core
from edgebio.compiler.verify import verify
from edgebio.errors import EdgebioError

__all__ = [
    "CORES",
    "SPEED",
    "Core",
    "Generated",
    "Goal",
    "Optimize",
    "Program",
    "compile_model",
    "explain",
    "generate",
]


@dataclass(frozen=True, eq=False)
class Generated:
    """C of a network in a folder.

    Attributes
    ----------
    program : Program
        What was decided.
    sources : list of Path
        C files to compile.
    include : list of Path
        Folders of their headers.
    """

    program: Program
    sources: list[Path]
    include: list[Path]

    def document(self) -> dict[str, Any]:
        """Give the sizes, the layers and the memory plan as a JSON document."""
        program = self.program
        network = program.network
        return {
            "sha256": network.sha256,
            "input_bytes": network.bytes(network.input),
            "output_bytes": network.bytes(network.output),
            "state_bytes": program.plan.total,
            "constant_bytes": program.constant_bytes,
            "macs": program.macs,
            "layers": [
                {
                    "index": index,
                    "operator": step.layer.kind,
                    "description": emit.describe(network, step),
                    "operators": list(step.layer.operators),
                    "kernel": step.function,
                    "core": step.core,
                    "macs": step.layer.macs,
                    "constant_bytes": step.constant_bytes,
                    "scratch_bytes": step.scratch,
                }
                for index, step in enumerate(program.steps)
            ],
            "plan": program.plan.document(),
        }


def compile_model(
    model: tflite.Graph | Path | str | bytes, core: Core = "portable", goal: Goal = SPEED
) -> Program:
    """Compile a .tflite.

    Parameters
    ----------
    model
        A graph, a path, or the file's bytes.
    core
        Instruction set that kernels may use.
    goal
        What to choose kernels for.

    Raises
    ------
    EdgebioError
        Where the file cannot be read or compiled, or the goal not be met; the text names the
        operator and the reason.
    """
    graph = model if isinstance(model, tflite.Graph) else tflite.read(model)
    try:
        verify(graph)
        network = simplify(lower(graph))
    except EdgebioError as error:
        if isinstance(model, Path | str):
            raise EdgebioError(f"{model}: {error}") from None
        raise
    steps = choose(network, core, goal)
    memory = plan(network, steps)
    if goal.state is not None and memory.total > goal.state:
        raise EdgebioError(
            f"no plan fits: activations and scratch take at least {memory.total:,} bytes of RAM, "
            f"and {max(goal.state, 0):,} are left for them"
        )
    return Program(network, steps, memory)


def generate(
    model: tflite.Graph | Path | str | bytes,
    folder: Path,
    core: Core = "portable",
    goal: Goal = SPEED,
) -> Generated:
    """Compile a .tflite and write its C into `folder`: model.h, model.c and the kernels used.

    Parameters
    ----------
    model
        A graph, a path, or the file's bytes.
    folder
        Where the files go; made where missing.
    core
        Instruction set that kernels may use.
    goal
        What to choose kernels for.

    Raises
    ------
    EdgebioError
        Where the model cannot be read or compiled, or the goal not be met.
    """
    program = compile_model(model, core, goal)
    kernels = storage.assets("firmware_assets") / "kernels"
    for name, text in program.texts().items():
        storage.write_text(folder / name, text)
    for name in program.kernels:
        storage.write_bytes(folder / name, (kernels / name).read_bytes())
    return Generated(
        program=program,
        sources=[folder / name for name in ("model.c", *program.kernel_sources)],
        include=[folder],
    )


def explain(compiled: Program | Generated) -> str:
    """Tell what was decided: layers, what was fused, kernels, and the memory plan."""
    return describe_program(compiled if isinstance(compiled, Program) else compiled.program)
