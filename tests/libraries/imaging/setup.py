from setuptools import Extension, setup

setup(ext_modules=[Extension("imaging", ["imaging.c"], libraries=["png16", "jpeg", "z"])])
