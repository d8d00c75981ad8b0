"""Whether a signal is worth recording: clipping, dead and equal channels, mains, noise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

_FULL_SCALE = (-32768, 32767)
_CLIPPED = 1e-3  # share of samples at an end of the range
_DEAD = 0.5  # counts, standard deviation
_MAINS = 0.5  # share of the power within 1 Hz of 50 or 60 Hz
_EQUAL = 0.999  # correlation of two channels
_LOUD = 8.0  # times the median of all channels, of a quiet muscle
_COARSE = 16  # levels that a channel uses

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """A problem of a channel (from 0; None: of all), in words, and what to do about it."""

    channel: int | None
    severity: Severity
    text: str


@dataclass(frozen=True, eq=False)
class SignalCheck:
    """Quality of a stretch of signal.

    Attributes
    ----------
    rms, offset
        float64, shape (channels,), in counts: standard deviation, and mean.
    mains
        float64, shape (channels,): share of the power at 50 or 60 Hz, the greater of the two.
    rate
        Samples that arrived in a second.
    findings
        Problems, errors first.
    """

    rms: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    mains: npt.NDArray[np.float64]
    rate: float
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether no problem is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    def quality(self) -> list[str]:
        """``"good"``, ``"warning"`` or ``"error"`` of each channel."""
        result = ["good"] * len(self.rms)
        for finding in reversed(self.findings):
            channels = range(len(result)) if finding.channel is None else [finding.channel]
            for channel in channels:
                result[channel] = finding.severity
        return result


def check_signal(
    samples: npt.NDArray[np.int16], rate: float, measured_rate: float | None = None, *,
    at_rest: bool = False,
) -> SignalCheck:  # fmt: skip
    """Check a stretch of signal, shape (n, channels), of at least a quarter of a second.

    Parameters
    ----------
    rate, measured_rate
        Nominal rate, and that of the arrivals, in Hz.
    at_rest
        Whether the muscles are quiet, so that a channel louder than the others has a bad contact.
    """
    values = samples.astype(np.float64)
    offset, rms = values.mean(axis=0), values.std(axis=0)
    mains = mains_share(values - offset, rate)
    findings: list[Finding] = []

    if measured_rate is not None and abs(measured_rate / rate - 1) > 0.02:
        text = f"{measured_rate:.4g} samples arrive in a second, not {rate:g}"
        findings.append(Finding(None, "warning", text))
    loud = _LOUD * max(float(np.median(rms)), 1.0) if at_rest else np.inf
    for channel, own in enumerate(samples.T):
        finding = _channel_finding(channel, own, float(rms[channel]), float(mains[channel]), loud)
        findings += [finding] if finding else []
    for first, second in _equal_channels(values - offset, rms):
        text = f"channels {first + 1} and {second + 1} are the same signal: check the cables"
        findings.append(Finding(second, "error", text))
    findings.sort(key=lambda finding: finding.severity != "error")
    return SignalCheck(rms, offset, mains, measured_rate or rate, tuple(findings))


def _channel_finding(
    channel: int, samples: npt.NDArray[np.int16], rms: float, mains: float, loud: float
) -> Finding | None:
    """Worst problem of a channel."""
    name = f"channel {channel + 1}"
    if ((samples <= _FULL_SCALE[0]) | (samples >= _FULL_SCALE[1])).mean() > _CLIPPED:
        text = f"{name} is clipped: lower the gain, or check the electrode"
        return Finding(channel, "error", text)
    if rms < _DEAD:
        return Finding(channel, "error", f"{name} is dead: check its electrode and cable")
    if mains > _MAINS:
        text = f"{name} is {100 * mains:.0f} % mains: moisten the electrode, check the reference"
        return Finding(channel, "warning", text)
    if rms > loud:
        text = f"{name} is much louder than the others at rest: press its electrode on"
        return Finding(channel, "warning", text)
    levels = len(np.unique(samples))
    if levels < _COARSE and len(samples) >= 100:
        text = f"{name} uses {levels} levels only: give a smaller lsb, or more gain"
        return Finding(channel, "warning", text)
    return None


def mains_share(values: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.float64]:
    """Share of each channel's power within 1 Hz of 50 or 60 Hz, the greater; (channels,)."""
    window = np.hanning(len(values))[:, None]
    power = np.abs(np.fft.rfft(values * window, axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(values), 1 / rate)
    width = max(1.0, 2 * rate / len(values))
    total = np.maximum(power[1:].sum(axis=0), 1e-12)
    shares = [power[np.abs(frequency - mains) <= width].sum(axis=0) / total for mains in (50, 60)]
    greater: npt.NDArray[np.float64] = np.maximum(*shares)
    return greater


def _equal_channels(
    centered: npt.NDArray[np.float64], rms: npt.NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Pairs of channels with one signal, dead ones aside."""
    alive = np.flatnonzero(rms >= _DEAD)
    normal = centered[:, alive] / rms[alive]
    correlation = normal.T @ normal / max(len(centered), 1)
    pairs = np.argwhere(np.triu(np.abs(correlation) > _EQUAL, 1))
    return [(int(alive[first]), int(alive[second])) for first, second in pairs]
