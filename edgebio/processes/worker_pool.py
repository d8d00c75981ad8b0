"""Threads that work side by side: on calls of C, or each waiting for a process of its own."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from edgebio.errors import InterruptedWorkError

_GRACE = 10.0  # seconds that processes get to end after Ctrl-C
_NO_ITEM: Any = object()

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(
    function: Callable[[_In], _Out], inputs: Iterable[_In], workers: int | None = None
) -> Iterator[_Out]:
    """Map a function that releases Python's lock over inputs; yield results in their order.

    At most two inputs per worker (None: one worker per core) are taken ahead of the results, so
    that neither inputs that are made on the way nor results pile up.
    """
    workers = workers or available_cores()
    pending: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(workers) as executor:
        for each in inputs:
            pending.append(executor.submit(function, each))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class WorkerPool:
    """Threads for long work, until nothing is left, something fails, or Ctrl-C.

    `lock` guards what they share.
    """

    def __init__(self, size: int) -> None:
        self.lock = threading.RLock()
        self._size = size
        self._stop = threading.Event()
        self._error: BaseException | None = None

    @property
    def stopping(self) -> bool:
        """Whether no new work may start."""
        return self._stop.is_set()

    def for_each(self, function: Callable[[_In], None], items: Iterable[_In]) -> None:
        """Call `function` once for every item; see `run`."""
        remaining = iter(items)

        def work() -> bool:
            with self.lock:
                item = next(remaining, _NO_ITEM)
            if item is _NO_ITEM:
                return False
            function(item)
            return True

        self.run(work)

    def run(self, work: Callable[[], bool]) -> None:
        """Call `work` again and again, in every thread, until it returns False.

        Raises
        ------
        InterruptedWorkError
            On Ctrl-C.
        BaseException
            The first that `work` raised, once the work under way in the other threads has ended.
        """

        def loop() -> None:
            try:
                while not self.stopping and work():
                    pass
            except BaseException as error:
                with self.lock:
                    # Processes that Ctrl-C ends are not failures of their own.
                    if not self.stopping:
                        self._error = error
                self._stop.set()

        threads = [threading.Thread(target=loop, daemon=True) for _ in range(self._size)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        except KeyboardInterrupt:
            self._stop.set()
            for thread in threads:
                thread.join(_GRACE / len(threads))
            raise InterruptedWorkError("interrupted") from None
        if self._error is not None:
            raise self._error
