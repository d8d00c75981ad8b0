"""A device that runs a model: a board on a port, or an emulated board."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edgebio import boards, firmware, progress, tflite
from edgebio.boards import Board, emulator
from edgebio.decision.spec import DecisionSettings
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import manifest
from edgebio.firmware.stand_in import stand_in
from edgebio.link.client import Client
from edgebio.recordings import Recording
from edgebio.runtime import host_device
from edgebio.runtime.host_device import Transport
from edgebio.runtime.session import Decision, Session

Values = npt.NDArray[Any]


class Device(Client):
    """A device that runs a model; `Device.emulate` builds and starts an emulated board.

    Parameters
    ----------
    url, baud, timeout
        Port of a board, see `Client`.
    model
        The model that the board runs, a .tflite or the folder of its run; it gives decisions class
        names and probabilities.

    Raises
    ------
    DeviceError
        If the port cannot be opened, nothing answers, or the device runs another model.

    Examples
    --------
    >>> with Device.emulate("mps2-an386", "run/model.tflite") as device:  # doctest: +SKIP
    ...     decisions = device.classify(samples)
    """

    def __init__(
        self, url: str, model: Path | str | None = None, *, baud: int = 921_600,
        timeout: float = 10.0,
    ) -> None:  # fmt: skip
        if not isinstance(url, str):
            raise EdgebioError(f"url is a {type(url).__name__}; expected the URL of a serial port")
        self._resources = contextlib.ExitStack()
        graph = None if model is None else tflite.read(_model_file(model))
        super().__init__(url, baud=baud, timeout=timeout)
        self.graph = graph
        if graph is not None:
            with contextlib.ExitStack() as stack:
                stack.callback(self.close)
                sha256 = self.description.model_sha256.hex()
                if sha256 != graph.sha256:
                    raise DeviceError(
                        f"{url}: the board runs model {sha256[:12]}, not {graph.sha256[:12]}; "
                        "flash it: edgebio build, edgebio flash"
                    )
                stack.pop_all()

    @classmethod
    def emulate(
        cls, board: Board | str, model: Path | str, *, transport: Transport = "pty"
    ) -> Self:  # fmt: skip
        """Build an image for an emulated board in a temporary folder, and start the board.

        Parameters
        ----------
        board
            A board, or the name of one that has an emulator (edgebio boards list).
        model
            A .tflite, or the folder of its run.
        """
        file = _model_file(model)
        if not isinstance(board, Board | str):
            raise EdgebioError(f"board is a {type(board).__name__}; expected a name or a Board")
        target = boards.load(board) if isinstance(board, str) else board
        if target.emulator is None:
            raise EdgebioError(
                f"board {target.name} has no emulator; {stand_in(target).name} runs the same code: "
                f"--board {stand_in(target).name}"
            )
        emulator.check_installed(target)
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgebio-")))
            firmware.build(file, target, folder)
            return cls._start(stack, target, folder, file, transport)

    @classmethod
    def on_host(cls, model: Path | str, *, transport: Transport = "pty") -> Self:
        """Compile the application with a model for this machine, and start it as a process.

        Parameters
        ----------
        model
            A .tflite, or the folder of its run.
        """
        file = _model_file(model)
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgebio-")))
            executable = host_device.build(file, folder)
            running = stack.enter_context(host_device.running(executable, transport))
            device = cls(running.url, file)
            device._resources = stack.pop_all()
            return device

    @classmethod
    def emulate_image(cls, folder: Path, *, transport: Transport = "pty") -> Self:
        """Start the emulated board for which ``edgebio build`` made the image in `folder`."""
        with contextlib.ExitStack() as stack:
            return cls._start(stack, manifest.load_board(folder), folder, None, transport)

    @classmethod
    def _start(
        cls, stack: contextlib.ExitStack, board: Board, folder: Path, model: Path | None,
        transport: Transport,
    ) -> Self:  # fmt: skip
        serial: emulator.Serial = "pty" if transport == "pty" else "tcp"
        running = stack.enter_context(emulator.start(board, folder / "firmware.elf", serial))
        device = cls(running.url, model, timeout=emulator.answer_timeout(board))
        device._resources = stack.pop_all()
        return device

    def close(self) -> None:
        """Close the port; stop an emulated board and delete its image."""
        super().close()
        self._resources.close()

    def classify(
        self,
        samples: Recording | npt.NDArray[np.int16],
        *,
        rate: float | None = None,
        settings: DecisionSettings | None = None,
    ) -> list[Decision]:
        """Stream samples from reset and return all decisions; `Session` yields them one by one.

        Parameters
        ----------
        samples
            A recording, or int16 counts of shape (n, channels), at least one segment.
        rate
            Sampling rate of an array in Hz, to be checked; None if it is the model's.
        settings
            Settings of the decision instead of the model's.
        """
        session = Session(self, settings)
        if rate is not None and abs(rate - session.rate) > 1e-3:
            raise EdgebioError(f"samples are at {rate:g} Hz; expected {session.rate:g} Hz")
        decisions = list(session.classify(samples))
        if not decisions:
            length = session.description.segment_length
            raise EdgebioError(f"samples are shorter than one segment of {length} samples")
        return decisions

    def run_inputs(self, inputs: Values) -> Values:
        """Run the network on inputs, without the front end; outputs have shape (n, ...).

        `inputs` have shape (n, ...) and the type and shape of the model's input: int8, unless the
        model has float inputs. Without the model, outputs are rows of bytes.
        """
        if not isinstance(inputs, np.ndarray):
            raise EdgebioError(f"inputs are a {type(inputs).__name__}; expected an array")
        input_type = output_type = np.dtype(np.int8)
        shape = inputs.shape[1:]
        output_shape: tuple[int, ...] = (-1,)
        if self.graph is not None:
            source = self.graph.tensors[self.graph.inputs[0]]
            shape, input_type = source.shape[1:], np.dtype(source.dtype)
            result = self.graph.tensors[self.graph.outputs[0]]
            output_shape, output_type = result.shape[1:], np.dtype(result.dtype)
        if inputs.dtype != input_type or inputs.shape[1:] != shape:
            raise EdgebioError(
                f"inputs are {inputs.dtype} of shape {inputs.shape}; expected {input_type} of "
                f"shape (n, {', '.join(map(str, shape))})"
            )
        rows = [
            self.run_image(row).output.view(output_type).reshape(output_shape)
            for row in progress.track(inputs, f"inputs on {self.url}")
        ]
        return np.array(rows, output_type)


def _model_file(model: Path | str) -> Path:
    if not isinstance(model, Path | str):
        raise EdgebioError(f"model is a {type(model).__name__}; expected the path of a .tflite")
    return firmware.model_file(Path(model))
