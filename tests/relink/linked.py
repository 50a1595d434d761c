"""Small libraries that the host's compiler links, in wheels, for tests of relinking."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Dict, Mapping, Sequence

from manylinux_shim._platforms import Policy
from manylinux_shim.relink import relink_wheel

NAME = "small-1.0-py3-none-linux_x86_64.whl"
POLICY = Policy.parse("manylinux_2_17")

# Of libc, libpthread, libdl and libm of glibc 2.36; of one version some go one way, some another.
USES_MUCH = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

static void *add(void *given) { *(double *)given += 1; return given; }

double much(double x)
{
    pthread_t thread;
    void *result;
    struct stat found;
    unsigned char byte[64];
    double (*cosine)(double) = (double (*)(double))dlsym(dlopen(0, RTLD_NOW), "strlen");
    x = exp(log(pow(x, 2)));
    if (cosine == 0 || pthread_create(&thread, 0, add, &x) || pthread_join(thread, &result))
        return -1;
    if (stat("/", &found) != 0 || !S_ISDIR(found.st_mode) || getrandom(byte, 64, 0) != 64)
        return -2;
    explicit_bzero(byte, 64);
    return round(x) + byte[5];
}
"""
MUCH_OF_3 = 10.0
SUPPLIED = {"explicit_bzero", "getrandom", "stat"}


def compiled(
    directory: Path, source: str, *flags: str, compiler: Sequence[str] = ("gcc",)
) -> bytes:
    """The bytes of what the compiler makes of ``source``."""
    suffix = ".cpp" if "++" in compiler[-1] else ".c"
    (directory / f"source{suffix}").write_text(source, encoding="utf-8")
    output = directory / "linked"
    command = [*compiler, "-O1", "-fno-builtin", f"source{suffix}", "-o", str(output), *flags]
    subprocess.run(command, cwd=directory, check=True)
    return output.read_bytes()


def shared(directory: Path, source: str, *flags: str) -> bytes:
    """A shared library of the host's gcc."""
    return compiled(directory, source, "-shared", "-fPIC", *flags)


def wheel_of(directory: Path, members: Mapping[str, bytes], name: str = NAME) -> Path:
    """A wheel with these members and no other."""
    distribution, version, *_ = name.split("-")
    information = f"{distribution}-{version}.dist-info"
    tag = "-".join(name[: -len(".whl")].split("-")[-3:])
    everything: Dict[str, bytes] = {
        **members,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\n"
        f"Version: {version}\n".encode(),
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
        f"Tag: {tag}\n".encode(),
        f"{information}/RECORD": b"",
    }
    path = directory / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in everything.items():
            info = zipfile.ZipInfo(member)
            info.external_attr = (0o755 if "/scripts/" in member else 0o644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


def relinked(wheel: Path, directory: Path, policy: Policy = POLICY, **keywords: object) -> Path:
    """The wheel linked again, without a word."""
    directory.mkdir(exist_ok=True)
    return relink_wheel(wheel, policy, directory, notice=lambda _: None, **keywords).wheel  # type: ignore[arg-type]


def unpacked(wheel: Path, directory: Path) -> Path:
    """A directory with the wheel's files in it, scripts and data where an installer puts them."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("/"):
                continue
            top, _, rest = name.partition("/")
            scheme, _, path = rest.partition("/")
            to = directory / name
            if top.endswith(".data"):
                to = directory / ("bin" if scheme == "scripts" else "") / path
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(archive.read(name))
            to.chmod(0o755)
    return directory
