"""emg-amputee-grips6: forearm EMG of six grips at three levels of force, nine amputees, 2000 Hz.

A. H. Al-Timemy, R. N. Khushaba, G. Bugmann, J. Escudero, IEEE TNSRE 24(6):650-661, 2016, doi
10.1109/TNSRE.2015.2445634: nine transradial amputees. Distributed by R. N. Khushaba, who asks to
cite the paper; no license is stated.

Files are ``A<subject 1-9>_<grip>_<level>_t<trial>.mat``, in any folders, each with one matrix
``t<trial>``, a row per sample. Grips are Th (thumb flexion), Ind (index flexion), ThInd (fine
pinch), ThIndMid (tripod), LRMI (hook: little, ring, middle, index) and Ball (spherical); levels are
low, med and high. This layout rests on public code of users of the set and on the paper; it was not
verified on a published file. A label holds for its whole file. The level is the recording's
condition, a trial a repetition, and there is one session.

Quirks
------
- The publisher names 8 channels; code that reads subject 6 finds 12. The first 8 are used.
- Numbers are taken as volts after the amplifier within +-5, 16 bits; files whose numbers stay below
  ten such steps are refused, as they cannot be that.
- Names are written in upper and lower case.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgebio.datasets.dataset import DataSet, by_file_name
from edgebio.errors import EdgebioError
from edgebio.recordings.counts import scale_to_counts
from edgebio.recordings.readers import mat
from edgebio.recordings.recording import Recording

_LSB = 5 / 32768
_CHANNELS = 8
_GRIPS = ("th", "ind", "thind", "thindmid", "lrmi", "ball")
_FILE = re.compile(r"a([1-9])_([a-z]+)_(low|med|high)_t([1-9][0-9]?)\.mat")

DATASET = DataSet(
    name="emg-amputee-grips6",
    title="forearm EMG of 9 transradial amputees, 6 grips at 3 levels of force",
    license="none stated; its publisher asks to cite the paper",
    citation="Al-Timemy et al., IEEE TNSRE 24(6):650-661, 2016, doi 10.1109/TNSRE.2015.2445634",
    rate=2000.0,
    channels=_CHANNELS,
    units="5/32768 V after the amplifier",
    classes=("thumb flexion", "index flexion", "fine pinch", "tripod", "hook", "spherical"),
    page="https://www.rami-khushaba.com/biosignals-repository",
)


def list_subjects(folder: Path) -> list[str]:
    """Names of the subjects in `folder`."""
    matches = (_FILE.fullmatch(path.name.lower()) for path in folder.rglob("*.mat"))
    return list({match[1] for match in matches if match})


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Read the trials of one subject."""
    for lower, path in by_file_name(folder.rglob(f"[aA]{subject}_*.mat")).items():
        match = _FILE.fullmatch(lower)
        if not match or match[2] not in _GRIPS:
            raise EdgebioError(
                f"{path}: expected a name like A{subject}_ThInd_low_t1.mat; grips are Th, Ind, "
                "ThInd, ThIndMid, LRMI and Ball, levels low, med and high"
            )
        name = f"t{match[4]}"
        volts = mat.read_matrices(path, {name: tuple(range(_CHANNELS, 17))})[name][:, :_CHANNELS]
        counts = scale_to_counts(volts, _LSB, mat.matrix_locator(path, name))
        if not np.abs(volts).max(initial=0) >= 10 * _LSB:
            raise EdgebioError(
                f"{path}: {name} stays below {10 * _LSB:.2g}; expected volts after the amplifier: "
                "otherwise give `edgebio data import` the step by --lsb"
            )
        yield DATASET.recording(
            counts,
            _GRIPS.index(match[2]),
            path,
            subject=subject,
            repetition=int(match[4]) - 1,
            condition=match[3],
        )
