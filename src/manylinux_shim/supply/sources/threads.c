/* Waiting until a time of a named clock: glibc 2.30 and 2.31. Before, each of these objects
   waits by a clock of its own, so a deadline of the other clock is waited for in short
   steps, and looked at again after each: a clock that is set meanwhile makes no more than
   one step too long or too short. */

#define _GNU_SOURCE
#include <errno.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000L
#define STEP 200000000L

static int is_later(const struct timespec *one, const struct timespec *other)
{
    if (one->tv_sec != other->tv_sec)
        return one->tv_sec > other->tv_sec;
    return one->tv_nsec > other->tv_nsec;
}

static struct timespec sum(struct timespec one, const struct timespec *other, int sign)
{
    one.tv_sec += sign * other->tv_sec;
    one.tv_nsec += sign * other->tv_nsec;
    if (one.tv_nsec >= SECOND) {
        one.tv_nsec -= SECOND;
        one.tv_sec++;
    } else if (one.tv_nsec < 0) {
        one.tv_nsec += SECOND;
        one.tv_sec--;
    }
    return one;
}

static int is_wrong(clockid_t clock, const struct timespec *deadline)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return 1;
    return deadline->tv_nsec < 0 || deadline->tv_nsec >= SECOND;
}

/* When, by clock `own`, to look again: at `deadline` of `clock`, or after a step at most.
   Returns whether the deadline has passed. */
static int next_look(clockid_t own, clockid_t clock, const struct timespec *deadline,
                     struct timespec *look)
{
    static const struct timespec step = {0, STEP};
    struct timespec now, left;

    clock_gettime(clock, &now);
    left = sum(*deadline, &now, -1);
    clock_gettime(own, look);
    if (left.tv_sec < 0 || (left.tv_sec == 0 && left.tv_nsec == 0))
        return 1;
    *look = sum(*look, is_later(&left, &step) ? &step : &left, 1);
    return 0;
}

/* The clock that a condition variable waits by, which pthread_cond_init stored in it: a bit
   of a word that glibc 2.25 and 2.41 moved (nptl/pthread_cond_init.c). */
static clockid_t own_clock(const pthread_cond_t *condition)
{
    const unsigned int *words = (const unsigned int *)condition;
    const char *version = gnu_get_libc_version();
    int minor = version[0] == '2' ? atoi(version + 2) : 99;

    if (minor < 25)
        return words[sizeof(void *) == 8 ? 10 : 9] & 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    return words[minor < 41 ? 9 : 7] & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline)
{
    struct timespec look;
    clockid_t own;
    int error, passed;

    if (is_wrong(clock, deadline))
        return EINVAL;
    own = own_clock(condition);
    if (own == clock)
        return pthread_cond_timedwait(condition, mutex, deadline);
    passed = next_look(own, clock, deadline, &look);
    error = pthread_cond_timedwait(condition, mutex, &look);
    if (error != ETIMEDOUT || passed)
        return error;
    /* Whoever waits on a condition variable may be woken without reason, and looks at what
       it waits for. Waiting on here would miss a signal that came between two steps. */
    return next_look(own, clock, deadline, &look) ? ETIMEDOUT : 0;
}

#define UNTIL(own, clock, deadline, wait)                     \
    struct timespec look;                                     \
    int passed, result;                                       \
    do {                                                      \
        passed = next_look(own, clock, deadline, &look);      \
        result = wait;                                        \
    } while (result == ETIMEDOUT && !passed);                 \
    return result;

#define LOCK(name, type, wait)                                                        \
    int name(type *lock, clockid_t clock, const struct timespec *deadline)            \
    {                                                                                 \
        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)                      \
            return EINVAL;                                                            \
        /* A deadline that is no time is an error only if it has to be waited for. */ \
        if (clock == CLOCK_REALTIME || is_wrong(clock, deadline))                     \
            return wait(lock, deadline);                                              \
        UNTIL(CLOCK_REALTIME, clock, deadline, wait(lock, &look))                     \
    }

LOCK(pthread_mutex_clocklock, pthread_mutex_t, pthread_mutex_timedlock)
LOCK(pthread_rwlock_clockrdlock, pthread_rwlock_t, pthread_rwlock_timedrdlock)
LOCK(pthread_rwlock_clockwrlock, pthread_rwlock_t, pthread_rwlock_timedwrlock)

static int wait_once(sem_t *semaphore, const struct timespec *deadline)
{
    return sem_timedwait(semaphore, deadline) == 0 ? 0 : errno;
}

static int wait_until(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
    UNTIL(CLOCK_REALTIME, clock, deadline, wait_once(semaphore, &look))
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
    int error = EINVAL;

    if (clock == CLOCK_REALTIME)
        return sem_timedwait(semaphore, deadline);
    if (clock == CLOCK_MONOTONIC && !is_wrong(clock, deadline))
        error = wait_until(semaphore, clock, deadline);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

int pthread_clockjoin_np(pthread_t thread, void **result_of, clockid_t clock,
                         const struct timespec *deadline)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    if (deadline == NULL)
        return pthread_join(thread, result_of);
    if (clock == CLOCK_REALTIME || is_wrong(clock, deadline))
        return pthread_timedjoin_np(thread, result_of, deadline);
    UNTIL(CLOCK_REALTIME, clock, deadline, pthread_timedjoin_np(thread, result_of, &look))
}
