"""Bound of the stack: chains, pointers, interrupts, libraries, and missing bounds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgebio import boards
from edgebio.errors import EdgebioError
from edgebio.firmware import elf, linking, stack
from edgebio.firmware.port_sources import add_port
from edgebio.firmware.source_tree import SourceTree

Linker = Callable[[str], elf.Image]


@pytest.fixture(
    params=[
        "mps2-an386",
        *(pytest.param(b, marks=pytest.mark.slow) for b in ("mps2-an385", "mps3-an547")),
    ]
)
def linked(request: pytest.FixtureRequest, tmp_path: Path) -> Linker:
    """Link a program on a board's port, its stack measured."""
    board = boards.load(request.param)

    def link(text: str) -> elf.Image:
        root = tmp_path / "src"
        (root / "app").mkdir(parents=True)
        (root / "app" / "main.c").write_text(
            '#include <stdint.h>\n#include <string.h>\n#include "port.h"\n'
            "#define NOINLINE __attribute__((noinline, noclone))\n"
            "int main(void);\nvoid use(volatile uint8_t *);\n"
            "NOINLINE void use(volatile uint8_t *p) { *p = 1; }\n" + text
        )
        tree = SourceTree(root, list(board.flags))
        add_port(tree, board)
        tree.add("app", [root / "app" / "main.c"])
        return linking.compile_and_link(tree, board, tmp_path / "firmware.elf")

    return link


def reserved(linked_image: elf.Image) -> int:
    return next(s.size for s in linked_image.sections if s.name == ".stack")


EMPTY = "int main(void) { return 0; }\n"
DEEP = """
NOINLINE static void three(void) { volatile uint8_t a[300]; use(a); }
NOINLINE static void two(void) { volatile uint8_t a[200]; use(a); three(); use(a); }
int main(void) { two(); return 0; }
"""


def test_frames_of_a_chain_add_up(linked: Linker) -> None:
    frames = stack.frames(linked_image := linked(DEEP))
    assert frames["three"] >= 300
    assert frames["two"] >= 200
    assert 500 + frames["cortex_m_start"] < reserved(linked_image) < 500 + 400
    assert reserved(linked_image) % 8 == 0


def test_frames_of_branches_do_not_add_up(linked: Linker) -> None:
    text = DEEP.replace("use(a); three(); use(a);", "use(a);").replace(
        "two(); return", "two(); three(); return"
    )
    assert 300 < reserved(linked(text)) < 300 + 400


def test_call_by_pointer_reaches_every_pointed_function(linked: Linker) -> None:
    linked_image = linked("""
NOINLINE static void small(void) { volatile uint8_t a[16]; use(a); }
NOINLINE static void large(void) { volatile uint8_t a[1200]; use(a); }
void (*const volatile table[])(void) = {small, large};
int main(void) { table[port_micros() & 1](); return 0; }
""")
    assert reserved(linked_image) > 1200


def test_interrupt_comes_on_top(linked: Linker) -> None:
    linked_image = linked(EMPTY)
    assert reserved(linked_image) >= stack.frames(linked_image)["main"] + 32


def test_functions_of_the_library_count(linked: Linker) -> None:
    linked_image = linked("""
int main(void) { volatile uint64_t a = port_micros(), b = 3; a = a / b; return (int)a; }
""")
    division = [size for name, size in stack.frames(linked_image).items() if "ldivmod" in name]
    assert division
    assert max(division) > 0


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        (
            """
NOINLINE int again(volatile int n);
NOINLINE int again(volatile int n) { volatile int a[4] = {n}; return n ? again(n - 1) * a[0] : 1; }
int main(void) { return again(3); }
""",
            "again -> again",
        ),
        (
            """
NOINLINE int ping(volatile int n);
NOINLINE static int pong(volatile int n) { volatile int a[4] = {n}; return ping(n - 1) * a[0]; }
NOINLINE int ping(volatile int n) { volatile int a[4] = {n}; return n ? pong(n - 1) * a[0] : 1; }
int main(void) { return ping(3); }
""",
            "ping -> pong -> ping",
        ),
        (
            """
int main(void) { volatile uint8_t a[port_micros() + 1]; use(a); return 0; }
""",
            "main sizes it at run time",
        ),
    ],
)
def test_function_without_bound_is_named(linked: Linker, text: str, chain: str) -> None:
    with pytest.raises(EdgebioError, match=f"no bound of the stack: {chain}"):
        linked(text)


def test_heap_is_refused(linked: Linker) -> None:
    with pytest.raises(EdgebioError, match=r"heap"):
        linked("#include <stdlib.h>\nint main(void) { use(malloc(port_micros())); return 0; }\n")
