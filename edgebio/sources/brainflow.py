"""``brainflow://BOARD``: an amplifier that BrainFlow drives, or its synthetic board."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.sources.counts import OPTIONS, CountScale, RunSplitter
from edgebio.sources.source import Chunk, Source, SourceDescription, SourceError
from edgebio.sources.timeline import Timeline
from edgebio.sources.url import SourceUrl
from edgebio.suggest import nearest

_TEXTS = (
    "serial_port", "mac_address", "ip_address", "serial_number", "other_info", "file",
)  # fmt: skip
_NUMBERS = ("ip_port", "ip_protocol", "timeout")
_KINDS = ("emg", "eeg", "ecg", "exg")
_LSB = 0.1  # uV
_BUFFER = 60  # seconds that BrainFlow stores
_PACKETS = 256  # packet numbers of most boards


class BrainFlowSource(Source):
    """The EMG, EEG or ECG channels of a board, in microvolts.

    Packet numbers tell lost samples. BrainFlow's time stamps are arrivals, from which the times of
    the samples are computed.

    Options: BrainFlow's own (``serial_port``, ``mac_address``, ``ip_address``, ``ip_port``,
    ``file``, ``master_board`` and others), ``kind`` (``emg``, ``eeg``, ``ecg``), ``lsb`` (0.1 uV),
    ``highpass`` (Hz).
    """

    def __init__(self, url: SourceUrl) -> None:
        url.check_options(*_TEXTS, *_NUMBERS, "master_board", "kind", *OPTIONS)
        self._url = url
        self._kind = url.options.get("kind", "")
        if self._kind and self._kind not in _KINDS:
            raise EdgebioError(
                f"source {url.text!r}: kind {self._kind!r}{nearest(self._kind, _KINDS)}; expected "
                f"one of {', '.join(_KINDS)}"
            )
        self._scale = CountScale.from_url(url, "uV", _LSB)
        self._board: Any = None

    def open(self) -> None:  # noqa: D102
        shim = import_brainflow()
        shim.BoardShim.set_log_level(shim.LogLevels.LEVEL_OFF.value)
        board_id = self._board_id(shim, self._url.place)
        parameters = shim.BrainFlowInputParams()
        for name in _TEXTS:
            setattr(parameters, name, self._url.options.get(name, ""))
        for name in _NUMBERS:
            setattr(parameters, name, self._url.integer(name, 0, least=0))
        described = board_id
        if "master_board" in self._url.options:
            described = self._board_id(shim, self._url.options["master_board"])
            parameters.master_board = described
        try:
            board = shim.BoardShim(board_id, parameters)
            description = shim.BoardShim.get_board_descr(described)
            rows, names = self._rows(description)
            board.prepare_session()
            self._board = board
            board.start_stream(_BUFFER * int(description["sampling_rate"]))
        except shim.BrainFlowError as error:
            self.close()
            raise SourceError(
                f"{self._url.text}: {_first_line(error)}; check that the board is switched on, and "
                "its port or address"
            ) from None
        rate = float(description["sampling_rate"])
        self.description = SourceDescription(
            self._url.text, f"{description['name']} by BrainFlow", rate, names,
            self._scale.count_units,
        )  # fmt: skip
        self._error = shim.BrainFlowError
        self._rows_, self._stamp_row = rows, description["timestamp_channel"]
        self._packet_row = description.get("package_num_channel")
        self._scaler, self._timeline = self._scale.stream(rate), Timeline(rate)
        self._splitter = RunSplitter()
        self._offset = time.monotonic() - time.time()
        self._first, self._packet = 0, -1

    def close(self) -> None:  # noqa: D102
        if self._board is not None:
            board, self._board = self._board, None
            try:
                board.release_session()
            except Exception:
                return

    def read(self, seconds: float) -> list[Chunk]:  # noqa: D102
        deadline = time.monotonic() + seconds
        try:
            while not self._board.get_board_data_count():
                if time.monotonic() >= deadline:
                    return []
                time.sleep(0.01)
            data: npt.NDArray[np.float64] = self._board.get_board_data()
        except self._error as error:
            raise SourceError(f"{self._url.text}: {_first_line(error)}") from None
        lost = self._lost(data)
        gaps = {int(row): (int(lost[row]), "packets are lost") for row in np.flatnonzero(lost)}
        values = data[self._rows_].T
        chunks = []
        for run in self._splitter.split(values, gaps):
            self._first += run.lost
            count = run.end - run.start
            arrival = float(data[self._stamp_row, run.end - 1]) + self._offset
            times = self._timeline.times(self._first, count, arrival)
            samples = self._scaler.counts(values[run.start : run.end])
            chunks.append(Chunk(self._first, samples, times, run.gap))
            self._first += count
        return chunks

    def _lost(self, data: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Samples lost before each, by the packet numbers."""
        if self._packet_row is None:
            return np.zeros(data.shape[1], np.int64)
        numbers = data[self._packet_row].astype(np.int64)
        before = np.concatenate([[self._packet if self._packet >= 0 else numbers[0] - 1], numbers])
        self._packet = int(numbers[-1])
        steps = np.diff(before) % _PACKETS
        return np.where(steps > 1, steps - 1, 0)

    def _rows(self, description: Any) -> tuple[list[int], tuple[str, ...]]:
        """Rows and names of the channels."""
        for kind in [self._kind] if self._kind else _KINDS:
            rows = description.get(f"{kind}_channels", [])
            if rows:
                names = description.get("eeg_names", "").split(",") if kind == "eeg" else []
                if len(names) != len(rows):
                    names = [f"channel {number + 1}" for number in range(len(rows))]
                return list(rows), tuple(names)
        raise EdgebioError(f"{self._url.text}: the board has no {self._kind or 'signal'} channels")

    def _board_id(self, shim: Any, name: str) -> int:
        names = {
            each.name.removesuffix("_BOARD").lower().replace("_", "-"): each.value
            for each in shim.BoardIds
            if each.value >= -3
        }
        key = name.lower().replace("_", "-").removesuffix("-board")
        if key not in names:
            raise EdgebioError(
                f"source {self._url.text!r}: BrainFlow has no board {name!r}{nearest(key, names)}; "
                "there are such as cyton, ganglion, synthetic, playback-file"
            )
        return int(names[key])


def import_brainflow() -> Any:
    """Import BrainFlow, or say how to get it."""
    try:
        from brainflow import board_shim
    except ImportError:
        raise MissingToolError(
            'brainflow:// needs BrainFlow: pip install "edgebio[live]"'
        ) from None
    return board_shim


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
