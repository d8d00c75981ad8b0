"""Recordings at the electrodes of an emulated board, and the samples that its model sees then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgebio.boards.peripherals import pin_number
from edgebio.boards.rp2040js_parts import Ads1298Signal, Electrodes, Parts
from edgebio.errors import EdgebioError
from edgebio.firmware import elf, manifest
from edgebio.firmware.manifest import Converter, Manifest
from edgebio.recordings import Recording
from edgebio.recordings.preprocessing import unify_classes
from edgebio.sampling import ads1298
from edgebio.sampling.ads1298 import Ads1298
from edgebio.sampling.scale import Scale
from edgebio.tflite import read
from edgebio.tflite.metadata import require_metadata

DECIDE = "eb_sink_decide"
"""Function of a sink whose calls are in the journal of the emulator: all decisions."""


@dataclass(frozen=True, eq=False)
class Playback:
    """A recording as an image's converter samples it.

    Attributes
    ----------
    recording
        What the model sees: the samples after the converter's codes and the device's scale.
    codes
        Codes of the converter: uint16, shape (n, channels); of one on SPI int32, shape (n, all of
        its channels).
    """

    recording: Recording
    codes: npt.NDArray[np.uint16] | npt.NDArray[np.int32]


def convert(folder: Path, recordings: Sequence[Recording]) -> Playback:
    """Convert recordings, one after the other, as the converter of the image in `folder` does.

    The recordings are in the counts that the model was trained with. The electrodes have the
    nearest code of each count, within the range of the converter; the samples are what the device's
    own C makes of it.

    Raises
    ------
    EdgebioError
        If the image does not sample by a converter, or rate or channels do not fit.
    """
    record = manifest.load(folder)
    external = _external(record)
    scale = _scale(folder, record)
    metadata = require_metadata(read(manifest.load_model(folder)), "--play")
    spec = metadata.frontend
    if not recordings:
        raise EdgebioError("no recording to play")
    for recording in recordings:
        if recording.channels != spec.channels:
            raise EdgebioError(
                f"{recording.source}: {recording.channels} channels; the image samples "
                f"{spec.channels}"
            )
        if recording.rate != spec.rate:
            raise EdgebioError(
                f"{recording.source}: recorded at {recording.rate:g} Hz; the image samples at "
                f"{spec.rate:g} Hz"
            )
    recordings = unify_classes(list(recordings))
    signal = np.concatenate([r.samples for r in recordings])
    codes: npt.NDArray[np.uint16] | npt.NDArray[np.int32]
    if external:
        codes = ads1298.codes(signal, external, external.volts_per_code / scale.factor)
    else:
        codes = _codes(signal, scale, _converter(folder, record).bits)
    samples = scale.stream(spec.channels).counts(codes[:, : spec.channels])
    labels = np.concatenate([r.labels for r in recordings])
    return Playback(replace(recordings[0], samples=samples, labels=labels, beats=None), codes)


def connect(folder: Path, played: Playback) -> Parts:
    """Parts of the emulator: the electrodes, and a journal of decisions and of the sink's pins."""
    record = manifest.load(folder)
    board = manifest.load_board(folder)
    external = _external(record)
    if board.emulator is None or board.emulator.program != "rp2040js":
        raise EdgebioError(f"{board.name}: its emulator has no electrodes to play a recording at")
    decide = elf.Image(folder / "firmware.elf").symbol(DECIDE)
    assert decide is not None
    pins = tuple(pin_number(pin) for pin in record.sink_pins)
    electrodes = signal = None
    if external:
        assert board.sources.ads1298 is not None
        signal = Ads1298Signal(played.codes.astype(np.int32), external, board.sources.ads1298)
    else:
        converter = _converter(folder, record)
        electrodes = Electrodes(
            played.codes.astype(np.uint16), converter.inputs, Fraction(*converter.period_us),
            converter.zero,
        )  # fmt: skip
    return Parts(
        electrodes=electrodes,
        ads1298=signal,
        pulses=pins if record.sink == "servo" else (),
        levels=pins if record.sink == "gpio" else (),
        calls={DECIDE: decide.address},
    )


def _external(record: Manifest) -> Ads1298 | None:
    """Converter on SPI that the image samples by, if it does."""
    part = record.external_converter
    if part is None:
        return None
    return Ads1298(
        part.chip, part.chips, part.gain, Fraction(part.reference_mv, 1000), part.lead_off
    )


def _scale(folder: Path, record: Manifest) -> Scale:
    part = record.external_converter
    if part is not None:
        return Scale(0, part.multiplier, part.shift, part.highpass)
    converter = _converter(folder, record)
    return Scale(converter.zero, converter.multiplier, converter.shift, converter.highpass)


def _converter(folder: Path, record: Manifest) -> Converter:
    if record.converter is None:
        how = f"samples by {record.source}" if record.standalone else "does not stand alone"
        raise EdgebioError(
            f"{folder}: the image {how}; to play a recording at its electrodes, build it with "
            "--standalone --source adc or ads1298"
        )
    return record.converter


def _codes(samples: npt.NDArray[np.int16], scale: Scale, bits: int) -> npt.NDArray[np.uint16]:
    """Nearest code of each count, the upper one in the middle, in integers."""
    shifted = (samples.astype(object) << scale.shift + 1) + scale.multiplier
    codes = scale.zero + shifted // (2 * scale.multiplier)
    result: npt.NDArray[np.uint16] = np.clip(codes, 0, (1 << bits) - 1).astype(np.uint16)
    return result
