"""emg-synthetic: computed forearm EMG, for tests and for a machine without recordings.

Nothing was measured on a person. The signal follows the physiology:

1. A class drives each of ten forearm muscles at a share of its maximum, with the person's own
   habits, the day's force, and a slow tremor of force.
2. Each muscle is a pool of motor units (Fuglevand, Winter, Patla, J. Neurophysiol. 70:2470, 1993):
   thresholds ``RTE_i = exp(i ln(30) / n) / 30``, so that many units are small and recruited early;
   firing rate ``min(8 + 35 (E - RTE_i), 35 - 10 RTE_i)`` per second above the threshold; intervals
   between discharges are normal with a coefficient of variation of 0.2.
3. A unit's action potential starts at its end plate, runs both ways along 160 mm of fiber and
   ends at the tendons. Behind the front the membrane has ``V(s) = 96 s^3 exp(-s) - 90`` mV, s in
   mm (Rosenfalck, Acta Physiol. Scand. suppl. 321, 1969). Its gradient is a line of dipoles; a pole
   at ``z`` along and ``r`` across sees each through ``z / (z^2 + 5 r^2)^1.5`` (an infinite volume
   that conducts 5 times better along the fibers), so that depth weakens and slows it, and all pairs
   see the ends. A bipolar pair subtracts two poles 20 mm apart. Conduction velocity rises with the
   unit's size from 3.5 to 4.5 m/s, its strength over a range of 12.
4. Ten pairs are placed around the forearm. The ring is rotated by the person's habit and again by
   each donning; girth, fat and muscle positions are the person's own.
5. The amplifier adds white noise and 60 Hz mains, and passes 460 Hz; samples are rounded to counts.

Everything follows from `SEED`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.datasets.dataset import DataSet
from edgebio.recordings.recording import Recording

SEED = 1
"""Seed of the data set."""

Array = npt.NDArray[np.float64]

DATASET = DataSet(
    computed=True,
    name="emg-synthetic",
    title="synthetic forearm EMG, 7 hand and wrist gestures: computed, not recorded",
    license="Apache-2.0, as edgebio",
    citation="Fuglevand et al., J. Neurophysiol. 70:2470, 1993; Rosenfalck, Acta Physiol. Scand. "
    "suppl. 321, 1969",
    rate=1000.0,
    channels=10,
    units="synthetic counts",
    classes=(
        "neutral",
        "wrist flexion",
        "wrist extension",
        "power grip",
        "open hand",
        "chuck grip",
        "pinch grip",
    ),
    sessions=("1", "2"),
)

_SUBJECTS = ("1", "2", "3")
_REPETITIONS = 4
_SECONDS = 3.0

# Muscle: angle around the forearm in degrees (0 is radial, counted over the palmar side), depth of
# its center below the skin in mm, and its drive in each class as a share of the maximum.
_MUSCLES = {
    #                                   deg    mm   rest  flex  ext   power open  chuck pinch
    "brachioradialis":                 (350.0, 9.0, (0.03, 0.06, 0.10, 0.12, 0.05, 0.05, 0.03)),
    "flexor carpi radialis":           (55.0, 9.0, (0.03, 0.45, 0.03, 0.15, 0.04, 0.07, 0.06)),
    "palmaris longus":                 (85.0, 8.0, (0.03, 0.35, 0.02, 0.15, 0.08, 0.08, 0.05)),
    "flexor digitorum superficialis":  (110.0, 13.0, (0.03, 0.12, 0.03, 0.45, 0.04, 0.22, 0.12)),
    "flexor digitorum profundus":      (135.0, 18.0, (0.03, 0.08, 0.02, 0.50, 0.03, 0.16, 0.20)),
    "flexor carpi ulnaris":            (155.0, 9.0, (0.03, 0.40, 0.08, 0.18, 0.06, 0.06, 0.04)),
    "extensor carpi ulnaris":          (215.0, 9.0, (0.03, 0.05, 0.40, 0.22, 0.14, 0.07, 0.05)),
    "extensor digitorum":              (255.0, 9.0, (0.04, 0.03, 0.30, 0.12, 0.45, 0.08, 0.06)),
    "extensor pollicis":               (285.0, 15.0, (0.03, 0.03, 0.06, 0.08, 0.35, 0.10, 0.14)),
    "extensor carpi radialis":         (315.0, 10.0, (0.03, 0.03, 0.45, 0.28, 0.18, 0.14, 0.09)),
}  # fmt: skip
_UNITS = 24  # motor units per muscle
_SPREAD = 9.0  # mm, standard deviation of a unit's position in its muscle
_TAPS = 32  # samples of an action potential, 32 ms
_OVERSAMPLING = 4
_DRIVE_RATE = 100  # Hz, of the drive and the firing rates that follow it
_COUNTS = 9000.0  # of one unit of strength; gives the RMS of real armbands, 50 to 500 counts
_RECRUITMENT_RANGE, _STRENGTH_RANGE = 30.0, 12.0


@dataclass(frozen=True)
class _Forearm:
    """What stays the same from one session of a subject to the next."""

    girth: float  # mm, radius of the forearm at the ring
    fat: float  # mm added to every depth
    angles: Array  # (muscles, units) rad
    depths: Array  # (muscles, units) mm
    end_plates: Array  # (muscles, units) mm along the forearm, 0 under the ring
    drive: Array  # (classes, muscles)
    ring_angle: float  # rad


def list_subjects(folder: Path) -> list[str]:
    """Names of the computed subjects."""
    return list(_SUBJECTS)


def read_subject(folder: Path, subject: str) -> Iterator[Recording]:
    """Compute the recordings of one subject; no file is read."""
    yield from generate([subject])


def generate(
    subjects: Sequence[str] = _SUBJECTS,
    repetitions: int = _REPETITIONS,
    seconds: float = _SECONDS,
    seed: int = SEED,
) -> list[Recording]:
    """Compute so many repetitions of each class, session and subject, each of so many seconds.

    A name and a seed make one subject, whatever the other names.
    """
    recordings = []
    for name in subjects:
        letters = list(name.encode())
        forearm = _draw_forearm(np.random.default_rng([seed, 0, *letters]))
        for number, session in enumerate(DATASET.sessions, 1):
            rng = np.random.default_rng([seed, number, *letters])
            angle = forearm.ring_angle + np.deg2rad(rng.normal(0, 5))
            potentials = _action_potentials(forearm, angle) * rng.lognormal(0, 0.08)
            mains = rng.uniform(2, 8, DATASET.channels)
            noise = rng.uniform(6, 10)
            for repetition in range(repetitions):
                for label in range(len(DATASET.classes)):
                    clean = _contraction(rng, forearm.drive[label], potentials, seconds)
                    source = (
                        f"{DATASET.name}: person {name}, session {session}, repetition "
                        f"{repetition}, {DATASET.classes[label]}"
                    )
                    samples = _amplify(rng, clean, mains, noise)
                    recordings.append(
                        DATASET.recording(
                            samples, label, source, subject=name, session=session,
                            repetition=repetition,
                        )
                    )  # fmt: skip
    return recordings


def _draw_forearm(rng: np.random.Generator) -> _Forearm:
    muscles = list(_MUSCLES.values())
    shape = (len(muscles), _UNITS)
    girth, fat = rng.normal(42, 3), rng.uniform(0, 4)
    centers = np.deg2rad([angle for angle, _, _ in muscles] + rng.normal(0, 6, len(muscles)))
    depths = np.array([depth for _, depth, _ in muscles]) + rng.normal(0, 1, len(muscles))
    drive = np.array([shares for _, _, shares in muscles]).T
    return _Forearm(
        girth=girth,
        fat=fat,
        angles=centers[:, None] + rng.normal(0, _SPREAD / girth, shape),
        depths=np.maximum(depths[:, None] + rng.normal(0, _SPREAD / 3, shape), 4.0) + fat,
        end_plates=rng.normal(-35, 6, shape),
        drive=np.clip(drive * rng.lognormal(0, 0.25, drive.shape), 0, 0.8),
        ring_angle=np.deg2rad(rng.uniform(-12, 12)),
    )


def _action_potentials(forearm: _Forearm, ring_angle: float) -> npt.NDArray[np.float32]:
    """Compute what every pair sees of every unit, in counts: (taps, units, channels)."""
    ring = ring_angle + 2 * np.pi * np.arange(DATASET.channels) / DATASET.channels
    angle, depth = forearm.angles.reshape(-1, 1), forearm.depths.reshape(-1, 1)
    inside = np.maximum(forearm.girth - depth, 0)
    across = inside**2 + forearm.girth**2 - 2 * inside * forearm.girth * np.cos(angle - ring)
    size = np.tile(np.arange(_UNITS) / (_UNITS - 1), len(_MUSCLES))
    velocity = 3.5 + size

    rate = DATASET.rate * _OVERSAMPLING
    time = np.arange(_TAPS * _OVERSAMPLING) * 1000 / rate
    along = np.arange(-90.0, 70.0, 0.5)
    end_plate = forearm.end_plates.reshape(-1, 1)
    from_end_plate = along - end_plate
    behind = velocity[:, None, None] * time[:, None] - np.abs(from_end_plate)[:, None, :]
    behind = np.maximum(behind, 0).astype(np.float32)
    signs = np.sign(from_end_plate, dtype=np.float32)[:, None, :]
    dipoles = 96 * behind**2 * (behind - 3) * np.exp(-behind) * signs
    poles = np.stack([along - 10.0, along + 10.0])[:, None, None]  # of a pair, 20 mm apart
    views = poles / (poles**2 + 5 * across[:, :, None]) ** 1.5
    pair = np.matmul(dipoles, (views[0] - views[1]).transpose(0, 2, 1).astype(np.float32))
    spectrum = np.fft.rfft(pair, axis=1)
    frequency = np.fft.rfftfreq(len(time), 1 / rate)
    spectrum *= ((frequency < DATASET.rate / 2) / np.sqrt(1 + (frequency / 460) ** 8))[:, None]
    sampled = np.fft.irfft(spectrum, axis=1)[:, ::_OVERSAMPLING]
    strength = _COUNTS * _STRENGTH_RANGE ** (size - 1)
    return np.ascontiguousarray(
        (strength[:, None, None] * sampled).transpose(1, 0, 2), dtype=np.float32
    )


def _contraction(
    rng: np.random.Generator, drive: Array, potentials: npt.NDArray[np.float32], seconds: float
) -> Array:
    """Signal of one contraction without the amplifier: (samples, channels)."""
    time = np.linspace(0, seconds, round(seconds * _DRIVE_RATE) + 1)
    force = rng.lognormal(0, 0.18)
    slow = np.interp(time, np.linspace(0, seconds, 8), rng.normal(1, 0.10, 8))
    ramp = np.clip((time - rng.uniform(0, 0.15)) / rng.uniform(0.15, 0.35), 0.05, 1)
    habit = rng.lognormal(0, 0.15, len(drive))
    excitation = np.repeat(drive * habit * force, _UNITS)[:, None] * (slow * ramp)

    rank = np.tile(np.arange(1, _UNITS + 1) / _UNITS, len(drive))
    threshold = (_RECRUITMENT_RANGE ** (rank - 1))[:, None]
    rate = np.minimum(8 + 35 * (excitation - threshold), 35 - 10 * threshold)
    rate = np.where(excitation >= threshold, rate, 0)
    length = round(seconds * DATASET.rate)
    spikes, active = _discharge(rng, np.cumsum(rate, axis=1) / _DRIVE_RATE, time, length)

    taps, _, channels = potentials.shape
    waveforms = potentials[:, active].transpose(1, 0, 2).reshape(len(active), taps * channels)
    sums = spikes @ waveforms
    signal = np.zeros((length + taps, channels), np.float32)
    for tap in range(taps):
        signal[tap : tap + length] += sums[:, tap * channels : (tap + 1) * channels]
    return signal[taps // 2 : taps // 2 + length].astype(np.float64)


def _discharge(
    rng: np.random.Generator, expected: Array, time: Array, length: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Discharge the units that are recruited: (samples, active units), and their indices.

    A unit discharges whenever its expected count so far, given at `time`, passes the next sum of
    unit-mean intervals.
    """
    most = int(np.ceil(expected[:, -1].max())) + 12
    intervals = np.maximum(rng.normal(1, 0.2, (len(expected), most)), 0.2)
    intervals[:, 0] *= rng.random(len(expected))
    thresholds = np.cumsum(intervals, axis=1)
    active = np.flatnonzero(expected[:, -1] > thresholds[:, 0])
    spikes = np.zeros((length, len(active)), np.float32)
    for column, unit in enumerate(active):
        due = thresholds[unit][thresholds[unit] < expected[unit, -1]]
        moments = np.interp(due, expected[unit], time)
        spikes[(moments * DATASET.rate).astype(np.int64), column] = 1
    return spikes, active


def _amplify(
    rng: np.random.Generator, signal: Array, mains: Array, noise: float
) -> npt.NDArray[np.int16]:
    """Add mains and noise, and convert to counts."""
    time = np.arange(len(signal))[:, None] / DATASET.rate
    hum = mains * np.sin(2 * np.pi * 60 * time + rng.uniform(0, 2 * np.pi))
    counts = np.rint(signal + hum + rng.normal(0, noise, signal.shape))
    return np.clip(counts, -32768, 32767).astype(np.int16)
