"""An extension whose results depend on the machine: word size, byte order, floating point."""

from __future__ import annotations

from support import projects

FILES = {
    "pyproject.toml": projects.pyproject(),
    "setup.py": """\
        from setuptools import Extension, setup

        setup(name="widths", version="1.0", ext_modules=[Extension("widths", ["widths.c"])])
        """,
    "widths.c": r"""
        #define PY_SSIZE_T_CLEAN
        #include <Python.h>
        #include <pthread.h>
        #include <setjmp.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <time.h>

        static PyObject *sizes(PyObject *module, PyObject *unused)
        {
            const uint16_t one = 1;
            return Py_BuildValue(
                "{s:n,s:n,s:n,s:n,s:n,s:n,s:s}", "long", (Py_ssize_t)sizeof(long), "pointer",
                (Py_ssize_t)sizeof(void *), "Py_ssize_t", (Py_ssize_t)sizeof(Py_ssize_t), "time_t",
                (Py_ssize_t)sizeof(time_t), "wchar_t", (Py_ssize_t)sizeof(wchar_t), "long double",
                (Py_ssize_t)sizeof(long double), "order", *(const char *)&one ? "little" : "big");
        }

        /* Numbers as they stand in memory. */
        static PyObject *pack(PyObject *module, PyObject *arguments)
        {
            unsigned int number;
            long long wide;
            double real;
            char bytes[20];
            if (!PyArg_ParseTuple(arguments, "ILd", &number, &wide, &real)) {
                return NULL;
            }
            uint32_t number32 = number;
            memcpy(bytes, &number32, 4);
            memcpy(bytes + 4, &wide, 8);
            memcpy(bytes + 12, &real, 8);
            return PyBytes_FromStringAndSize(bytes, sizeof bytes);
        }

        /* Python's own conversions, at the limits of C's types. */
        static PyObject *convert(PyObject *module, PyObject *number)
        {
            int overflow;
            long narrow = PyLong_AsLongAndOverflow(number, &overflow);
            long long wide = PyLong_AsLongLong(number);
            double real = PyLong_AsDouble(number);
            size_t size = PyLong_AsSize_t(number);
            if (PyErr_Occurred()) {
                PyErr_Clear();
                size = 0;
            }
            return Py_BuildValue("iLdNN", overflow ? 0 : narrow == wide, wide, real,
                                 PyLong_FromDouble(real), PyLong_FromSize_t(size));
        }

        /* Through libc as text and back: its long double has to be the compiler's. */
        static PyObject *long_double(PyObject *module, PyObject *text)
        {
            const char *utf8 = PyUnicode_AsUTF8(text);
            if (utf8 == NULL) {
                return NULL;
            }
            volatile long double value = strtold(utf8, NULL);
            volatile long double third = value / 3;
            char written[64];
            snprintf(written, sizeof written, "%.15Lg", value);
            return Py_BuildValue("ssd", written, value == third * 3 ? "whole" : "apart",
                                 (double)value);
        }

        /* Wider than a register: the compiler's own library does it. */
        static PyObject *scaled(PyObject *module, PyObject *arguments)
        {
            unsigned long long a, b, c;
            if (!PyArg_ParseTuple(arguments, "KKK", &a, &b, &c)) {
                return NULL;
            }
        #ifdef __SIZEOF_INT128__
            return PyLong_FromUnsignedLongLong((unsigned long long)((__uint128_t)a * b / c));
        #else
            return PyLong_FromUnsignedLongLong(a / c * b + (a % c) * b / c);
        #endif
        }

        static __thread unsigned long long mine;
        static unsigned long long total;

        static void *add(void *amount)
        {
            for (int i = 0; i < 1000; i++) {
                mine += (uintptr_t)amount;
            }
            __atomic_fetch_add(&total, mine, __ATOMIC_SEQ_CST);
            return NULL;
        }

        /* Each thread with its own variable, then all at one that is 64 bits wide. */
        static PyObject *threads(PyObject *module, PyObject *unused)
        {
            pthread_t running[4];
            total = 1ULL << 40;
            for (uintptr_t i = 0; i < 4; i++) {
                if (pthread_create(&running[i], NULL, add, (void *)(i + 1)) != 0) {
                    return PyErr_SetFromErrno(PyExc_OSError);
                }
            }
            for (int i = 0; i < 4; i++) {
                pthread_join(running[i], NULL);
            }
            return PyLong_FromUnsignedLongLong(total + mine);
        }

        static jmp_buf back;

        static int order(const void *a, const void *b)
        {
            int x = *(const int *)a, y = *(const int *)b;
            if (x < 0 || y < 0) {
                longjmp(back, 7);
            }
            return (x > y) - (x < y);
        }

        /* libc calls back into us, and we leave it by a jump. */
        static PyObject *sorted(PyObject *module, PyObject *arguments)
        {
            int n[3];
            if (!PyArg_ParseTuple(arguments, "iii", &n[0], &n[1], &n[2])) {
                return NULL;
            }
            int why = setjmp(back);
            if (why) {
                return PyErr_Format(PyExc_ValueError, "%d %zd %lld %ld %s", why, (Py_ssize_t)-1,
                                    (long long)1 << 40, -2L, "negative");
            }
            qsort(n, 3, sizeof n[0], order);
            return Py_BuildValue("iii", n[0], n[1], n[2]);
        }

        static PyMethodDef methods[] = {
            {"sizes", sizes, METH_NOARGS, NULL},
            {"pack", pack, METH_VARARGS, NULL},
            {"convert", convert, METH_O, NULL},
            {"long_double", long_double, METH_O, NULL},
            {"scaled", scaled, METH_VARARGS, NULL},
            {"threads", threads, METH_NOARGS, NULL},
            {"sorted", sorted, METH_VARARGS, NULL},
            {NULL, NULL, 0, NULL},
        };

        static struct PyModuleDef definition = {
            PyModuleDef_HEAD_INIT, "widths", NULL, 0, methods, NULL, NULL, NULL, NULL,
        };

        PyMODINIT_FUNC PyInit_widths(void)
        {
            return PyModule_Create(&definition);
        }
        """,
}

USE = """
import json, widths

try:
    widths.sorted(3, -1, 2)
except ValueError as error:
    refused = str(error)
print(json.dumps({
    "sizes": widths.sizes(),
    "pack": widths.pack(0x01020304, -2, 1.5).hex(),
    "small": widths.convert(2**31 - 1),
    "large": widths.convert(2**53),
    "long double": widths.long_double("6.0625e10"),
    "scaled": widths.scaled(2**40, 3, 2**10),
    "threads": widths.threads(),
    "sorted": widths.sorted(3, 1, 2),
    "refused": refused,
}))
"""

_LONG_DOUBLE = {"i686": 12, "armv7l": 8}


def expected(arch: str, bits: int, order: str) -> object:
    """What USE prints, parsed, on an architecture with glibc.

    Sizes are those of the processor supplements of the System V ABI.
    """
    word = bits // 8
    packed = [(0x01020304, 4), (2**64 - 2, 8), (0x3FF8 << 48, 8)]
    large = 2**53 if bits == 64 else 0
    return {
        "sizes": {
            **dict.fromkeys(("long", "pointer", "Py_ssize_t", "time_t"), word),
            "wchar_t": 4,
            "long double": _LONG_DOUBLE.get(arch, 16),
            "order": order,
        },
        "pack": b"".join(n.to_bytes(size, order) for n, size in packed).hex(),  # type: ignore
        "small": [1, 2**31 - 1, 2.0**31 - 1, 2**31 - 1, 2**31 - 1],
        "large": [int(bits == 64), 2**53, 2.0**53, 2**53, large],
        "long double": ["60625000000", "whole", 6.0625e10],
        "scaled": 3 * 2**30,
        "threads": 2**40 + 1000 * (1 + 2 + 3 + 4),
        "sorted": [1, 2, 3],
        "refused": "7 -1 1099511627776 -2 negative",
    }
