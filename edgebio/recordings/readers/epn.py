"""EPN-612: hand gestures by a Myo armband, one JSON file per person.

Format: https://laboratorio-ia.epn.edu.ec (data set EMG-EPN-612): ``trainingSamples`` and
``testingSamples`` hold trials, each with a ``gestureName`` and an ``emg`` of eight lists ``ch1`` to
``ch8``, in counts of the armband at 200 Hz.
"""

import json
from pathlib import Path

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table, categorize

_MAX_BYTES = 256 << 20
_RATE = 200.0


def read_epn_table(path: Path, options: ImportOptions) -> Table:
    """Read the trials of a person, one after the other; each is a repetition of its gesture."""
    options.check_supported(path, "an EPN-612 file", {"columns"})
    check_file(path, _MAX_BYTES, "JSON file")
    with refuse_damage(path, "not JSON, or cut"):
        content = json.loads(path.read_bytes())
    parts, labels, trials = [], [], []
    with refuse_damage(path, "not a file of EPN-612: expected trainingSamples, gestureName, emg"):
        groups = [content[key] for key in ("trainingSamples", "testingSamples") if key in content]
        for trial in [trial for group in groups for trial in group.values()]:
            channels = [trial["emg"][f"ch{k}"] for k in range(1, 9)]
            values = np.array(channels, np.float64).T
            parts.append(values)
            labels += [str(trial.get("gestureName", ""))] * len(values)
            trials.append(len(values))
        subject = str(content["userInfo"]["name"]) if "userInfo" in content else path.stem
    if not parts:
        raise EdgebioError(f"{path}: no trials: expected trainingSamples, as in EPN-612")
    repetitions, seen = [], dict[str, int]()
    starts = np.cumsum([0, *trials[:-1]])
    for start, count in zip(starts.tolist(), trials, strict=True):
        label = labels[start]
        repetitions += [str(seen.get(label, 0))] * count
        seen[label] = seen.get(label, 0) + 1
    return Table(
        path=path,
        values=np.concatenate(parts),
        locate=lambda row, column: f"{path}: sample {row}, channel {column + 1}",
        metadata={
            "labels": categorize(labels),
            "repetition": categorize(repetitions),
            "subject": categorize([subject] * len(labels)),
        },
        rate=_RATE,
        units="counts",
    )
