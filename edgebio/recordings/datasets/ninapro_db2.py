"""ninapro-db2: hand and wrist movements of 40 people, twelve channels, 2 kHz.

M. Atzori et al., Sci. Data 1:140053, 2014, doi 10.1038/sdata.2014.53. Free of charge after
registration with the publisher.

Files are ``S<person>_E<1-3>_A1.mat``, see `ninapro`; ``emg`` in volts (Delsys Trigno). Exercise 3
is force patterns of the fingers.
"""

from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.datasets.ninapro import Database, classes

_MOVEMENTS = (17, 23, 9)

DATABASE = Database(
    described=DataSet(
        name="ninapro-db2",
        title="Ninapro DB2: forearm EMG, 49 movements, 40 people",
        licence="the publisher's terms, after registration",
        citation="Atzori et al., Sci. Data 1:140053, 2014",
        rate=2000.0,
        channels=12,
        units="0.5 uV",
        classes=classes(_MOVEMENTS),
        sessions=("1",),
        page="https://ninapro.hevs.ch/instructions/DB2.html",
    ),
    movements=_MOVEMENTS,
    lsb=5e-7,
    channels=(12,),
)
DATASET, subjects, load = DATABASE.described, DATABASE.subjects, DATABASE.load
