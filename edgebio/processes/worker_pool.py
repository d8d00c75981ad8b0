"""Several things at a time, until there is nothing left to do, one goes wrong, or Ctrl-C."""

import threading
from collections.abc import Callable

from edgebio.errors import InterruptedWorkError

_GRACE = 10.0  # seconds that processes get to end after Ctrl-C


class Crew:
    """Threads that do one thing after the other, each mostly waiting for a process of its own.

    Attributes
    ----------
    lock
        For what they share.
    """

    def __init__(self, size: int) -> None:
        self.lock = threading.RLock()
        self._size = size
        self._stop = threading.Event()
        self._error: BaseException | None = None

    @property
    def stopped(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._stop.is_set()

    def run(self, work: Callable[[], bool]) -> None:
        """Call `work` again and again, in every thread, until it returns False.

        Raises
        ------
        InterruptedWorkError
            On Ctrl-C.
        BaseException
            The first that `work` raised; by then what was under way beside it has ended.
        """

        def member() -> None:
            try:
                while not self.stopped and work():
                    pass
            except BaseException as error:
                with self.lock:
                    # Processes that Ctrl-C ends are no fault of their own.
                    if not self.stopped:
                        self._error = error
                self._stop.set()

        threads = [threading.Thread(target=member, daemon=True) for _ in range(self._size)]
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
