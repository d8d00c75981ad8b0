"""The bound of the stack: chains, pointers, interrupts, libraries; and what has no bound."""

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
            "#define APART __attribute__((noinline, noclone))\n"
            "int main(void);\nvoid use(volatile uint8_t *);\n"
            "APART void use(volatile uint8_t *p) { *p = 1; }\n" + text
        )
        tree = SourceTree(root, list(board.flags))
        add_port(tree, board)
        tree.add("app", [root / "app" / "main.c"])
        return linking.compile_and_link(tree, board, tmp_path / "firmware.elf")

    return link


def reserved(made: elf.Image) -> int:
    return next(s.size for s in made.sections if s.name == ".stack")


EMPTY = "int main(void) { return 0; }\n"
DEEP = """
APART static void three(void) { volatile uint8_t a[300]; use(a); }
APART static void two(void) { volatile uint8_t a[200]; use(a); three(); use(a); }
int main(void) { two(); return 0; }
"""


def test_a_chain_of_calls_adds_up(linked: Linker) -> None:
    frames = stack.frames(made := linked(DEEP))
    assert frames["three"] >= 300
    assert frames["two"] >= 200
    assert 500 + frames["cortex_m_start"] < reserved(made) < 500 + 400
    assert reserved(made) % 8 == 0


def test_branches_do_not_add_up(linked: Linker) -> None:
    text = DEEP.replace("use(a); three(); use(a);", "use(a);").replace(
        "two(); return", "two(); three(); return"
    )
    assert 300 < reserved(linked(text)) < 300 + 400


def test_a_call_by_pointer_reaches_all_that_is_pointed_at(linked: Linker) -> None:
    made = linked("""
APART static void small(void) { volatile uint8_t a[16]; use(a); }
APART static void large(void) { volatile uint8_t a[1200]; use(a); }
void (*const volatile table[])(void) = {small, large};
int main(void) { table[port_micros() & 1](); return 0; }
""")
    assert reserved(made) > 1200


def test_an_interrupt_comes_on_top(linked: Linker) -> None:
    made = linked(EMPTY)
    assert reserved(made) >= stack.frames(made)["main"] + 32


def test_functions_of_the_library_count(linked: Linker) -> None:
    made = linked("""
int main(void) { volatile uint64_t a = port_micros(), b = 3; a = a / b; return (int)a; }
""")
    division = [size for name, size in stack.frames(made).items() if "ldivmod" in name]
    assert division
    assert max(division) > 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            """
APART int again(volatile int n);
APART int again(volatile int n) { volatile int a[4] = {n}; return n ? again(n - 1) * a[0] : 1; }
int main(void) { return again(3); }
""",
            "again -> again",
        ),
        (
            """
APART int ping(volatile int n);
APART static int pong(volatile int n) { volatile int a[4] = {n}; return ping(n - 1) * a[0]; }
APART int ping(volatile int n) { volatile int a[4] = {n}; return n ? pong(n - 1) * a[0] : 1; }
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
def test_what_has_no_bound_is_named(linked: Linker, text: str, told: str) -> None:
    with pytest.raises(EdgebioError, match=f"no bound of the stack: {told}"):
        linked(text)


def test_a_heap_is_refused(linked: Linker) -> None:
    with pytest.raises(EdgebioError, match=r"heap"):
        linked("#include <stdlib.h>\nint main(void) { use(malloc(port_micros())); return 0; }\n")
