"""ecg-ptb-sample: the one record of PTB that travels with the package wfdb; see `ecg_ptb`.

One person and one class: enough to try a reader, useless to train on.
"""

from dataclasses import replace

from edgebio.datasets import ecg_ptb
from edgebio.datasets.ecg_ptb import load, subjects

__all__ = ["DATASET", "load", "subjects"]

DATASET = replace(
    ecg_ptb.DATASET,
    name="ecg-ptb-sample",
    title="one record of the PTB Diagnostic ECG Database, of the format's maintainers",
    page="https://github.com/MIT-LCP/wfdb-python",
)
