"""From the real backend's wheel to the one that leaves, in the order in which a wheel goes through:
``_finished`` tells the story, ``_repair`` changes what has to change, ``_proof`` says what it is
worth, ``_contents`` notes down what is inside.
"""

from __future__ import annotations

from manylinux_shim._lazy import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from manylinux_shim.finish._earlier_builds import outdate as outdate
    from manylinux_shim.finish._finished import finished as finished

__getattr__ = lazily(
    __name__,
    {
        "_earlier_builds": ("outdate",),
        "_finished": ("finished",),
    },
)
