"""A .tflite to C: read -> verify -> lower -> simplify -> choose kernels -> plan memory -> emit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebio import storage, tflite
from edgebio.compiler import emit, packages
from edgebio.compiler.choose import choose
from edgebio.compiler.explain import describe_program, describe_stages
from edgebio.compiler.goal import SPEED, Goal, Optimize
from edgebio.compiler.lower import lower
from edgebio.compiler.memory_chart import plan_chart
from edgebio.compiler.packages import PACKAGES, Package
from edgebio.compiler.plan import plan
from edgebio.compiler.program import Program
from edgebio.compiler.simplify import simplify
from edgebio.compiler.step import CORES, Core
from edgebio.compiler.verify import verify
from edgebio.errors import EdgebioError

__all__ = [
    "CORES",
    "PACKAGES",
    "SPEED",
    "Core",
    "Generated",
    "Goal",
    "Optimize",
    "Package",
    "Program",
    "compile_model",
    "explain",
    "generate",
    "package",
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
    return _compile(model, _graph(model), core, goal)


def _graph(model: tflite.Graph | Path | str | bytes) -> tflite.Graph:
    return model if isinstance(model, tflite.Graph) else tflite.read(model)


def _compile(
    model: tflite.Graph | Path | str | bytes, graph: tflite.Graph, core: Core, goal: Goal
) -> Program:
    """Compile `graph`; errors name `model` where it is a path."""
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

    With them go a CMakeLists.txt, the memory plan as plan.svg and plan.json, and explain.txt, which
    tells what was decided.

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
    graph = _graph(model)
    return _write(graph, _compile(model, graph, core, goal), folder)


def package(
    model: tflite.Graph | Path | str | bytes,
    kind: Package,
    folder: Path,
    core: Core = "portable",
    goal: Goal = SPEED,
) -> Generated:
    """Compile a .tflite and write it as a library for a build system.

    Parameters
    ----------
    model
        A graph, a path, or the file's bytes.
    kind
        Which layout.
    folder
        Where it goes; made where missing.
    core
        Instruction set that kernels may use.
    goal
        What to choose kernels for.

    Raises
    ------
    EdgebioError
        Where the model cannot be read or compiled, or the goal not be met.
    """
    graph = _graph(model)
    program = _compile(model, graph, core, goal)
    inside, files = packages.layout(kind, program)
    generated = _write(graph, program, folder / inside)
    if inside:  # the layout builds by its own means
        (folder / inside / "CMakeLists.txt").unlink()
    for name, text in files.items():
        storage.write_text(folder / name, text)
    return generated


def _write(graph: tflite.Graph, program: Program, folder: Path) -> Generated:
    """Write the C, a CMakeLists.txt, the plan as picture and JSON, and what was decided."""
    kernels = storage.assets("firmware_assets") / "kernels"
    for name, text in program.texts().items():
        storage.write_text(folder / name, text)
    for name in program.kernels:
        storage.write_bytes(folder / name, (kernels / name).read_bytes())
    storage.write_text(folder / "CMakeLists.txt", packages.cmake(program))
    plan_chart(program).save(folder / "plan.svg")
    storage.write_json(folder / "plan.json", program.plan.document())
    storage.write_text(folder / "explain.txt", describe_stages(graph, program) + "\n")
    return Generated(
        program=program,
        sources=[folder / name for name in ("model.c", *program.kernel_sources)],
        include=[folder],
    )


def explain(compiled: Program | Generated, graph: tflite.Graph | None = None) -> str:
    """Tell what was decided, stage by stage.

    Parameters
    ----------
    compiled
        A compiled network.
    graph
        What it was compiled from; with it, what was read and verified is told too.
    """
    program = compiled if isinstance(compiled, Program) else compiled.program
    return describe_program(program) if graph is None else describe_stages(graph, program)
