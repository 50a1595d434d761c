"""From the real backend's wheel to the one that leaves, in the order in which a wheel goes through.

``_finished`` tells the story; ``_repair`` changes what has to change; ``_proof`` says what the
wheel is worth; ``_contents`` notes down what is inside.
"""

from __future__ import annotations

from manylinux_shim.finish._finished import finished

__all__ = ["finished"]
