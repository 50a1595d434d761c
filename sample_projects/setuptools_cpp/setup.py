"""The classic way to declare an extension."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "wordtally._tally",
            sources=["src/wordtally/_tally.cpp", "src/wordtally/count.cpp"],
            depends=["src/wordtally/count.hpp"],
            language="c++",
            extra_compile_args=["-std=c++17"],
        )
    ]
)
