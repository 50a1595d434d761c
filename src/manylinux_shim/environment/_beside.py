"""One thing done while another is: a thread with a result (concurrent.futures imports slowly)."""

from __future__ import annotations

import contextlib
import threading
from typing import Callable, Iterator, List, TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def beside(action: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begin ``action`` in a thread; what this gives waits for it, and returns or raises as it did.

    At the end of the context the action has come to its end too.
    """
    results: List[T] = []
    errors: List[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)

    def result() -> T:
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    thread.start()
    try:
        yield result
    finally:
        thread.join()
