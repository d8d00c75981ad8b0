"""The serial port on USB by chapter 9 of USB 2.0 and by PSTN120; the tests are its host."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from edgebio import storage
from edgebio.processes import host_compiler

HERE = Path(__file__).parent
USB = storage.assets("firmware_assets") / "ports" / "usb"
DEVICE = [USB / "eb_usb_cdc.c", USB / "eb_usb_descriptors.c"]
NAK, STALL = -1, -2
OUT, IN, NOTIFY = 0x02, 0x82, 0x81
PRODUCT, SERIAL = b"edgebio pico", b"E66164084319B12C"


class Stalled(Exception):
    """The device refuses a control transfer."""


class Host:
    """The host's side of control transfers and of the serial port."""

    def __init__(self, device: ctypes.CDLL) -> None:
        self.device = device
        device.host_start(0x2E8A, 0x000A, PRODUCT, SERIAL)
        device.host_reset()

    def token_in(self, endpoint: int) -> bytes | int:
        packet = ctypes.create_string_buffer(64)
        count: int = self.device.host_in(endpoint, packet)
        return packet.raw[:count] if count >= 0 else count

    def packet_out(self, endpoint: int, data: bytes) -> int:
        code: int = self.device.host_out(endpoint, data, len(data))
        return code

    def setup(self, kind: int, request: int, value: int, index: int, length: int) -> None:
        fields = ((kind, 1), (request, 1), (value, 2), (index, 2), (length, 2))
        self.device.host_setup(b"".join(n.to_bytes(size, "little") for n, size in fields))

    def read(self, kind: int, request: int, value: int = 0, index: int = 0, length: int = 255
             ) -> bytes:  # fmt: skip
        """A control transfer to the host."""
        self.setup(kind, request, value, index, length)
        data = b""
        while True:
            packet = self.token_in(0x80)
            if packet == STALL:
                raise Stalled
            assert isinstance(packet, bytes)
            data += packet
            if len(packet) < 64 or len(data) == length:
                break
        assert self.packet_out(0, b"") == 0, "the status stage"
        return data

    def write(self, kind: int, request: int, value: int = 0, index: int = 0, data: bytes = b""
              ) -> None:  # fmt: skip
        """A control transfer from the host, with or without data."""
        self.setup(kind, request, value, index, len(data))
        if data and self.packet_out(0, data) == STALL:
            raise Stalled
        if self.token_in(0x80) == STALL:
            raise Stalled

    def configure(self) -> None:
        self.write(0x00, 5, 7)
        self.write(0x00, 9, 1)

    def text(self, number: int) -> str:
        data = self.read(0x80, 6, 0x0300 | number, 0x0409)
        assert data[0] == len(data)
        assert data[1] == 3
        return data[2:].decode("utf-16-le")

    def sent(self, data: bytes) -> int:
        count: int = self.device.user_write(data, len(data))
        return count

    def arrived(self) -> bytes:
        buffer = ctypes.create_string_buffer(1 << 16)
        count: int = self.device.user_read(buffer)
        return buffer.raw[:count]


def nrf52(folder: Path) -> ctypes.CDLL:
    """The port of the nRF52840 on a simulated chip."""
    chip, ports = HERE / "nrf52", USB.parent
    include = [chip, HERE, USB, ports / "nrf52", ports, ports / "cortex_m"]
    sources = [*DEVICE, USB / "usb_link.c"]
    objects = [host_compiler.compile_object(path, include) for path in sources]
    compiler = shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        pytest.skip("no C++ compiler")
    target = folder / "nrf52.so"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    own = [*map(str, objects), *(f"-I{path}" for path in include)]
    subprocess.run([compiler, *flags, *own, chip / "chip.cpp", "-o", target], check=True)
    return ctypes.CDLL(str(target))


@pytest.fixture(scope="module", params=["interface", "nrf52"])
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ctypes.CDLL:
    if request.param == "nrf52":
        library = nrf52(tmp_path_factory.mktemp("nrf52"))
    else:
        sources = [*DEVICE, HERE / "controller.c"]
        library = host_compiler.load_library("usb", sources, [USB, HERE])
    library.user_write.restype = library.user_read.restype = ctypes.c_size_t
    library.host_out.argtypes = [ctypes.c_uint, ctypes.c_char_p, ctypes.c_size_t]
    library.is_chip = request.param != "interface"  # type: ignore[attr-defined]
    return library


@pytest.fixture
def host(library: ctypes.CDLL) -> Host:
    return Host(library)


@pytest.fixture
def port(host: Host) -> Host:
    host.configure()
    return host


def test_host_enumerates_it(host: Host) -> None:
    device = host.read(0x80, 6, 0x0100, length=64)
    assert len(device) == device[0] == 18
    assert device[4:8] == bytes((0xEF, 2, 1, 64)), "associated interfaces, packets of 64 bytes"
    assert device[8:12] == bytes.fromhex("8a2e0a00")
    host.write(0x00, 5, 42)
    assert host.device.host_address() == 42
    configuration = host.read(0x80, 6, 0x0200, length=9)
    assert int.from_bytes(configuration[2:4], "little") == len(host.read(0x80, 6, 0x0200)) == 75
    names = [host.text(number) for number in device[14:17]]
    assert names == ["edgebio", PRODUCT.decode(), SERIAL.decode()]
    assert host.read(0x80, 6, 0x0300, 0) == bytes((4, 3, 9, 4))
    host.write(0x00, 9, 1)
    assert host.read(0x80, 8, length=1) == b"\1"
    host.device.host_reset()
    assert host.device.host_address() == 0
    assert host.read(0x80, 8, length=1) == b"\0"


def test_address_changes_when_the_transfer_is_over(host: Host) -> None:
    host.setup(0x00, 5, 42, 0, 0)
    assert host.device.host_address() == 0
    assert host.token_in(0x80) == b""
    assert host.device.host_address() == 42


def test_descriptors_describe_one_serial_port(host: Host) -> None:
    rest = host.read(0x80, 6, 0x0200)
    kinds = []
    endpoints = {}
    while rest:
        each, rest = rest[: rest[0]], rest[rest[0] :]
        kinds.append(each[1])
        if each[1] == 5:
            endpoints[each[2]] = (each[3], int.from_bytes(each[4:6], "little"))
    assert kinds == [2, 11, 4, 0x24, 0x24, 0x24, 0x24, 5, 4, 5, 5]
    assert endpoints == {NOTIFY: (3, 8), OUT: (2, 64), IN: (2, 64)}


def test_answer_is_as_long_as_the_host_asks_for(host: Host) -> None:
    whole = host.read(0x80, 6, 0x0200)
    for length in (1, 8, 63, 64, 65, 74, 75, 76, 128, 255):
        assert host.read(0x80, 6, 0x0200, length=length) == whole[:length]


def test_answer_of_full_packets_ends_by_an_empty_one(library: ctypes.CDLL) -> None:
    if library.is_chip:
        pytest.skip("its image has one name")
    host = Host(library)
    library.host_start(1, 2, b"x" * 40, SERIAL)  # cut to 31 characters: 64 bytes
    host.setup(0x80, 6, 0x0302, 0x0409, 255)
    assert [len(packet) for _ in range(2) if isinstance(packet := host.token_in(0x80), bytes)] == [
        64, 0,
    ]  # fmt: skip
    assert host.packet_out(0, b"") == 0
    host.setup(0x80, 6, 0x0302, 0x0409, 64)  # as many as there are: no empty packet
    assert len(host.token_in(0x80)) == 64  # type: ignore[arg-type]
    assert host.packet_out(0, b"") == 0


@pytest.mark.parametrize(
    ("kind", "request_", "value", "index"),
    [
        (0x80, 6, 0x0600, 0),  # qualifier of high speed
        (0x80, 6, 0x0201, 0),  # second configuration
        (0x80, 6, 0x0304, 0x0409),  # fourth string
        (0x80, 6, 0x0F00, 0),  # BOS, which USB 2.0 does not know
        (0x80, 11, 0, 0),  # unknown request
        (0xC0, 6, 0x0100, 0),  # vendor
        (0x81, 0, 0, 0),  # status of an interface, not configured
        (0xA1, 0x21, 0, 0),  # line coding, not configured
    ],
)
def test_unknown_question_is_refused(
    host: Host, kind: int, request_: int, value: int, index: int
) -> None:
    with pytest.raises(Stalled):
        host.read(kind, request_, value, index)
    assert host.read(0x80, 6, 0x0100, length=18)[0] == 18, "the next transfer works"


@pytest.mark.parametrize(
    ("kind", "request_", "value", "index", "data"),
    [
        (0x00, 5, 128, 0, b""),  # no address
        (0x00, 9, 2, 0, b""),  # no configuration
        (0x00, 3, 1, 0, b""),  # remote wake-up
        (0x00, 7, 0x0100, 0, b"x" * 18),  # set a descriptor
        (0x01, 11, 1, 0, b""),  # alternate setting
        (0x02, 3, 0, 0x83, b""),  # no such endpoint
        (0x02, 3, 0, 0x80, b""),  # halt of endpoint 0
        (0x21, 0x20, 0, 0, b"x" * 8),  # line coding of another size
        (0x21, 0x22, 0, 1, b""),  # to the interface of data
        (0x21, 0x24, 0, 0, b""),  # unknown
    ],
)
def test_unknown_command_is_refused(
    port: Host, kind: int, request_: int, value: int, index: int, data: bytes
) -> None:
    with pytest.raises(Stalled):
        port.write(kind, request_, value, index, data)
    assert port.read(0x80, 8, length=1) == b"\1"


def test_line_coding_is_stored(port: Host) -> None:
    assert port.read(0xA1, 0x21, length=7) == (115_200).to_bytes(4, "little") + bytes((0, 0, 8))
    coding = (921_600).to_bytes(4, "little") + bytes((2, 1, 7))
    port.write(0x21, 0x20, data=coding)
    assert port.read(0xA1, 0x21, length=7) == coding
    port.setup(0x21, 0x20, 0, 0, 7)
    assert port.packet_out(0, b"short") == 0
    assert port.token_in(0x80) == STALL
    assert port.read(0xA1, 0x21, length=7) == coding
    port.write(0x21, 0x23, 100)  # a break is accepted


@pytest.mark.parametrize(
    ("rate", "lines", "touched"),
    [
        (1200, (1, 0), True),
        (1200, (0,), False),  # never opened
        (1200, (1,), False),
        (9600, (1, 0), False),
        (1200 + (1 << 16), (1, 0), False),
    ],
)
def test_1200_baud_and_close_ask_for_the_boot_loader(
    port: Host, rate: int, lines: tuple[int, ...], touched: bool
) -> None:
    port.write(0x21, 0x20, data=rate.to_bytes(4, "little") + bytes((0, 0, 8)))
    for line in lines:
        port.write(0x21, 0x22, line)
    assert bool(port.device.host_touched()) == touched


def test_bytes_arrive_while_there_is_room(port: Host) -> None:
    port.device.user_limit(100)
    port.write(0x00, 9, 1)
    assert port.packet_out(OUT, b"a" * 64) == 0
    if port.device.is_chip:  # its endpoint takes one more
        assert port.packet_out(OUT, b"b" * 64) == 0
    assert port.packet_out(OUT, b"b" * 64) == NAK, "36 bytes of room"
    assert port.arrived() == b"a" * 64
    port.device.user_take(20)
    assert port.packet_out(OUT, b"b" * 64) == NAK, "56 bytes of room"
    assert port.arrived() == b""
    port.device.user_take(8)
    if not port.device.is_chip:
        assert port.packet_out(OUT, b"b" * 64) == 0
    assert port.arrived() == b"b" * 64


@pytest.mark.parametrize(
    ("count", "packets"),
    [(1, [1]), (63, [63]), (64, [64, 0]), (65, [64, 1]), (128, [64, 64, 0]), (130, [64, 64, 2])],
)
def test_bytes_leave_at_once_and_end_by_a_packet_that_is_not_full(
    port: Host, count: int, packets: list[int]
) -> None:
    data = bytes(range(count))
    assert port.sent(data) == count
    got = [port.token_in(IN) for _ in packets]
    assert b"".join(packet for packet in got if isinstance(packet, bytes)) == data
    assert [len(packet) for packet in got if isinstance(packet, bytes)] == packets
    assert port.token_in(IN) == NAK


def test_notifications_never_come(port: Host) -> None:
    assert port.token_in(NOTIFY) == NAK


def test_halted_endpoints_refuse_and_go_on_where_they_were(port: Host) -> None:
    port.sent(b"one")
    for endpoint in (IN, OUT, NOTIFY):
        port.write(0x02, 3, 0, endpoint)
        assert port.read(0x82, 0, 0, endpoint, 2) == b"\1\0"
    assert port.token_in(IN) == STALL
    assert port.packet_out(OUT, b"x") == STALL
    for endpoint in (IN, OUT, NOTIFY):
        port.write(0x02, 1, 0, endpoint)
        assert port.read(0x82, 0, 0, endpoint, 2) == b"\0\0"
    assert port.token_in(IN) == b"one"
    assert port.packet_out(OUT, b"x") == 0
    assert port.arrived() == b"x"


def test_alternate_setting_starts_the_endpoints_again(port: Host) -> None:
    port.sent(b"one")
    port.write(0x02, 3, 0, IN)
    port.write(0x01, 11, 0, 1)
    assert port.read(0x81, 10, 0, 1, 1) == b"\0"
    assert port.token_in(IN) == b"one"


def test_bytes_are_lost_while_nobody_is_connected(host: Host) -> None:
    assert host.sent(b"lost" * 100) == 400, "the main loop never waits for a host"
    host.configure()
    assert host.token_in(IN) == NAK
    host.sent(b"seen")
    assert host.token_in(IN) == b"seen"


def test_reset_in_the_middle_of_work(port: Host) -> None:
    port.sent(b"x" * 1000)
    port.setup(0x80, 6, 0x0200, 0, 255)
    port.device.host_reset()
    assert port.token_in(IN) == NAK
    assert port.packet_out(OUT, b"x") == NAK
    port.configure()
    assert port.packet_out(OUT, b"x") == 0


def test_setup_ends_the_transfer_before_it(port: Host) -> None:
    port.setup(0x80, 6, 0x0200, 0, 255)
    assert len(port.token_in(0x80)) == 64  # type: ignore[arg-type]
    port.setup(0x00, 5, 99, 0, 0)
    port.setup(0x80, 6, 0x0100, 0, 18)  # the address was not confirmed
    assert len(port.token_in(0x80)) == 18  # type: ignore[arg-type]
    assert port.packet_out(0, b"") == 0
    assert port.device.host_address() == 7


def fuzz_program(folder: Path, device: list[Path]) -> Path:
    """Build the fuzzer with sanitizers, for sources of the device."""
    program = folder / "fuzz"
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    files = [*device, HERE / "controller.c", HERE / "fuzz.c"]
    command = [host_compiler.find_compiler(), *flags, f"-I{USB}", f"-I{HERE}", *map(str, files)]
    subprocess.run([*command, "-o", program], check=True)
    return program


def test_host_that_sends_anything(tmp_path: Path) -> None:
    program = fuzz_program(tmp_path, DEVICE)
    for seed in range(3):
        done = subprocess.run(
            [program, "300000", str(seed)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[:500]
        to_host, from_host = (int(done.stdout.split()[word]) for word in (0, 5))
        assert to_host > 100_000
        assert from_host > 100_000


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("        usb->packet_bytes = 0;\n        eb_usb_user", "        eb_usb_user"),
        ("count > EB_USB_PACKET_BYTES", "count > 2 * EB_USB_PACKET_BYTES"),
        ("*text && count < EB_USB_COMPOSED_BYTES", "*text && count <= EB_USB_COMPOSED_BYTES"),
        ("usb->in_halted || usb->sending", "usb->sending"),
        ("eb_usb_user_room() < EB_USB_PACKET_BYTES", "eb_usb_user_room() == 0"),
    ],
)
def test_broken_device_is_found(tmp_path: Path, line: str, change: str) -> None:
    changed = []
    for path in DEVICE:
        changed.append(tmp_path / path.name)
        changed[-1].write_text(path.read_text().replace(line, change))
    assert sum(path.read_text().count(line) for path in DEVICE) == 1
    program = fuzz_program(tmp_path, changed)
    done = subprocess.run([program, "300000", "1"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
