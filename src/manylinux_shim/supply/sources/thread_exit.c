/* Destructors of C++ objects that are a thread's own: __cxa_thread_atexit_impl of glibc 2.18,
   under a name that does not pass for glibc's (no file for 2.17 may name that one).
   Where glibc has it, it is called. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

struct entry {
    void (*destructor)(void *);
    void *object;
    void *library;
    struct entry *next;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int unusable;
static int (*of_glibc)(void (*)(void *), void *, void *);

static void run(void *list)
{
    struct entry *entry = list;

    while (entry != NULL) {
        struct entry done = *entry;
        free(entry);
        /* A destructor may make objects of its own: those come next. */
        pthread_setspecific(key, done.next);
        done.destructor(done.object);
        if (done.library != NULL)
            dlclose(done.library);
        entry = pthread_getspecific(key);
    }
}

/* The thread that ends the process returns from main or calls exit, not from its start. */
static void run_last(void) { run(pthread_getspecific(key)); }

static void begin(void)
{
    /* No weak reference: it would bear a version, which a loader checks. */
    *(void **)&of_glibc = dlsym(RTLD_DEFAULT, "__cxa_thread_atexit_impl");
    if (of_glibc == NULL)
        unusable = pthread_key_create(&key, run) != 0 || atexit(run_last) != 0;
}

int _cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *handle)
{
    struct entry *entry;
    Dl_info info;

    pthread_once(&once, begin);
    if (of_glibc != NULL)
        return of_glibc(destructor, object, handle);
    entry = unusable ? NULL : malloc(sizeof *entry);
    if (entry == NULL)
        return -1;
    entry->destructor = destructor;
    entry->object = object;
    entry->library = NULL;
    /* The library that has the destructor must stay until it has run. */
    if (dladdr(handle, &info) != 0 && info.dli_fname != NULL)
        entry->library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    entry->next = pthread_getspecific(key);
    return pthread_setspecific(key, entry) == 0 ? 0 : (free(entry), -1);
}
