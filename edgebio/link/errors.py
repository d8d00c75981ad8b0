"""What can go wrong between host and board; every one is a `DeviceError`."""

from edgebio.errors import DeviceError


class PortError(DeviceError):
    """The port cannot be opened: it is missing, busy or forbidden."""


class NoAnswerError(DeviceError):
    """Nothing answers, or no longer in time."""


class DisconnectedError(DeviceError):
    """The port went away while it was in use."""


class ProtocolError(DeviceError):
    """What answers is no edgebio device, or one that speaks another version."""


class DeviceRestartedError(DeviceError):
    """The board restarted while it was being used."""


class RefusedError(DeviceError):
    """The device refused a request; `code` is the name in the table of errors."""

    def __init__(self, text: str, code: str, detail: int) -> None:
        super().__init__(text)
        self.code = code
        self.detail = detail
