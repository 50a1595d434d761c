"""The hooks of manylinux-shim, with one step of this project's own before compiling."""

import csv
from pathlib import Path

import manylinux_shim
from manylinux_shim import *  # noqa: F403

ROOT = Path(__file__).resolve().parent.parent
HEADER = "/* Made from units.csv by _build/build_backend.py. */\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Make units.h, then build."""
    generate_units()
    return manylinux_shim.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Make units.h, then build."""
    generate_units()
    return manylinux_shim.build_editable(wheel_directory, config_settings, metadata_directory)


def generate_units():
    """Turn units.csv into the rows of the C table, sorted for bsearch."""
    with (ROOT / "units.csv").open(newline="", encoding="utf-8") as table:
        rows = sorted((row["unit"], float(row["metres"])) for row in csv.DictReader(table))
    lines = [f'{{"{unit}", {metres!r}}},\n' for unit, metres in rows]
    target = ROOT / "src" / "unitwise" / "units.h"
    target.write_text(HEADER + "".join(lines), encoding="utf-8")
