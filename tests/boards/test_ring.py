"""The receive ring against a queue, through the wrap of its counters."""

import ctypes
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio import storage
from edgebio.processes import host_compiler

RING = 4096


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    source = tmp_path_factory.mktemp("ring") / "ring.c"
    source.write_text("""\
#include "ring.h"
void start(uint32_t at);
void put(const uint8_t *bytes, size_t count);
size_t take(uint8_t *bytes, size_t most);
uint32_t lost(void);
int empty(void);
static ring r;
void start(uint32_t at) { r = (ring){.head = at, .tail = at}; }
void put(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ring_put(&r, bytes[i]);
    }
}
size_t take(uint8_t *bytes, size_t most) { return ring_take(&r, bytes, most); }
uint32_t lost(void) { return r.lost; }
int empty(void) { return ring_empty(&r); }
""")
    ports = storage.assets("firmware_assets") / "ports"
    library = host_compiler.load_library("ring", [source], [ports / "cortex_m", ports])
    library.take.restype = ctypes.c_size_t
    library.lost.restype = ctypes.c_uint32
    library.start.argtypes = [ctypes.c_uint32]
    library.put.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library


@given(
    at=st.sampled_from([0, 5000, (1 << 32) - 3000, (1 << 32) - 1]),
    turns=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=20),
)
def test_it_is_a_queue_that_drops_the_newest(
    ring: ctypes.CDLL, at: int, turns: list[tuple[int, int]]
) -> None:
    ring.start(at)
    queue: deque[int] = deque()
    number = lost = 0
    for puts, takes in turns:
        sent = bytes((number + i) % 251 for i in range(puts))
        number += puts
        ring.put(sent, len(sent))
        room = RING - len(queue)
        queue.extend(sent[:room])
        lost += max(0, len(sent) - room)
        got = ctypes.create_string_buffer(takes)
        count = ring.take(got, takes)
        assert count == min(takes, len(queue))
        assert got.raw[:count] == bytes(queue.popleft() for _ in range(count))
        assert ring.lost() == lost
        assert bool(ring.empty()) == (not queue)
