"""Start, failing crystal, failing supply and causes of a start, on simulated registers."""

import subprocess
from pathlib import Path

import pytest

from edgebio import boards, storage
from edgebio.firmware import board_header
from edgebio.processes import host_compiler
from tests.boards.test_converters import HERE, SANITIZE, STRICT

STM32 = {
    "netduinoplus2": 168, "stm32f4discovery": 168, "nucleo-f446re": 168, "nucleo-l476rg": 80,
    "nucleo-l4r5zi": 120,
}  # fmt: skip


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        name: build(tmp_path_factory.mktemp(name), name) for name in (*STM32, "nrf52840-dk")
    }  # fmt: skip


def build(folder: Path, name: str, change: tuple[str, str] | None = None) -> Path:
    """Program of a board's port with its model; `change` replaces a text of port.c."""
    board = boards.load(name)
    ports = storage.assets("firmware_assets") / "ports"
    is_stm32 = board.port.startswith("stm32")
    family = [ports / "stm32"] if is_stm32 else []
    (folder / "eb_board.h").write_text(board_header.text(board))
    text = (ports / board.port / "port.c").read_text()
    if change is not None:
        assert text.count(change[0]) == 1, change
        text = text.replace(*change)
    (folder / "port.c").write_text(text)
    (folder / "cortex_m.h").write_bytes((HERE / "cortex_m.h").read_bytes())
    chip = "clock_stm32.c" if is_stm32 else "clock_nrf52.c"
    sources = [folder / "port.c", HERE / "clock.c", HERE / chip, ports / "cortex_m" / "supply.c"]
    sources += [path / "stm32.c" for path in family]
    sources += (ports / board.port).glob("link_uart.c")
    include = [folder, HERE, ports / board.port, *family, ports, ports / "cortex_m"]
    flags = ["-DCHIP_L4"] if board.port == "stm32l4" else []
    program = folder / "clock"
    subprocess.run(
        [host_compiler.find_compiler(), *STRICT, *SANITIZE, *flags,
         *(f"-I{path}" for path in include), *sources, "-o", program],
        check=True,
    )  # fmt: skip
    return program


def lines(program: Path, case: str) -> list[str]:
    done = subprocess.run([program, case], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", STM32)
def test_clock_is_the_board_files_with_and_without_a_crystal(
    programs: dict[str, Path], name: str
) -> None:
    hz = f"{STM32[name]}000000 Hz"
    assert lines(programs[name], "power") == [
        f"{hz}, CSS on, PVD on; crystal, start: ordinary"
    ]  # fmt: skip
    assert lines(programs[name], "power, no crystal") == [
        f"{hz}, CSS off, PVD on; internal, start: ordinary"
    ]


@pytest.mark.parametrize("name", STM32)
def test_failing_crystal_is_an_emergency_and_the_clock_stays(
    programs: dict[str, Path], name: str
) -> None:
    hz = f"{STM32[name]}000000 Hz"
    assert lines(programs[name], "power, then the crystal fails") == [
        f"{hz}, CSS on, PVD on; crystal, start: ordinary",
        "emergency: clock",
        f"{hz}, CSS off, PVD on; internal, start: ordinary",
    ]
    assert lines(programs[name], "then another NMI")[1:] == ["emergency: fault", "reset"]


@pytest.mark.parametrize("name", [*STM32, "nrf52840-dk"])
def test_failing_supply_is_an_emergency_and_a_brownout_at_the_next_start(
    programs: dict[str, Path], name: str
) -> None:
    assert lines(programs[name], "power, then the supply fails")[1:] == [
        "emergency: supply", "marked: 1", "marked: 0",
    ]  # fmt: skip
    causes = {
        case: lines(programs[name], case)[0].split()[-1]
        for case in ("power", "power, was low", "pin", "pin, was low", "watchdog",
                     "watchdog, was low")
    }  # fmt: skip
    assert causes == {
        "power": "ordinary", "power, was low": "brownout", "pin": "ordinary",
        "pin, was low": "ordinary", "watchdog": "watchdog", "watchdog, was low": "watchdog",
    }  # fmt: skip
    if name in STM32 and boards.load(name).port != "stm32l4":
        assert lines(programs[name], "BOR level")[0].endswith("start: brownout")


def test_nrf52840_opens_its_debug_port_only_as_uicr_says(programs: dict[str, Path]) -> None:
    program = programs["nrf52840-dk"]
    rest = "cache on, POFCON 0x19; crystal, start: ordinary"
    assert lines(program, "power") == [f"APPROTECT.DISABLE 0xffffff5a, {rest}"]
    assert lines(program, "power, locked") == [f"APPROTECT.DISABLE 0xffffff00, {rest}"]
    assert lines(program, "power, revision 2") == [f"APPROTECT.DISABLE 0, {rest}"]
    assert "internal" in lines(program, "power, no crystal")[0]


def test_anomaly_136_is_not_a_watchdog(programs: dict[str, Path]) -> None:
    assert lines(programs["nrf52840-dk"], "136")[0].endswith("start: ordinary")


@pytest.mark.parametrize(
    ("name", "case", "old", "new", "expected"),
    [
        ("nucleo-f446re", "power", "RCC_PLLCFGR_R | 7u << 24", "7u << 24", "PLLR"),
        ("nucleo-f446re", "power",
         "    RCC_CFGR = RCC_CFGR_APB1_BY_4 | RCC_CFGR_APB2_BY_2 | RCC_CFGR_SW_HSI;\n", "",
         "before the switch"),
        ("nucleo-f446re", "power, then the crystal fails", "RCC_CR |= RCC_CR_CSSON;", ";",
         "CSS is off"),
        ("nucleo-l476rg", "power, then the crystal fails", "!start_pll(false)", "!start_pll(true)",
         "reset"),
        ("nucleo-l4r5zi", "power", "    PWR_CR5 &= ~PWR_CR5_R1MODE;\n", "", "boost"),
        ("nucleo-l4r5zi", "power", "slow_bus = RCC_CFGR_AHB_BY_2;", "", "AHB by 2"),
        ("nucleo-l4r5zi", "power", "RCC_CFGR &= ~RCC_CFGR_AHB_BY_2;", "", "AHB is divided"),
        ("nrf52840-dk", "136", "causes & POWER_RESETREAS_PIN", "0", "start: watchdog"),
        ("nrf52840-dk", "power, revision 2", ">= REVISION_3", ">= 'A'", "0xffffff5a"),
    ],
)  # fmt: skip
def test_model_finds_faults(
    tmp_path: Path, name: str, case: str, old: str, new: str, expected: str
) -> None:
    assert expected in " ".join(lines(build(tmp_path, name, (old, new)), case))
