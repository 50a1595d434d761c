#include <Python.h>

#include "base.h"
#include "table.h"

static PyObject *table(PyObject *, PyObject *)
{
    return PyUnicode_FromString(rows().c_str());
}

static void raise_in_module(int kind)
{
    if (kind == 1) {
        throw Refused("module");
    }
    raise(kind);
}

static PyObject *thrower(PyObject *, PyObject *)
{
    return PyLong_FromVoidPtr(reinterpret_cast<void *>(&raise_in_module));
}

static PyMethodDef methods[] = {
    {"rows", table, METH_NOARGS, "The table."},
    {"thrower", thrower, METH_NOARGS, "The address of a function that throws."},
    {},
};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_exchange", "", -1, methods,
                                 nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__exchange(void)
{
    return PyModule_Create(&definition);
}
