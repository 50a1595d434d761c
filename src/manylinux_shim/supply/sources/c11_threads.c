/* <threads.h>, which came with glibc 2.28 and is there what it is here: POSIX threads under
   other names. The types have the sizes of those of <pthread.h>. */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { SUCCESS, BUSY, ERROR, NO_MEMORY, TIMED_OUT };
enum { PLAIN = 0, RECURSIVE = 1, TIMED = 2 };

struct start {
    int (*function)(void *);
    void *argument;
};

static int status(int error)
{
    switch (error) {
    case 0:
        return SUCCESS;
    case ENOMEM:
        return NO_MEMORY;
    case ETIMEDOUT:
        return TIMED_OUT;
    case EBUSY:
        return BUSY;
    default:
        return ERROR;
    }
}

static void *run(void *given)
{
    struct start start = *(struct start *)given;

    free(given);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(pthread_t *thread, int (*function)(void *), void *argument)
{
    struct start *start = malloc(sizeof *start);
    int error;

    if (start == NULL)
        return NO_MEMORY;
    start->function = function;
    start->argument = argument;
    error = pthread_create(thread, NULL, run, start);
    if (error != 0)
        free(start);
    /* Too many threads is what POSIX says where C says that there is no memory. */
    return status(error == EAGAIN ? ENOMEM : error);
}

int thrd_join(pthread_t thread, int *result)
{
    void *returned;
    int error = pthread_join(thread, &returned);

    if (error == 0 && result != NULL)
        *result = (int)(intptr_t)returned;
    return status(error);
}

pthread_t thrd_current(void) { return pthread_self(); }
int thrd_detach(pthread_t thread) { return status(pthread_detach(thread)); }
int thrd_equal(pthread_t one, pthread_t other) { return pthread_equal(one, other); }
void thrd_exit(int result) { pthread_exit((void *)(intptr_t)result); }
void thrd_yield(void) { sched_yield(); }

int thrd_sleep(const struct timespec *time, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_REALTIME, 0, time, left);

    return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

int mtx_init(pthread_mutex_t *mutex, int kind)
{
    pthread_mutexattr_t attributes;
    int error;

    pthread_mutexattr_init(&attributes);
    /* Every mutex can be waited for until a time, so that TIMED adds nothing. */
    if (kind == (PLAIN | RECURSIVE) || kind == (TIMED | RECURSIVE))
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    error = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return status(error);
}

int mtx_lock(pthread_mutex_t *mutex) { return status(pthread_mutex_lock(mutex)); }
int mtx_trylock(pthread_mutex_t *mutex) { return status(pthread_mutex_trylock(mutex)); }
int mtx_unlock(pthread_mutex_t *mutex) { return status(pthread_mutex_unlock(mutex)); }
void mtx_destroy(pthread_mutex_t *mutex) { pthread_mutex_destroy(mutex); }

int mtx_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
    return status(pthread_mutex_timedlock(mutex, deadline));
}

int cnd_init(pthread_cond_t *condition) { return status(pthread_cond_init(condition, NULL)); }
int cnd_signal(pthread_cond_t *condition) { return status(pthread_cond_signal(condition)); }
int cnd_broadcast(pthread_cond_t *condition) { return status(pthread_cond_broadcast(condition)); }
void cnd_destroy(pthread_cond_t *condition) { pthread_cond_destroy(condition); }

int cnd_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return status(pthread_cond_wait(condition, mutex));
}

int cnd_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                  const struct timespec *deadline)
{
    return status(pthread_cond_timedwait(condition, mutex, deadline));
}

/* Newer headers declare this one in <stdlib.h>, too, with a type of their own. */
void once(pthread_once_t *, void (*)(void)) __asm__("call_once");
void once(pthread_once_t *flag, void (*function)(void)) { pthread_once(flag, function); }

int tss_create(pthread_key_t *key, void (*destructor)(void *))
{
    return status(pthread_key_create(key, destructor));
}

void *tss_get(pthread_key_t key) { return pthread_getspecific(key); }
int tss_set(pthread_key_t key, void *value) { return status(pthread_setspecific(key, value)); }
void tss_delete(pthread_key_t key) { pthread_key_delete(key); }
