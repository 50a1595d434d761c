"""The extension; everything else is in pyproject.toml."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("unitwise._convert", ["src/unitwise/_convert.c"])])
