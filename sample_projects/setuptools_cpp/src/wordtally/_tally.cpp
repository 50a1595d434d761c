// wordtally.tally for Python: strings in, a dict out, C++ exceptions as Python ones.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "count.hpp"

namespace {

struct Release {
    void operator()(PyObject *object) const noexcept { Py_XDECREF(object); }
};
using Owned = std::unique_ptr<PyObject, Release>;

// Thrown where a Python exception is already set.
struct PythonError {};

// The interpreter's lock, let go for as long as this lives.
class Unlocked {
public:
    Unlocked() : state_(PyEval_SaveThread()) {}
    ~Unlocked() { PyEval_RestoreThread(state_); }
    Unlocked(const Unlocked &) = delete;
    Unlocked &operator=(const Unlocked &) = delete;

private:
    PyThreadState *state_;
};

Owned owned(PyObject *object)
{
    if (object == nullptr) {
        throw PythonError{};
    }
    return Owned(object);
}

std::vector<std::string> strings(PyObject *iterable)
{
    std::vector<std::string> result;
    Owned iterator = owned(PyObject_GetIter(iterable));
    while (PyObject *item = PyIter_Next(iterator.get())) {
        Owned hold(item);
        Py_ssize_t size = 0;
        const char *data = PyUnicode_AsUTF8AndSize(item, &size);
        if (data == nullptr) {
            throw PythonError{};
        }
        result.emplace_back(data, static_cast<std::size_t>(size));
    }
    if (PyErr_Occurred() != nullptr) {
        throw PythonError{};
    }
    return result;
}

PyObject *dictionary(const wordtally::Counts &counts)
{
    Owned result = owned(PyDict_New());
    for (const auto &[word, times] : counts) {
        Owned value = owned(PyLong_FromSize_t(times));
        Owned key = owned(PyUnicode_FromStringAndSize(
            word.data(), static_cast<Py_ssize_t>(word.size())));
        if (PyDict_SetItem(result.get(), key.get(), value.get()) < 0) {
            throw PythonError{};
        }
    }
    return result.release();
}

PyObject *tally(PyObject *, PyObject *texts)
{
    try {
        const std::vector<std::string> copies = strings(texts);
        wordtally::Counts counts;
        {
            Unlocked unlocked;
            counts = wordtally::count(copies, std::thread::hardware_concurrency());
        }
        return dictionary(counts);
    } catch (const PythonError &) {
    } catch (const wordtally::BadText &error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const std::bad_alloc &) {
        PyErr_NoMemory();
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

PyMethodDef methods[] = {
    {"tally", tally, METH_O,
     "tally(texts)\n--\n\nHow often each word occurs in all the texts together."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "wordtally._tally", nullptr, 0, methods,
    nullptr, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__tally(void)
{
    return PyModule_Create(&definition);
}
