"""ninapro-db7: hand and wrist movements of 20 people and 2 without a hand, 12 channels, 2 kHz.

A. Krasoulis et al., J. NeuroEng. Rehabil. 14:71, 2017, doi 10.1186/s12984-017-0284-4. Free of
charge after registration with the publisher.

Files are ``S<person>_E<1-2>_A1.mat``, see `ninapro`; ``emg`` in volts (Delsys Trigno). People 21
and 22 are the amputees.
"""

from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.datasets.ninapro import Database, classes

_MOVEMENTS = (17, 23)

DATABASE = Database(
    described=DataSet(
        name="ninapro-db7",
        title="Ninapro DB7: forearm EMG, 40 movements, 20 people and 2 amputees",
        licence="the publisher's terms, after registration",
        citation="Krasoulis et al., J. NeuroEng. Rehabil. 14:71, 2017",
        rate=2000.0,
        channels=12,
        units="0.5 uV",
        classes=classes(_MOVEMENTS),
        sessions=("1",),
        page="https://ninapro.hevs.ch/instructions/DB7.html",
    ),
    movements=_MOVEMENTS,
    lsb=5e-7,
    channels=(12,),
)
DATASET, subjects, load = DATABASE.described, DATABASE.subjects, DATABASE.load
