"""A serial port by any URL of pyserial, with errors that say what to do."""

import contextlib
import errno
import os
import time
from typing import Any

import serial

from edgebio.link.errors import DisconnectedError, NoAnswerError, PortError

try:
    import termios
except ImportError:  # not POSIX
    termios = None  # type: ignore[assignment]

_POLL_INTERVAL = 0.01  # seconds between two checks of a read's deadline
_WRITE_TIMEOUT = 5.0  # seconds that a write may be blocked

# pyserial's own errors are OSErrors, termios' are not.
_FAILURES: tuple[type[Exception], ...] = (OSError, *((termios.error,) if termios else ()))
_OPEN_FAILURES: tuple[type[Exception], ...] = (*_FAILURES, ValueError)


class SerialPort:
    """An open port, which raises `DisconnectedError` if it disappears.

    Parameters
    ----------
    url
        ``/dev/ttyACM0``, ``COM3``, ``socket://host:port``, a pty, or any other URL of pyserial.
    baud
        Bits per second; ignored by a pty and a socket.

    Raises
    ------
    PortError
        If the port is missing, busy, forbidden or no port at all.
    """

    def __init__(self, url: str, baud: int) -> None:
        self.url = url
        try:
            self._port: Any = serial.serial_for_url(
                url, baud, timeout=_POLL_INTERVAL, write_timeout=_WRITE_TIMEOUT, exclusive=True
            )
        except _OPEN_FAILURES as error:
            raise PortError(_open_error(url, error)) from None
        if termios is not None and "://" not in url:
            # Closing a port drops DTR, which resets many boards; the next program would find the
            # board starting.
            with contextlib.suppress(*_FAILURES):
                attributes = termios.tcgetattr(self._port.fileno())
                attributes[2] &= ~termios.HUPCL
                termios.tcsetattr(self._port.fileno(), termios.TCSANOW, attributes)

    def close(self) -> None:
        """Close the port."""
        with contextlib.suppress(*_FAILURES):
            self._port.close()

    def write(self, data: bytes) -> None:
        """Send bytes; `NoAnswerError` if the port accepts none for seconds."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise NoAnswerError(f"{self.url}: the device accepts no more bytes; reset it") from None
        except _FAILURES as error:
            raise self._disconnected(error) from None

    def read(self, seconds: float) -> bytes:
        """Bytes that have arrived, waiting up to `seconds` for the first; empty if none did."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                data: bytes = self._port.read(1)
                if data:
                    data += self._waiting_bytes()
            except _FAILURES as error:
                raise self._disconnected(error) from None
            if data or time.monotonic() >= deadline:
                return data

    def _waiting_bytes(self) -> bytes:
        """Bytes that have arrived already."""
        count = self._port.in_waiting
        if not count or not self.url.startswith("socket:"):
            data: bytes = self._port.read(count) if count else b""
            return data
        # pyserial does not know how many bytes of a socket have arrived.
        self._port.timeout = 0
        try:
            data = self._port.read(4096)
        finally:
            self._port.timeout = _POLL_INTERVAL
        return data

    def _disconnected(self, error: Exception) -> DisconnectedError:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return DisconnectedError(
            f"{self.url}: the device disconnected ({reason}); is it plugged in and powered?"
        )


def _open_error(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY, errno.EWOULDBLOCK):
        return f"{url} is busy: another program has it open; close that one"
    if number in (errno.EACCES, errno.EPERM):
        group = _group(url)
        return f"no permission to use {url}; sudo usermod -aG {group} $USER, then log in again"
    if isinstance(error, ValueError) or "://" in url:
        return f"{url} cannot be opened: {str(error).rsplit(': ', 1)[-1]}"
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or not os.path.exists(url):  # noqa: PTH110 - COM3 is no path
        return f"there is no port {url}; {_ports()}"
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "configure port" in str(error):
        return f"{url} is no serial port; {_ports()}"
    return f"{url} cannot be opened: {error}"


def _ports() -> str:
    from serial.tools import list_ports

    names = [port.device for port in list_ports.comports()]
    return f"serial ports: {', '.join(names)}" if names else "no serial port is plugged in"


def _group(url: str) -> str:
    try:
        import grp

        return grp.getgrgid(os.stat(url).st_gid).gr_name  # noqa: PTH116
    except (ImportError, OSError, KeyError):
        return "dialout"
