"""What a quantized model takes and gives, and how far it agrees with the float model."""

from typing import Any

from edgebio.section import Section


class InputReport(Section):
    """Input: real = scale * (q - zero_point); lowest and highest value of the representative set.

    `shape` is without the batch.
    """

    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    lowest: float
    highest: float


class OutputReport(Section):
    """Output, and its agreement with the float model over the compared inputs.

    `snr_db` is the power of the float values over that of the difference, None without one;
    `worst` the largest difference; `same_largest` the share of inputs for which the same value is
    the largest, None of an output that is no vector.
    """

    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    snr_db: float | None
    worst: float
    same_largest: float | None


class ModelReport(Section):
    """What was quantized, and how well.

    `samples` is the size of the representative set, of which `compared` inputs were run through
    both networks, spread over it. `bytes` has ``float`` and ``int8``. `layers` is that of
    `edgebio.quantization.layer_report.compare_layers`; empty where the converter changed the
    operators.
    """

    samples: int
    compared: int
    inputs: tuple[InputReport, ...]
    outputs: tuple[OutputReport, ...]
    layers: list[dict[str, Any]]
    bytes: dict[str, int]
