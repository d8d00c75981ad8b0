"""ninapro-db5: hand and wrist movements of 10 people, two Myo armbands, sixteen channels, 200 Hz.

S. Pizzolato et al., PLoS ONE 12(10):e0186132, 2017, doi 10.1371/journal.pone.0186132. Free of
charge after registration with the publisher.

Files are ``S<person>_E<1-3>_A1.mat``, see `ninapro`; ``emg`` in counts of the armbands' 8-bit
converters, the upper one's eight channels first.
"""

from edgebio.recordings.datasets.dataset import DataSet
from edgebio.recordings.datasets.ninapro import Database, classes

_MOVEMENTS = (12, 17, 23)

DATABASE = Database(
    described=DataSet(
        name="ninapro-db5",
        title="Ninapro DB5: forearm EMG, 52 movements, 10 people, two Myo armbands",
        licence="the publisher's terms, after registration",
        citation="Pizzolato et al., PLoS ONE 12(10):e0186132, 2017",
        rate=200.0,
        channels=16,
        units="counts of the armband's 8-bit converter",
        classes=classes(_MOVEMENTS),
        sessions=("1",),
        page="https://ninapro.hevs.ch/instructions/DB5.html",
    ),
    movements=_MOVEMENTS,
    lsb=1.0,
    channels=(16,),
)
DATASET, subjects, load = DATABASE.described, DATABASE.subjects, DATABASE.load
