"""What an ELF image holds: sizes, symbols, functions, and checks that hold for every image."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from edgebio.errors import EdgebioError

VECTORS = ".vectors"

_POINTER_RELOCATIONS = (2, 38)  # R_ARM_ABS32, R_ARM_TARGET1: ELF for the Arm Architecture, 5.6.1


@dataclass(frozen=True)
class Section:
    """One section of an image that takes memory on the board."""

    name: str
    address: int
    size: int
    data: bytes  # empty where the section is not loaded

    @property
    def loaded(self) -> bool:
        """Whether the section lies in flash (``.data`` does as well as in RAM)."""
        return bool(self.data)


@dataclass(frozen=True)
class Symbol:
    """One symbol; the address of a function has its Thumb bit cleared."""

    name: str
    address: int
    size: int
    kind: str  # "function", "object" or "other"


class Image:
    """A linked image.

    Parameters
    ----------
    path
        The ELF file.

    Raises
    ------
    EdgebioError
        Where the file is not an ELF image.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        kinds = {"STT_FUNC": "function", "STT_OBJECT": "object"}
        try:
            with path.open("rb") as file:
                elf = ELFFile(file)
                self.sections = [
                    Section(
                        section.name,
                        section["sh_addr"],
                        section["sh_size"],
                        section.data() if section["sh_type"] != "SHT_NOBITS" else b"",
                    )
                    for section in elf.iter_sections()
                    if section["sh_flags"] & 2 and section["sh_size"]  # SHF_ALLOC
                ]
                self.symbols = []
                for table in elf.iter_sections():
                    if not isinstance(table, SymbolTableSection):
                        continue
                    for symbol in table.iter_symbols():
                        kind = kinds.get(symbol["st_info"]["type"], "other")
                        if symbol["st_shndx"] == "SHN_UNDEF" or not symbol.name:
                            continue
                        address = symbol["st_value"] & ~1 if kind == "function" else None
                        self.symbols.append(
                            Symbol(
                                symbol.name,
                                symbol["st_value"] if address is None else address,
                                symbol["st_size"],
                                kind,
                            )
                        )
        except (OSError, ELFError) as error:
            raise EdgebioError(f"{path}: not an ELF image: {error}") from None

    @cached_property
    def _by_name(self) -> dict[str, Symbol]:
        return {symbol.name: symbol for symbol in self.symbols}

    def word(self, address: int) -> int:
        """Signed 32-bit word at an address of a loaded section; 0 where there is none."""
        home = self.section_of(address)
        if home is None or not home.loaded:
            return 0
        at = address - home.address
        return int.from_bytes(home.data[at : at + 4], "little", signed=True)

    def symbol(self, name: str) -> Symbol | None:
        """Return the symbol of that name, or None."""
        return self._by_name.get(name)

    @cached_property
    def functions(self) -> list[Symbol]:
        """Functions by address, one a start address; sizes that assembly left out are filled in."""
        found: dict[int, Symbol] = {}
        for symbol in self.symbols:
            if symbol.kind == "function":
                known = found.get(symbol.address)
                if known is None or symbol.size > known.size:
                    found[symbol.address] = symbol
        ordered = [found[address] for address in sorted(found)]
        filled = []
        for index, symbol in enumerate(ordered):
            size = symbol.size
            if not size:
                home = self.section_of(symbol.address)
                end = home.address + home.size if home else symbol.address
                if index + 1 < len(ordered):
                    end = min(end, ordered[index + 1].address)
                size = end - symbol.address
            filled.append(Symbol(symbol.name, symbol.address, size, "function"))
        return filled

    @cached_property
    def pointers(self) -> set[int]:
        """Addresses that constants and literals of the program hold, the vector table's aside.

        Known where the image was linked with its relocations kept (``--emit-relocs``).
        """
        found = set()
        homes = {section.name: section for section in self.sections}
        with self.path.open("rb") as file:
            for table in ELFFile(file).iter_sections():
                home = homes.get(table.name.removeprefix(".rel"))
                if not isinstance(table, RelocationSection) or home is None:
                    continue
                if home.name == VECTORS:
                    continue
                for entry in table.iter_relocations():
                    at = entry["r_offset"] - home.address
                    if entry["r_info_type"] in _POINTER_RELOCATIONS:
                        found.add(int.from_bytes(home.data[at : at + 4], "little"))
        return found

    def section_of(self, address: int) -> Section | None:
        """Return the section that holds `address`, or None."""
        for section in self.sections:
            if section.address <= address < section.address + section.size:
                return section
        return None


def check_alignment(image: Image, objects: list[Path]) -> None:
    """Hold every constant and variable against the alignment that its object file asks for.

    A misaligned table faults on the first LDRD or SMLAD that reads it, and only on some cores.

    Raises
    ------
    EdgebioError
        Naming the first symbol that is not where it must be.
    """
    for path in objects:
        with path.open("rb") as file:
            elf = ELFFile(file)
            table = elf.get_section_by_name(".symtab")
            for symbol in table.iter_symbols() if table else ():
                if symbol["st_info"]["type"] != "STT_OBJECT" or symbol["st_shndx"] == "SHN_COMMON":
                    continue
                if symbol["st_info"]["bind"] != "STB_GLOBAL":
                    continue  # names of static objects are not unique
                home = elf.get_section(symbol["st_shndx"])
                placed = image.symbol(symbol.name)
                wanted = home["sh_addralign"]
                if symbol["st_value"] or placed is None or wanted < 2:
                    continue
                if placed.address % wanted:
                    raise EdgebioError(
                        f"{image.path}: {symbol.name} at {placed.address:#x} is not aligned "
                        f"to {wanted} bytes"
                    )
