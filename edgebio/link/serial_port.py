"""A serial line by any URL of pyserial, with errors that say what to do."""

import contextlib
import errno
import os
import time
from typing import Any, Self

import serial

from edgebio.link.errors import DisconnectedError, NoAnswerError, PortError

try:
    import termios
except ImportError:  # not POSIX
    termios = None  # type: ignore[assignment]

_POLL = 0.01  # seconds after which a read looks at its deadline
_WRITE_PATIENCE = 5.0  # seconds that a full line may keep bytes from leaving

# pyserial's own errors are OSErrors, termios' are not.
_FAILURES: tuple[type[Exception], ...] = (OSError, *((termios.error,) if termios else ()))
_OPEN_FAILURES: tuple[type[Exception], ...] = (*_FAILURES, ValueError)


class SerialPort:
    """An open port.

    Parameters
    ----------
    url
        ``/dev/ttyACM0``, ``COM3``, ``socket://host:port``, a pty, or what else pyserial opens.
    baud
        Bits per second; a pty and a socket do not mind.

    Raises
    ------
    PortError
        Where it is missing, busy, forbidden or no port at all.
    """

    def __init__(self, url: str, baud: int) -> None:
        self.url = url
        try:
            self._port: Any = serial.serial_for_url(
                url, baudrate=baud, timeout=_POLL, write_timeout=_WRITE_PATIENCE, exclusive=True
            )
        except _OPEN_FAILURES as error:
            raise PortError(_why_not(url, error)) from None
        self._keep_dtr()

    def _keep_dtr(self) -> None:
        # Closing a port drops DTR, which resets many boards; the next program would meet one
        # that is starting.
        if termios is None or "://" in self.url:
            return
        with contextlib.suppress(*_FAILURES):
            attributes = termios.tcgetattr(self._port.fileno())
            attributes[2] &= ~termios.HUPCL
            termios.tcsetattr(self._port.fileno(), termios.TCSANOW, attributes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(*_FAILURES):
            self._port.close()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        GoneError
            Where the port has gone.
        SilentError
            Where the line takes no bytes for seconds.
        """
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise NoAnswerError(f"{self.url}: the device takes no more bytes; reset it") from None
        except _FAILURES as error:
            raise DisconnectedError(_gone(self.url, error)) from None

    def read(self, seconds: float) -> bytes:
        """Bytes that have come, waiting up to `seconds` for the first; empty if none came.

        Raises
        ------
        GoneError
            Where the port has gone.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                data: bytes = self._port.read(1)
                if data:
                    data += self._rest()
            except _FAILURES as error:
                raise DisconnectedError(_gone(self.url, error)) from None
            if data or time.monotonic() >= deadline:
                return data

    def _rest(self) -> bytes:
        """Bytes that wait already."""
        waiting = self._port.in_waiting
        if waiting and self.url.startswith("socket:"):
            # Of a socket pyserial only knows whether anything waits.
            self._port.timeout = 0
            try:
                rest: bytes = self._port.read(4096)
            finally:
                self._port.timeout = _POLL
        else:
            rest = self._port.read(waiting) if waiting else b""
        return rest


def _gone(url: str, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{url}: the device has gone ({reason}); is it plugged in and powered?"


def _why_not(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY, errno.EWOULDBLOCK):
        return f"{url} is busy: another program has it open; close that one"
    if number in (errno.EACCES, errno.EPERM):
        group = _group(url)
        return f"no permission to use {url}; sudo usermod -aG {group} $USER, then log in again"
    if isinstance(error, ValueError) or "://" in url:
        reason = str(error).rsplit(": ", 1)[-1]
        return f"{url} cannot be opened: {reason}"
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or not os.path.exists(url):  # noqa: PTH110 - COM3 is no path
        return f"there is no port {url}; {_ports()}"
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "configure port" in str(error):
        return f"{url} is no serial port; {_ports()}"
    return f"{url} cannot be opened: {error}"


def _ports() -> str:
    from serial.tools import list_ports

    found = [port.device for port in list_ports.comports()]
    return f"ports here: {', '.join(found)}" if found else "no serial port is plugged in"


def _group(url: str) -> str:
    try:
        import grp

        return grp.getgrgid(os.stat(url).st_gid).gr_name  # noqa: PTH116
    except (ImportError, OSError, KeyError):
        return "dialout"
