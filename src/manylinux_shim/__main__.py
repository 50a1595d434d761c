"""``python -m manylinux_shim`` is ``manylinux-shim``."""

from __future__ import annotations

import sys

from manylinux_shim.cli import main

sys.exit(main())
