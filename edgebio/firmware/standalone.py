"""Source and sink of an image that stands alone, checked against its model and its board."""

from dataclasses import dataclass
from pathlib import Path

from edgebio import storage
from edgebio.boards import Board
from edgebio.firmware import peripheral_options, resources, sink_config, source_config
from edgebio.firmware.board_header import Use
from edgebio.firmware.peripheral_options import Overlay, Standalone
from edgebio.firmware.sink_config import SinkConfig
from edgebio.firmware.source_config import SourceConfig
from edgebio.tflite.metadata import ModelMetadata

FLAG = "-DEB_STANDALONE=1"
"""Compiler flag of all sources (ports/port.h)."""


@dataclass(frozen=True)
class StandaloneConfig:
    """A source and a sink, on a board with the sections of an overlay."""

    board: Board
    source: SourceConfig
    sink: SinkConfig

    @property
    def use(self) -> Use:
        """Peripherals that the two use."""
        return Use(self.source.adc, self.source.spi, self.sink.servo, self.sink.pins)

    def write(self, folder: Path, slowest_us: int) -> tuple[Path, ...]:
        """Write source_config.h and sink_config.h; returns the C of source and sink.

        Parameters
        ----------
        slowest_us
            Microseconds that a decision takes at most, for the ring.
        """
        storage.write_text(folder / "source_config.h", self.source.header(slowest_us))
        storage.write_text(folder / "sink_config.h", self.sink.header)
        return (*self.source.sources, *self.sink.sources)


def configure(request: Standalone, board: Board, metadata: ModelMetadata) -> StandaloneConfig:
    """Check a request against a board and a model.

    Raises
    ------
    EdgebioError
        If something does not fit: one line.
    """
    overlay = Overlay()
    if request.overlay is not None:
        overlay = peripheral_options.read_overlay(request.overlay)
        board = overlay.on(board)
    source = peripheral_options.choose(
        request.source, overlay.source, "source", board.sources.names(), board
    )
    sink = peripheral_options.choose(request.sink, overlay.sink, "sink", board.sinks.names(), board)
    config = StandaloneConfig(
        board,
        source_config.configure(source, board, metadata.frontend, metadata.signal),
        sink_config.configure(sink, board, metadata),
    )
    resources.check(
        board,
        {
            f"sources.{config.source.kind}": config.source.peripheral,
            f"sinks.{config.sink.kind}": config.sink.peripheral,
        },
    )
    return config
