"""ELF images: sections, symbols and functions, and the alignment of their data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from edgebio.errors import EdgebioError

VECTORS = ".vectors"

_POINTER_RELOCATIONS = (2, 38)  # R_ARM_ABS32, R_ARM_TARGET1: ELF for the Arm Architecture, 5.6.1
_ALLOCATED = 2  # SHF_ALLOC
_KINDS = {"STT_FUNC": "function", "STT_OBJECT": "object"}


@dataclass(frozen=True)
class Section:
    """Section of an image that takes memory on the board; `data` is empty if it is not in flash."""

    name: str
    address: int
    size: int
    data: bytes

    @property
    def end(self) -> int:
        """Address behind the section."""
        return self.address + self.size


@dataclass(frozen=True)
class Symbol:
    """Symbol of an image; the address of a function has its Thumb bit cleared."""

    name: str
    address: int
    size: int
    kind: str  # "function", "object" or "other"


class Image:
    """A linked image; `EdgebioError` if the file is no ELF image."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                elf = ELFFile(file)
                self.sections = list(_sections(elf))
                self.symbols = list(_symbols(elf))
        except (OSError, ELFError) as error:
            raise EdgebioError(f"{path}: not an ELF image: {error}") from None

    @cached_property
    def _by_name(self) -> dict[str, Symbol]:
        return {symbol.name: symbol for symbol in self.symbols}

    def symbol(self, name: str) -> Symbol | None:
        """Symbol of that name, or None."""
        return self._by_name.get(name)

    def section_at(self, address: int) -> Section | None:
        """Section that contains an address, or None."""
        return next((s for s in self.sections if s.address <= address < s.end), None)

    def word(self, address: int) -> int:
        """Signed 32-bit word at an address in flash; 0 if there is none."""
        section = self.section_at(address)
        data = section.data[address - section.address :][:4] if section else b""
        return int.from_bytes(data, "little", signed=True)

    @cached_property
    def functions(self) -> list[Symbol]:
        """Functions by address, one per address; sizes that assembly omits are filled in."""
        by_address: dict[int, Symbol] = {}
        for symbol in self.symbols:
            if symbol.kind == "function":
                other = by_address.get(symbol.address)
                if other is None or symbol.size > other.size:
                    by_address[symbol.address] = symbol
        functions: list[Symbol] = []
        for address in sorted(by_address, reverse=True):
            symbol = by_address[address]
            if not symbol.size:
                section = self.section_at(address)
                end = section.end if section else address
                if functions:
                    end = min(end, functions[-1].address)
                symbol = replace(symbol, size=end - address)
            functions.append(symbol)
        return functions[::-1]

    @cached_property
    def pointers(self) -> set[int]:
        """Pointers outside of the vector table, in an image linked with ``--emit-relocs``."""
        pointers = set()
        sections = {s.name: s for s in self.sections if s.name != VECTORS}
        with self.path.open("rb") as file:
            for table in ELFFile(file).iter_sections():
                section = sections.get(table.name.removeprefix(".rel"))
                if isinstance(table, RelocationSection) and section:
                    for entry in table.iter_relocations():
                        if entry["r_info_type"] in _POINTER_RELOCATIONS:
                            offset = entry["r_offset"] - section.address
                            pointers.add(int.from_bytes(section.data[offset:][:4], "little"))
        return pointers


def _sections(elf: Any) -> Iterator[Section]:
    for section in elf.iter_sections():
        if section["sh_flags"] & _ALLOCATED and section["sh_size"]:
            data = section.data() if section["sh_type"] != "SHT_NOBITS" else b""
            yield Section(section.name, section["sh_addr"], section["sh_size"], data)


def _symbols(elf: Any) -> Iterator[Symbol]:
    for table in elf.iter_sections():
        for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
            if symbol["st_shndx"] != "SHN_UNDEF" and symbol.name:
                kind = _KINDS.get(symbol["st_info"]["type"], "other")
                address = symbol["st_value"] & (~1 if kind == "function" else ~0)
                yield Symbol(symbol.name, address, symbol["st_size"], kind)


def check_alignment(image: Image, objects: list[Path]) -> None:
    """Raise `EdgebioError` if data are not aligned as their object files ask for.

    A misaligned table faults on the first LDRD or SMLAD that reads it, and only on some CPUs.
    """
    for path in objects:
        with path.open("rb") as file:
            elf = ELFFile(file)
            table = elf.get_section_by_name(".symtab")
            for symbol in table.iter_symbols() if table else ():
                info = symbol["st_info"]
                # Names of static objects are not unique.
                if (info["type"], info["bind"]) != ("STT_OBJECT", "STB_GLOBAL"):
                    continue
                linked = image.symbol(symbol.name)
                if symbol["st_shndx"] == "SHN_COMMON" or symbol["st_value"] or linked is None:
                    continue
                alignment = elf.get_section(symbol["st_shndx"])["sh_addralign"]
                if alignment > 1 and linked.address % alignment:
                    raise EdgebioError(
                        f"{image.path}: {symbol.name} at {linked.address:#x} is not aligned "
                        f"to {alignment} bytes"
                    )
