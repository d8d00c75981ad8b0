"""Numbers of UNIDIRECTIONAL_SEQUENCE_LSTM: which input is which, and the scales inside.

tflite-micro's integer LSTM (micro/kernels/lstm_eval_common.cc) brings every gate's sum to Q3.12
and every gate's answer to Q0.15, in int16; the cell state is int16 with a power of two as scale.
"""

import math
from typing import Final

import numpy as np

GATES: Final = ("input", "forget", "cell", "output")
"""In the order of its inputs: weights from 1 on, recurrent weights from 5, biases from 12."""

HIDDEN, CELL = 18, 19
"""Positions of its states among the inputs."""

POWERS: Final = range(-15, 1)
"""Exponents of the cell state's scale that are supported."""

_SUM, _ANSWER = 2.0**-12, 2.0**-15


def power_of_two(scale: np.float32) -> int | None:
    """Exponent of a scale; None where it is no power of two in `POWERS`."""
    fraction, exponent = math.frexp(float(scale))
    return exponent - 1 if fraction == 0.5 and exponent - 1 in POWERS else None


def gate_factor(source: np.float32, weights: np.float32) -> float:
    """From the products of a gate to its sum's scale."""
    return float(source) * float(weights) / _SUM


def hidden_factor(hidden: np.float32) -> float:
    """From the product of two answers to the hidden state."""
    return _ANSWER * _ANSWER / float(hidden)


def forget_factor() -> float:
    """From the product of an answer and the cell state to the cell state."""
    return _ANSWER


def cell_factor(power: int) -> float:
    """From the product of two answers to the cell state."""
    return _ANSWER * _ANSWER / 2.0**power
