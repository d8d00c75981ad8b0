import threading
import time

import pytest

from edgebio.errors import EdgebioError, InterruptedWorkError
from edgebio.processes.worker_pool import WorkerPool, map_in_order


def test_results_come_in_the_order_of_the_inputs():
    def slow(number):
        time.sleep(0.01 * (5 - number % 5))
        return number * number

    assert list(map_in_order(slow, range(20), 4)) == [k * k for k in range(20)]


def test_inputs_are_not_taken_far_ahead_of_the_results():
    taken = []

    def inputs():
        for k in range(100):
            taken.append(k)
            yield k

    assert next(map_in_order(abs, inputs(), 2)) == 0
    assert len(taken) == 5


def test_every_item_is_worked_on_once_by_as_many_threads_as_asked():
    together = threading.Barrier(3, timeout=60)
    items = []

    def work(item):
        together.wait()
        items.append(item)

    WorkerPool(3).for_each(work, range(9))
    assert sorted(items) == list(range(9))


def test_first_error_stops_new_work_and_is_raised():
    pool = WorkerPool(2)
    started = []

    def work(item):
        started.append(item)
        if item == 1:
            raise EdgebioError("item 1")
        while not pool.stopping:
            time.sleep(0.01)

    with pytest.raises(EdgebioError, match="item 1"):
        pool.for_each(work, range(9))
    assert sorted(started) == [0, 1]


def test_ctrl_c_stops_new_work(monkeypatch):
    pool = WorkerPool(1)
    join = threading.Thread.join

    def interrupt(thread, timeout=None):
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupt)
    with pytest.raises(InterruptedWorkError):
        pool.run(lambda: not time.sleep(0.01))  # type: ignore[func-returns-value]
    assert pool.stopping
