"""An STM32 in its system boot loader, on a pty: AN3155, with a flash, and with faults on demand.

After Go it becomes the board: QEMU runs what lies in the flash, and the pty leads to its USART.
"""

import os
import random
import select
import socket
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edgebio import boards
from edgebio.boards import emulator

ACK, NACK = 0x79, 0x1F
ORIGIN, FLASH = 0x0800_0000, 1 << 20
GET, VERSION, ID, READ, GO, WRITE, ERASE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44
# Sectors of the STM32F405, RM0090 table 5.
SECTORS = [16384] * 4 + [65536] + [131072] * 7


@dataclass
class Faults:
    """What goes wrong.

    Attributes
    ----------
    nack : float
        Share of write commands that are refused.
    silent_after : int or None
        Write commands after which it says nothing any more.
    cut_after : int or None
        Write commands after which the line is cut.
    stuck : int or None
        Offset of a byte that stays 0.
    rots : int or None
        Offset of a byte that changes after all has been read back.
    refuses_go : bool
        Go is not taken.
    only : int
        Attempts that have the faults; 0: all.
    """

    nack: float = 0.0
    silent_after: int | None = None
    cut_after: int | None = None
    stuck: int | None = None
    rots: int | None = None
    refuses_go: bool = False
    only: int = 0


@dataclass
class Bootloader:
    """The chip.

    Attributes
    ----------
    url : str
        Its pty.
    flash : bytearray
        What lies in its flash.
    erased : set of int
        Sectors that were erased.
    """

    faults: Faults
    scratch: Path
    url: str = ""
    flash: bytearray = field(default_factory=lambda: bytearray(b"\xff" * FLASH))
    erased: set[int] = field(default_factory=set)
    writes: int = 0
    attempts: int = 0
    started: bool = False
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def serve(self, master: int, over: threading.Event) -> None:
        """Speak the protocol until the line is cut, or Go."""
        self._line, self._over = master, over
        try:
            while not over.is_set():
                first = self._read(1)[0]
                if first == 0x7F:
                    self.attempts += 1
                    self.writes = 0
                    self._send(ACK)
                    continue
                if self._read(1)[0] != first ^ 0xFF:
                    self._send(NACK)
                    continue
                if not self._command(first):
                    return
        except (OSError, EOFError):
            return

    def _faulty(self) -> bool:
        return not self.faults.only or self.attempts <= self.faults.only

    def _command(self, command: int) -> bool:
        if command in (GET, VERSION, ID):
            body = {
                GET: bytes((7, 0x31, GET, VERSION, ID, READ, GO, WRITE, ERASE)),
                VERSION: bytes((0x31, 0, 0)),
                ID: bytes((1, 0x04, 0x13)),
            }[command]
            self._send(ACK, *body, ACK)
        elif command == READ:
            self._send(ACK)
            at = self._address()
            count = self._read(2)[0] + 1
            self._send(ACK, *self.flash[at : at + count])
        elif command == ERASE:
            self._send(ACK)
            head = self._read(2)
            count = int.from_bytes(head, "big")
            pages = list(range(len(SECTORS)))
            if count < 0xFFF0:
                body = self._read(2 * (count + 1))
                pages = [int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2)]
            self._read(1)
            for page in pages:
                self.erased.add(page)
                start = sum(SECTORS[:page])
                self.flash[start : start + SECTORS[page]] = b"\xff" * SECTORS[page]
            self._send(ACK)
        elif command == WRITE:
            return self._write()
        elif command == GO:
            if self.faults.refuses_go:
                self._send(NACK)
                return True
            self._send(ACK)
            self._address()
            if self.faults.rots is not None:
                self.flash[self.faults.rots] ^= 4
            self._start()
            return False
        else:
            self._send(NACK)
        return True

    def _write(self) -> bool:
        self.writes += 1
        faults = self.faults
        if self._faulty():
            if faults.silent_after is not None and self.writes > faults.silent_after:
                while not self._over.wait(0.05):
                    pass
                return False
            if faults.cut_after is not None and self.writes > faults.cut_after:
                os.close(self._line)
                self._line = -1
                return False
            if self._random.random() < faults.nack:
                self._send(NACK)
                return True
        self._send(ACK)
        at = self._address()
        count = self._read(1)[0] + 1
        data = self._read(count)
        check = self._read(1)[0]
        total = count - 1
        for byte in data:
            total ^= byte
        if total != check:
            self._send(NACK)
            return True
        for i, byte in enumerate(data):
            self.flash[at + i] &= byte  # as flash does: an unerased bit stays 0
        if faults.stuck is not None and self._faulty() and at <= faults.stuck < at + count:
            self.flash[faults.stuck] = 0
        self._send(ACK)
        return True

    def _address(self) -> int:
        raw = self._read(5)
        self._send(ACK)
        return int.from_bytes(raw[:4], "big") - ORIGIN

    def _start(self) -> None:
        """Run the flash: the pty becomes the USART of the emulated chip."""
        self.started = True
        image = self.scratch / "flash.bin"
        image.write_bytes(bytes(self.flash))
        board = boards.load("netduinoplus2")
        with emulator.start(board, image, "tcp") as running:
            host, port = running.url.removeprefix("socket://").split(":")
            with socket.create_connection((host, int(port))) as uart:
                while not self._over.is_set():
                    ends: list[int | socket.socket] = [self._line, uart]
                    ready, _, _ = select.select(ends, [], [], 0.05)
                    if self._line in ready:
                        uart.sendall(os.read(self._line, 4096))
                    if uart in ready:
                        os.write(self._line, uart.recv(4096))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if self._over.is_set():
                raise EOFError
            ready, _, _ = select.select([self._line], [], [], 0.05)
            if ready:
                data += os.read(self._line, count - len(data))
        return data

    def _send(self, *values: int) -> None:
        os.write(self._line, bytes(values))


@contextmanager
def running(scratch: Path, faults: Faults | None = None) -> Iterator[Bootloader]:
    """A chip that waits in its boot loader while the block runs."""
    master, slave = os.openpty()
    tty.setraw(slave)
    chip = Bootloader(faults or Faults(), scratch, os.ttyname(slave))
    over = threading.Event()
    thread = threading.Thread(target=chip.serve, args=(master, over))
    thread.start()
    with ExitStack() as stack:
        stack.callback(os.close, slave)
        try:
            yield chip
        finally:
            over.set()
            thread.join(10)
            if chip._line >= 0:
                os.close(master)
            time.sleep(0)
