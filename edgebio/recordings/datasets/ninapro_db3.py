"""ninapro-db3: hand and wrist movements of 11 people without a hand, twelve channels, 2 kHz.

M. Atzori et al., Sci. Data 1:140053, 2014, doi 10.1038/sdata.2014.53. Free of charge after
registration with the publisher.

Files are ``S<person>_E<1-3>_A1.mat`` (``S<person>_A1_E<1-3>.mat`` in its own notes), see `ninapro`;
``emg`` in volts (Delsys Trigno).

Quirks
------
- The forearm of people 6 and 7 had room for ten electrodes only (as the notes with the files say):
  they are left out unless named.
- 1, 3 and 10 did not do all movements.
"""

from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.datasets.ninapro import Database, classes

_MOVEMENTS = (17, 23, 9)

DATABASE = Database(
    described=DataSet(
        name="ninapro-db3",
        title="Ninapro DB3: forearm EMG, 49 movements, 11 amputees",
        licence="the publisher's terms, after registration",
        citation="Atzori et al., Sci. Data 1:140053, 2014",
        rate=2000.0,
        channels=12,
        units="0.5 uV",
        classes=classes(_MOVEMENTS),
        sessions=("1",),
        page="https://ninapro.hevs.ch/instructions/DB3.html",
        left_out={"6": "has ten channels", "7": "has ten channels"},
    ),
    movements=_MOVEMENTS,
    lsb=5e-7,
    channels=(12, 10),
)
DATASET, subjects, load = DATABASE.described, DATABASE.subjects, DATABASE.load
