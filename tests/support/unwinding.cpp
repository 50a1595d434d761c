// The end of a thread, and exceptions, through frames of C++ that others call.
#include <Python.h>

#include <pthread.h>
#include <time.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

static std::string seen;

struct Noted {
    std::string name;
    ~Noted() { seen += name + " destroyed, "; }
};

static void pause_for(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, nullptr);
}

static void *leave(void *)
{
    Noted noted{"left"};
    pthread_exit(nullptr);
}

static void *leave_what_is_caught(void *)
{
    Noted noted{"outer"};
    try {
        Noted inner{"inner"};
        pthread_exit(nullptr);
    } catch (...) {
        seen += "caught, ";
        throw;
    }
    return nullptr;
}

static void *wait_for_ever(void *)
{
    Noted noted{"cancelled"};
    for (;;) {
        pause_for(1);
    }
}

static PyObject *rethrown(PyObject *, PyObject *)
{
    seen.clear();
    pthread_t thread;
    pthread_create(&thread, nullptr, leave_what_is_caught, nullptr);
    pthread_join(thread, nullptr);
    return PyUnicode_FromString(seen.c_str());
}

static PyObject *threads(PyObject *, PyObject *)
{
    seen.clear();
    pthread_t thread;
    pthread_create(&thread, nullptr, leave, nullptr);
    pthread_join(thread, nullptr);
    pthread_create(&thread, nullptr, wait_for_ever, nullptr);
    pause_for(20);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
    return PyUnicode_FromString(seen.c_str());
}

static int refuse(const void *, const void *)
{
    Noted noted{"order"};
    throw std::out_of_range("not in order");
}

static PyObject *through_c(PyObject *, PyObject *)
{
    seen.clear();
    int numbers[] = {3, 1, 2};
    try {
        try {
            qsort(numbers, 3, sizeof numbers[0], refuse);
        } catch (...) {
            seen += "caught, ";
            throw;
        }
    } catch (const std::logic_error &error) {
        seen += error.what();
    }
    return PyUnicode_FromString(seen.c_str());
}

// Takes the GIL for ever: while Python finishes, that ends the thread (before CPython 3.14).
static PyObject *begin(PyObject *, PyObject *)
{
    std::thread([] {
        for (;;) {
            Noted noted{"turn"};
            PyGILState_STATE state = PyGILState_Ensure();
            PyGILState_Release(state);
            pause_for(1);
        }
    }).detach();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"threads", threads, METH_NOARGS, nullptr},
    {"rethrown", rethrown, METH_NOARGS, nullptr},
    {"through_c", through_c, METH_NOARGS, nullptr},
    {"begin", begin, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "unwinding", nullptr, -1, methods,
                             nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit_unwinding(void)
{
    return PyModule_Create(&module);
}
