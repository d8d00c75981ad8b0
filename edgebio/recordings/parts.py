"""Where one repetition ends and the next begins, in a recording that runs on."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.integer]


def cut(movements: Samples, repetitions: Samples) -> list[tuple[int, int, int]]:
    """Cut a recording where a repetition of a movement begins.

    A part runs to where the next begins, with the rest that follows the movement; what comes before
    the first movement goes with it. So a split over parts has movements and their rests on one
    side.

    Parameters
    ----------
    movements
        Whole numbers, shape (n,): of every sample, 0 or less for none.
    repetitions
        Whole numbers, shape (n,): which repetition of the movement.

    Returns
    -------
    list of (int, int, int)
        First sample of a part, one past its last, and the sample in it that begins the movement.
    """
    changed = np.concatenate(
        [[True], (movements[1:] != movements[:-1]) | (repetitions[1:] != repetitions[:-1])]
    )
    begins = np.flatnonzero((movements > 0) & changed).tolist()
    if not begins:
        return []
    return list(zip([0, *begins[1:]], [*begins[1:], len(movements)], begins, strict=True))


def occurrences(movements: Samples) -> npt.NDArray[np.int64]:
    """Number, from 0, the stretches of each movement.

    Parameters
    ----------
    movements
        Whole numbers, shape (n,).

    Returns
    -------
    ndarray
        int64, shape (n,): how often the movement of a sample was there before, with another one or
        none in between.
    """
    numbers = np.zeros(len(movements), np.int64)
    for movement in np.unique(movements):
        mine = movements == movement
        begins = mine & ~np.concatenate([[False], mine[:-1]])
        numbers[mine] = np.cumsum(begins)[mine] - 1
    return numbers
