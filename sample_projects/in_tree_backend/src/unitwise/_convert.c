/* Conversions by the table that the build made. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double metres;
};

static const struct unit table[] = {
#include "units.h"
};
static const size_t table_size = sizeof(table) / sizeof(table[0]);

static int
compare(const void *name, const void *unit)
{
    return strcmp(name, ((const struct unit *)unit)->name);
}

/* The unit of that name; NULL with a KeyError if there is none. */
static const struct unit *
find(const char *name)
{
    const struct unit *unit = bsearch(name, table, table_size, sizeof(table[0]), compare);
    if (unit == NULL) {
        PyErr_SetString(PyExc_KeyError, name);
    }
    return unit;
}

static PyObject *
convert(PyObject *module, PyObject *args)
{
    double value;
    const char *from, *to;
    (void)module;
    if (!PyArg_ParseTuple(args, "dss:convert", &value, &from, &to)) {
        return NULL;
    }
    const struct unit *source = find(from);
    const struct unit *target = source == NULL ? NULL : find(to);
    if (target == NULL) {
        return NULL;
    }
    return PyFloat_FromDouble(value * source->metres / target->metres);
}

static PyObject *
units(PyObject *module, PyObject *unused)
{
    PyObject *names = PyList_New((Py_ssize_t)table_size);
    (void)module;
    (void)unused;
    for (size_t i = 0; names != NULL && i < table_size; i++) {
        PyObject *name = PyUnicode_FromString(table[i].name);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyList_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    return names;
}

static PyMethodDef methods[] = {
    {"convert", convert, METH_VARARGS,
     "convert(value, source, target)\n--\n\nA length in another unit."},
    {"units", units, METH_NOARGS, "units()\n--\n\nThe names of all units, sorted."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "unitwise._convert",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__convert(void)
{
    return PyModule_Create(&definition);
}
