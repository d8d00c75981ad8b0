"""ninapro-db1: hand and wrist movements of 27 people, ten channels of rectified EMG, 100 Hz.

M. Atzori et al., Sci. Data 1:140053, 2014, doi 10.1038/sdata.2014.53. Free of charge after
registration with the publisher.

Files are ``S<person>_A1_E<1-3>.mat``, see `ninapro`. ``emg`` is what the electrodes (Otto Bock
13E200) give: RMS in volts, rectified and smoothed by their own circuit. Its band ends at 5 Hz: an
STFT of it sees nothing of the EMG's own spectrum.
"""

from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.datasets.ninapro import Database, classes

_MOVEMENTS = (12, 17, 23)

DATABASE = Database(
    described=DataSet(
        name="ninapro-db1",
        title="Ninapro DB1: forearm EMG, 52 movements, 27 people, rectified EMG",
        licence="the publisher's terms, after registration",
        citation="Atzori et al., Sci. Data 1:140053, 2014",
        rate=100.0,
        channels=10,
        units="5/32767 V",
        classes=classes(_MOVEMENTS),
        sessions=("1",),
        page="https://ninapro.hevs.ch/instructions/DB1.html",
    ),
    movements=_MOVEMENTS,
    lsb=5 / 32767,
    channels=(10,),
)
DATASET, subjects, load = DATABASE.described, DATABASE.subjects, DATABASE.load
