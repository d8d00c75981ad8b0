"""Images: built for every board, measured, checked against the board, and always complete."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgebio import boards, firmware, storage
from edgebio.boards.board import Board
from edgebio.errors import CheckFailedError, EdgebioError, MissingToolError
from edgebio.firmware import elf, stack, toolchain
from edgebio.firmware.manifest import App, load_board
from edgebio.processes.programs import run_compiler


def with_memory(board: Board, flash: int, ram: int) -> Board:
    memory = board.memory
    return board.model_copy(
        update={
            "memory": memory.model_copy(
                update={
                    "flash": memory.flash.model_copy(update={"bytes": flash}),
                    "ram": memory.ram.model_copy(update={"bytes": ram}),
                }
            )
        }
    )


@pytest.fixture(scope="module")
def m4() -> Board:
    return boards.load("mps2-an386")


@pytest.fixture(scope="module")
def built(
    emg_model: Path, m4: Board, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, firmware.Manifest]:
    folder = tmp_path_factory.mktemp("built") / "image"
    return folder, firmware.build(emg_model, m4, folder)


@pytest.mark.parametrize("app", ["link", pytest.param("batch", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name",
    # A board with the port and CPU of another one is slow.
    [
        pytest.param(
            name, marks=pytest.mark.slow if name in ("stm32f4discovery", "nucleo-f446re") else ()
        )
        for name in boards.names()
    ],
)
def test_every_board_has_its_image(emg_model: Path, tmp_path: Path, name: str, app: App) -> None:
    board = boards.load(name)
    manifest = firmware.build(emg_model, board, tmp_path, app)
    image = elf.Image(tmp_path / "firmware.elf")
    flash, ram = board.memory.flash, board.memory.ram
    for section in image.sections:
        home = ram if section.name in (".data", ".bss", ".stack", ".noinit") else flash
        assert home.origin <= section.address
        assert section.address + section.size <= home.origin + home.bytes
    vectors = next(s for s in image.sections if s.name == ".vectors")
    before = 512 if board.boot2 else 0  # a second stage, and the vectors' alignment
    assert vectors.address == flash.origin + before
    words = [int.from_bytes(vectors.data[i : i + 4], "little") for i in range(0, 64, 4)]
    assert words[0] == ram.origin + manifest.ram.stack  # the stack lies at the bottom of RAM
    start = image.symbol("cortex_m_start")
    assert start is not None
    assert words[1] == start.address | 1
    assert all(words[i] & 1 for i in (2, 3, 4, 5, 6, 11, 12, 14, 15))
    for irq in board.uart.irqs:
        entry = int.from_bytes(vectors.data[64 + 4 * irq : 68 + 4 * irq], "little")
        handler = image.symbol("port_uart_irq")
        assert handler is not None
        assert entry == handler.address | 1
    binary = (tmp_path / "firmware.bin").read_bytes()
    assert binary[before : before + len(vectors.data)] == vectors.data
    parts = manifest.flash.vectors + manifest.flash.code + manifest.flash.constants
    rest = manifest.flash.total - parts - manifest.flash.data - before
    assert 0 <= rest < 64  # alignment, and a boot ROM's mark
    sizes = manifest.ram
    assert sizes.total == sizes.activations + sizes.scratch + sizes.static + sizes.stack
    assert 0 < sizes.stack < 4096


def test_manifest_describes_the_image(
    built: tuple[Path, firmware.Manifest], emg_model: Path, m4: Board
) -> None:
    folder, manifest = built
    assert firmware.load(folder) == manifest
    assert load_board(folder) == m4
    document = json.loads((folder / "manifest.json").read_text())
    assert document["model"] == {"file": "model.tflite", "sha256": storage.sha256(emg_model)}
    assert document["image"]["sha256"] == storage.sha256(folder / "firmware.bin")
    binary = (folder / "firmware.bin").read_bytes()
    assert bytes.fromhex(document["image"]["build"]) in binary
    assert bytes.fromhex(document["model"]["sha256"]) in binary
    assert document["compiler"] == toolchain.version()


def test_builds_are_reproducible_in_another_and_relative_folder(
    built: tuple[Path, firmware.Manifest],
    emg_model: Path,
    m4: Board,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(emg_model, "model.tflite")
    assert firmware.build(Path("model.tflite"), m4, Path("deep/image")) == built[1]
    assert (tmp_path / "deep/image/firmware.elf").is_file()


def test_makefile_builds_the_same_image(
    built: tuple[Path, firmware.Manifest], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    shutil.copytree(built[0] / "src", taken)
    subprocess.run(["make", "-s", "-j2"], cwd=taken, check=True, timeout=120)
    result = (taken / "build" / "firmware.bin").read_bytes()
    assert result == (built[0] / "firmware.bin").read_bytes()


def test_files_do_not_name_the_checkout(
    built: tuple[Path, firmware.Manifest],
) -> None:
    here = str(storage.assets("boards").parent).encode()
    for path in (p for p in built[0].rglob("*") if p.is_file()):
        if path.suffix not in (".map", ".elf"):
            assert here not in path.read_bytes(), path
            assert b"/.cache/" not in path.read_bytes(), path
    assert here not in (built[0] / "firmware.elf").read_bytes()


def test_excess_bytes_are_reported(
    built: tuple[Path, firmware.Manifest], emg_model: Path, m4: Board, tmp_path: Path
) -> None:
    _, manifest = built
    flash, ram = manifest.flash.total, manifest.ram.total
    with pytest.raises(
        CheckFailedError,
        match=r"model\.tflite does not fit mps2-an386: 100 bytes too large for its [\d,]+ bytes of "
        r"flash and 8 bytes too large for its [\d,]+ bytes of RAM; no plan fits: activations and "
        r"scratch take at least [\d,]+ bytes of RAM, and [\d,]+ are left for them$",
    ):
        firmware.build(emg_model, with_memory(m4, flash - 100, ram - 8), tmp_path / "image")
    assert not (tmp_path / "image").exists()
    exact = firmware.build(emg_model, with_memory(m4, flash, ram), tmp_path / "image")
    assert exact.flash.total == exact.flash.available
    assert exact.ram.total == exact.ram.available


def test_budget_gets_the_fastest_kernels_that_fit(
    built: tuple[Path, firmware.Manifest], emg_model: Path, m4: Board, tmp_path: Path
) -> None:
    """A little less flash costs one layer its wide weights; far too little says so."""
    _, fast = built
    budget = firmware.Budget(flash=fast.flash.total - 100)
    result = firmware.build(emg_model, m4, tmp_path / "image", budget=budget)
    assert result.flash.total <= fast.flash.total - 100
    changed = [(a, b) for a, b in zip(fast.kernels, result.kernels, strict=True) if a != b]
    wide = [kernel for kernel in fast.kernels if kernel.endswith(("_wide", "_scaled"))]
    assert {a for a, _ in changed} <= {*wide}
    assert {b for _, b in changed} == {"eb_run_conv2d_narrow"}
    assert 1 <= len(changed) < len(wide)
    with pytest.raises(
        CheckFailedError,
        match=r"over the limit of 4,096 bytes of flash; no plan fits: the network's constants",
    ):
        firmware.build(emg_model, m4, tmp_path / "image", budget=firmware.Budget(flash=4096))
    assert firmware.load(tmp_path / "image") == result


def test_failed_build_keeps_the_image(
    built: tuple[Path, firmware.Manifest], emg_model: Path, m4: Board, tmp_path: Path
) -> None:
    folder = tmp_path / "image"
    shutil.copytree(built[0], folder)
    with pytest.raises(CheckFailedError):
        firmware.build(emg_model, with_memory(m4, 1024, 1024), folder)
    assert firmware.load(folder) == built[1]
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in built[0].iterdir())


def test_build_replaces_an_image(
    built: tuple[Path, firmware.Manifest], models_folder: Path, m4: Board, tmp_path: Path
) -> None:
    folder = tmp_path / "image"
    shutil.copytree(built[0], folder)
    (folder / "notes.txt").write_text("mine")
    second = firmware.build(models_folder / "emg_cnn.tflite", m4, folder)
    assert firmware.load(folder) == second
    assert not (folder / "src" / "frontend" / "frontend_config.c").exists()
    assert (folder / "notes.txt").read_text() == "mine"


def test_other_sources_are_not_touched(emg_model: Path, m4: Board, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thesis.c").write_text("int x;")
    with pytest.raises(EdgebioError, match="was not made by edgebio build"):
        firmware.build(emg_model, m4, tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["src", "thesis.c"]


def test_impossible_folder_is_refused(emg_model: Path, m4: Board, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgebioError, match="file: not a folder"):
        firmware.build(emg_model, m4, tmp_path / "file")
    with pytest.raises(EdgebioError, match="image: cannot be written: Not a directory"):
        firmware.build(emg_model, m4, tmp_path / "file" / "image")


def test_changed_image_is_refused(built: tuple[Path, firmware.Manifest], tmp_path: Path) -> None:
    folder = tmp_path / "image"
    shutil.copytree(built[0], folder)
    raw = bytearray((folder / "firmware.bin").read_bytes())
    raw[-1] ^= 1
    (folder / "firmware.bin").write_bytes(raw)
    with pytest.raises(EdgebioError, match="not the image that manifest"):
        firmware.load(folder)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(EdgebioError, match=r"manifest\.json: edgebio: Field required"):
        firmware.load(folder)
    with pytest.raises(EdgebioError, match="no image there"):
        firmware.load(tmp_path)


def test_missing_model_is_reported(m4: Board, tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"none\.tflite: no such model"):
        firmware.build(tmp_path / "none.tflite", m4, tmp_path / "image")
    with pytest.raises(EdgebioError, match=r"no model\.tflite there"):
        firmware.build(tmp_path, m4, tmp_path / "image")
    assert not (tmp_path / "image").exists()


def test_folder_of_a_run_has_its_model(emg_model: Path) -> None:
    assert firmware.model_file(emg_model.parent) == emg_model


def test_missing_compiler_is_reported(
    emg_model: Path, m4: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="sudo apt-get install gcc-arm-none-eabi"):
        firmware.build(emg_model, m4, tmp_path / "image")
    assert not (tmp_path / "image").exists()


def test_stack_frames_cover_those_of_the_compiler(
    built: tuple[Path, firmware.Manifest], m4: Board, tmp_path: Path
) -> None:
    """-fstack-usage, function by function, for all C of the image that kept its name."""
    folder, manifest = built
    frames = stack.frames(elf.Image(folder / "firmware.elf"))
    makefile = (folder / "src" / "Makefile").read_text()
    flags = re.search(r"^OWN_FLAGS = (.*)$", makefile, re.MULTILINE)
    files = re.search(r"^OWN = (.*)$", makefile, re.MULTILINE)
    assert flags
    assert files
    compared = 0
    for number, source in enumerate(files[1].split()):
        run_compiler(
            toolchain.tool("gcc"),
            *flags[1].split(),
            *("-fstack-usage", "-c", source, "-o", str(tmp_path / f"{number}.o")),
            folder=folder / "src",
        )
        for line in (tmp_path / f"{number}.su").read_text().splitlines():
            where, size, kind = line.split("\t")
            name = where.rsplit(":", 1)[1]
            if name in frames and name != "fault_entry":
                assert kind in ("static", "dynamic,bounded")
                assert frames[name] >= int(size), name
                compared += 1
    assert compared > 40
    assert manifest.ram.stack > max(frames.values())


def test_misaligned_constant_is_refused(
    built: tuple[Path, firmware.Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "table.c"
    source.write_text("const unsigned char table[] __attribute__((aligned(16))) = {1, 2, 3};\n")
    gcc = toolchain.tool("gcc")
    run_compiler(
        gcc, "-mcpu=cortex-m4", "-fdata-sections", "-c", str(source), "-o", str(tmp_path / "t.o")
    )
    image = elf.Image(built[0] / "firmware.elf")
    where = elf.Symbol("table", 0x1008, 3, "object")
    monkeypatch.setattr(image, "symbols", [where])
    with pytest.raises(EdgebioError, match="table at 0x1008 is not aligned to 16 bytes"):
        elf.check_alignment(image, [tmp_path / "t.o"])


def test_file_that_is_not_elf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    path.write_bytes(b"MZ" * 100)
    with pytest.raises(EdgebioError, match="not an ELF image"):
        elf.Image(path)
