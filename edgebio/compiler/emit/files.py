"""Write a program into a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebio import storage
from edgebio.compiler.emit.c_source import c_files
from edgebio.compiler.emit.describe import describe_call
from edgebio.compiler.emit.explain import explain
from edgebio.compiler.emit.memory_chart import plan_chart
from edgebio.compiler.ir.program import Program
from edgebio.tflite.edges import Edge, inputs_of, outputs_of


@dataclass(frozen=True, eq=False)
class Generated:
    """C of a program in a folder: the files to compile, and the folders of their headers."""

    program: Program
    sources: list[Path]
    include: list[Path]

    def document(self) -> dict[str, Any]:
        """Sizes, layers and memory plan as a JSON document."""
        program = self.program
        return {
            "sha256": program.network.sha256,
            "input_bytes": inputs_of(program.graph).bytes,
            "output_bytes": outputs_of(program.graph).bytes,
            "inputs": [_edge_document(each) for each in inputs_of(program.graph).tensors],
            "outputs": [_edge_document(each) for each in outputs_of(program.graph).tensors],
            "state_bytes": program.plan.total,
            "kept_bytes": program.plan.states,
            "constant_bytes": program.constant_bytes,
            "macs": program.macs,
            "layers": [
                {
                    "index": index,
                    "operator": call.layer.kind,
                    "description": describe_call(program, call),
                    "operators": list(call.layer.operators),
                    "kernel": call.function,
                    "core": call.isa,
                    "macs": call.layer.macs,
                    "constant_bytes": call.constant_bytes,
                    "scratch_bytes": call.scratch,
                }
                for index, call in enumerate(program.calls)
            ],
            "plan": program.plan.document(),
        }


def _edge_document(edge: Edge) -> dict[str, Any]:
    return {"name": edge.name, "dtype": edge.tensor.dtype, "shape": list(edge.shape)}


def write_files(program: Program, folder: Path) -> Generated:
    """Write model.h, model.c and the kernels in use, with what was decided beside them."""
    for name, text in c_files(program).items():
        storage.write_text(folder / name, text)
    for name in program.kernels:
        kernel = storage.assets("firmware_assets") / "kernels" / name
        storage.write_bytes(folder / name, kernel.read_bytes())
    write_explanation(program, folder)
    names = ["model.c", *program.kernel_sources]
    return Generated(program, [folder / name for name in names], [folder])


def write_explanation(program: Program, folder: Path) -> None:
    """Write what was decided, as explain.txt, and the memory plan, as plan.svg and plan.json."""
    storage.write_text(folder / "explain.txt", explain(program) + "\n")
    plan_chart(program).save(folder / "plan.svg")
    storage.write_json(folder / "plan.json", program.plan.document())
