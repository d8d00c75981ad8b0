"""A protocol as scikit-learn's ``cv``: folds of recordings, as rows of segments or features."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.protocols.fold import Recordings
from edgebio.protocols.registry import split
from edgebio.recordings.recording import Recording

Indices = npt.NDArray[np.intp]


class ProtocolSplitter:
    """Cross-validator for ``cross_val_score(model, X, y, groups=groups, cv=splitter)``.

    Recordings are divided, never segments: overlapping segments in both sets would make any result
    look good. Models are fitted in one stage (see `edgebio.protocols.Fold.one_stage_train`). Rows
    of recordings that a fold does not use are in neither of its sets.

    Parameters
    ----------
    protocol
        A name of `edgebio.protocols.names`.
    recordings
        Recordings that the rows come from.
    """

    def __init__(self, protocol: str, recordings: Sequence[Recording]) -> None:
        self.protocol = protocol
        self.recordings = tuple(recordings)
        self.folds = split(protocol, recordings)

    def __repr__(self) -> str:
        return f"ProtocolSplitter({self.protocol!r}, <{len(self.recordings)} recordings>)"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds; the arguments are not used."""
        return len(self.folds)

    def split(
        self, X: Any, y: Any = None, groups: npt.ArrayLike | None = None
    ) -> Iterator[tuple[Indices, Indices]]:
        """Yield the row numbers of the training and of the test set of each fold.

        Parameters
        ----------
        X, y
            Segments or features, shape (n, ...), of which only the number is used; labels, unused.
        groups
            Integers, shape (n,): for each row the index of its recording in `recordings`.

        Raises
        ------
        EdgebioError
            Where `groups` does not fit, or a set has no row.
        """
        rows = self._rows(len(X), groups)
        for fold in self.folds:
            train, test = (_joined(rows, part) for part in (fold.one_stage_train, fold.test))
            for name, indices in (("training", train), ("test", test)):
                if not len(indices):
                    raise EdgebioError(f"fold {fold.name!r}: no row of X is in the {name} set")
            yield train, test

    def _rows(self, count: int, groups: npt.ArrayLike | None) -> dict[Recording, Indices]:
        """Row numbers of each recording."""
        if groups is None:
            raise EdgebioError(
                f"{self.protocol} needs groups=: for each row the index of its recording"
            )
        numbers = np.asarray(groups)
        if numbers.shape != (count,) or not np.issubdtype(numbers.dtype, np.integer):
            raise EdgebioError(
                f"groups must be {count} integers, one for each row of X, not {numbers.dtype} of "
                f"shape {numbers.shape}"
            )
        if count and not 0 <= numbers.min() <= numbers.max() < len(self.recordings):
            raise EdgebioError(
                f"groups must index {len(self.recordings)} recordings, but go from "
                f"{numbers.min()} to {numbers.max()}"
            )
        return {r: np.flatnonzero(numbers == k) for k, r in enumerate(self.recordings)}


def _joined(rows: dict[Recording, Indices], recordings: Recordings) -> Indices:
    return np.concatenate([rows[r] for r in recordings])
