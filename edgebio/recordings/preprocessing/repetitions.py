"""Repetitions in a continuous recording: where one ends and the next begins."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.integer]


def split_at_repetitions(movements: Numbers, repetitions: Numbers) -> list[tuple[int, int, int]]:
    """Split a recording where a repetition of a movement begins.

    A part reaches to the start of the next one, with the rest that follows the movement; what comes
    before the first movement belongs to it. So a split over parts keeps a movement and its rest
    together. Both arrays are whole numbers of shape (n,); a movement of 0 or less is none.

    Returns
    -------
    list of (int, int, int)
        First sample of a part, one past its last, and the first sample of the movement.
    """
    changed = np.concatenate(
        [[True], (movements[1:] != movements[:-1]) | (repetitions[1:] != repetitions[:-1])]
    )
    begins = np.flatnonzero((movements > 0) & changed).tolist()
    if not begins:
        return []
    return list(zip([0, *begins[1:]], [*begins[1:], len(movements)], begins, strict=True))


def count_occurrences(movements: Numbers) -> npt.NDArray[np.int64]:
    """Number the stretches of each movement from 0: int64, shape (n,)."""
    numbers = np.zeros(len(movements), np.int64)
    for movement in np.unique(movements):
        own = movements == movement
        begins = own & ~np.concatenate([[False], own[:-1]])
        numbers[own] = np.cumsum(begins)[own] - 1
    return numbers
