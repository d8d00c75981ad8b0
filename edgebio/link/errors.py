"""Errors between host and device; each is a `DeviceError`."""

from edgebio.errors import DeviceError


class PortError(DeviceError):
    """The port cannot be opened: it is missing, busy or forbidden."""


class NoAnswerError(DeviceError):
    """Nothing answers, or not in time."""


class DisconnectedError(DeviceError):
    """The port disappeared while it was in use."""


class ProtocolError(DeviceError):
    """The other end is no edgebio device, or speaks another protocol version."""


class DeviceRestartedError(DeviceError):
    """The device restarted during the work."""


class RefusedError(DeviceError):
    """The device refused a request; `code` is a name in the table of errors."""

    def __init__(self, text: str, code: str, detail: int) -> None:
        super().__init__(text)
        self.code = code
        self.detail = detail
