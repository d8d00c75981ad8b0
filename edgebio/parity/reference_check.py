"""A quick proof of a compiled network: a few inputs through tflite-micro and the generated C."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgebio import compiler
from edgebio.compiler.host_model import HostModel
from edgebio.errors import CheckFailedError, EdgebioError
from edgebio.parity.network_rungs import trace_layers
from edgebio.parity.reference_interpreter import ReferenceInterpreter

INPUTS = 8


@dataclass(frozen=True)
class ReferenceCheck:
    """Result of `check_against_reference`.

    Attributes
    ----------
    inputs, differing
        Inputs compared, and bytes of their outputs that differ.
    reason
        Why nothing was compared; empty otherwise.
    """

    inputs: int
    differing: int
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"not checked: {self.reason}"
        return f"checked: {self.inputs} inputs, {self.differing} bytes differ"


def check_against_reference(
    model: Path, isa: compiler.KernelSet = "portable", goal: compiler.Goal = compiler.SPEED
) -> ReferenceCheck:
    """Run random inputs, the same each time, through tflite-micro and the C of a kernel set.

    A network with a state gets them in order, in both. The C is that of the firmware, compiled for
    this machine.

    Raises
    ------
    CheckFailedError
        If a byte differs; names the first layer.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        return ReferenceCheck(0, 0, 'tflite-micro is not installed: pip install "edgebio[verify]"')
    host = HostModel(model, isa, goal)
    lasting = bool(host.program.plan.states)
    inputs = host.inputs.pack(host.inputs.random(INPUTS))
    measured = host.run_packed(inputs)
    try:
        reference = ReferenceInterpreter(model)
        expected = reference.run_packed(inputs, lasting=lasting)
    except (EdgebioError, RuntimeError, ValueError) as error:
        return ReferenceCheck(0, 0, f"tflite-micro cannot run it: {str(error).splitlines()[0]}")
    different = expected != measured
    if different.any():
        index = int(np.argmax(different.any(axis=1)))
        parts = trace_layers(host, reference, inputs[: index + 1])
        layer = next((part.name for part in parts if part.differing), "the last layer")
        raise CheckFailedError(
            f"{model}: the generated C differs from tflite-micro in {int(different.sum())} bytes "
            f"of {INPUTS} outputs, first in {layer}: do not flash it, and report the model; "
            "--no-check builds all the same"
        )
    return ReferenceCheck(len(inputs), 0)
