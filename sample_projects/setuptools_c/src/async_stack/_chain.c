/* The await chain of a suspended awaitable, as a list.
 *
 * Every kind of awaitable names what it waits for in an attribute of its own, and the
 * frame it is suspended in in another. Only public attributes and functions are used, so
 * this source compiles for CPython 3.8 and everything after it.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <string.h>

static const struct kind {
    const char *awaiting;
    const char *frame;
} kinds[] = {
    {"cr_await", "cr_frame"},     /* coroutines */
    {"ag_await", "ag_frame"},     /* async generators */
    {"gi_yieldfrom", "gi_frame"}, /* generators, as in types.coroutine */
};

typedef struct {
    PyTypeObject *link;
} module_state;

static PyStructSequence_Field link_fields[] = {
    {"name", "qualified name of the function, or of the type where there is none"},
    {"filename", "file of the code, None where there is no Python code"},
    {"lineno", "line it is suspended at, None where it is not suspended"},
    {"awaitable", "the object itself"},
    {NULL, NULL},
};

static PyStructSequence_Desc link_description = {
    "async_stack.Link", "One level of an await chain.", link_fields, 4};

/* A new reference to an attribute; NULL without an exception where there is none. */
static PyObject *
optional_attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return value;
}

/* The kind of an awaitable; NULL for futures and other ends of a chain. */
static const struct kind *
kind_of(PyObject *awaitable)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (PyObject_HasAttrString(awaitable, kinds[i].awaiting)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static PyObject *
name_of(PyObject *awaitable)
{
    PyObject *name = optional_attribute(awaitable, "__qualname__");
    if (name == NULL && !PyErr_Occurred()) {
        const char *type = Py_TYPE(awaitable)->tp_name;
        const char *dot = strrchr(type, '.');
        name = PyUnicode_FromString(dot == NULL ? type : dot + 1);
    }
    return name;
}

/* Fills in the file and line; 0, or -1 with an exception. */
static int
locate(PyObject *link, PyObject *awaitable, const struct kind *kind)
{
    PyObject *filename = NULL, *lineno = NULL;
    PyObject *frame = kind == NULL ? NULL : optional_attribute(awaitable, kind->frame);
    if (frame != NULL && PyFrame_Check(frame)) {
        PyObject *code = PyObject_GetAttrString(frame, "f_code");
        if (code != NULL) {
            filename = PyObject_GetAttrString(code, "co_filename");
            Py_DECREF(code);
        }
        lineno = PyLong_FromLong(PyFrame_GetLineNumber((PyFrameObject *)frame));
    }
    Py_XDECREF(frame);
    if (PyErr_Occurred()) {
        Py_XDECREF(filename);
        Py_XDECREF(lineno);
        return -1;
    }
    if (filename == NULL) {
        filename = Py_None;
        Py_INCREF(filename);
    }
    if (lineno == NULL) {
        lineno = Py_None;
        Py_INCREF(lineno);
    }
    PyStructSequence_SetItem(link, 1, filename);
    PyStructSequence_SetItem(link, 2, lineno);
    return 0;
}

static PyObject *
make_link(module_state *state, PyObject *awaitable, const struct kind *kind)
{
    PyObject *link = PyStructSequence_New(state->link);
    if (link == NULL) {
        return NULL;
    }
    PyObject *name = name_of(awaitable);
    if (name == NULL) {
        Py_DECREF(link);
        return NULL;
    }
    PyStructSequence_SetItem(link, 0, name);
    Py_INCREF(awaitable);
    PyStructSequence_SetItem(link, 3, awaitable);
    if (locate(link, awaitable, kind) < 0) {
        Py_DECREF(link);
        return NULL;
    }
    return link;
}

/* A task stands for the coroutine it runs: a new reference to that, or to the object itself. */
static PyObject *
unwrap_task(PyObject *awaitable)
{
    PyObject *get_coro = optional_attribute(awaitable, "get_coro");
    if (get_coro != NULL) {
        PyObject *coroutine = PyObject_CallObject(get_coro, NULL);
        Py_DECREF(get_coro);
        return coroutine;
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_INCREF(awaitable);
    return awaitable;
}

PyDoc_STRVAR(chain_doc, "chain(awaitable)\n--\n\n"
                        "The links from the awaitable down to what it waits for.");

static PyObject *
chain(PyObject *module, PyObject *argument)
{
    module_state *state = PyModule_GetState(module);
    PyObject *links = PyList_New(0);
    PyObject *current = links == NULL ? NULL : unwrap_task(argument);
    while (current != NULL && current != Py_None) {
        const struct kind *kind = kind_of(current);
        PyObject *link = make_link(state, current, kind);
        if (link == NULL || PyList_Append(links, link) < 0) {
            Py_XDECREF(link);
            Py_CLEAR(current);
            break;
        }
        Py_DECREF(link);
        PyObject *next = kind == NULL ? NULL : PyObject_GetAttrString(current, kind->awaiting);
        Py_DECREF(current);
        current = next;
    }
    Py_XDECREF(current);
    if (PyErr_Occurred()) {
        Py_CLEAR(links);
    }
    return links;
}

static PyMethodDef methods[] = {
    {"chain", chain, METH_O, chain_doc},
    {NULL, NULL, 0, NULL},
};

static int
module_exec(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    state->link = PyStructSequence_NewType(&link_description);
    if (state->link == NULL) {
        return -1;
    }
    Py_INCREF(state->link);
    if (PyModule_AddObject(module, "Link", (PyObject *)state->link) < 0) {
        Py_DECREF(state->link);
        return -1;
    }
    return 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = PyModule_GetState(module);
    Py_VISIT(state->link);
    return 0;
}

static int
module_clear(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->link);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "async_stack._chain",
    .m_doc = "The await chain of a suspended awaitable.",
    .m_size = sizeof(module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC
PyInit__chain(void)
{
    return PyModuleDef_Init(&definition);
}
