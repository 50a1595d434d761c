/* System calls on processes that glibc wrapped after 2.17. */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct sched_attr;

pid_t gettid(void) { return (pid_t)syscall(__NR_gettid); }

int tgkill(pid_t process, pid_t thread, int number)
{
    return (int)syscall(__NR_tgkill, process, thread, number);
}

int getcpu(unsigned int *cpu, unsigned int *node)
{
    return (int)syscall(__NR_getcpu, cpu, node, NULL);
}

int pidfd_open(pid_t process, unsigned int flags)
{
    return (int)syscall(__NR_pidfd_open, process, flags);
}

int pidfd_getfd(int fd, int target, unsigned int flags)
{
    return (int)syscall(__NR_pidfd_getfd, fd, target, flags);
}

int pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags)
{
    return (int)syscall(__NR_pidfd_send_signal, fd, number, info, flags);
}

ssize_t process_madvise(int fd, const struct iovec *parts, size_t count, int advice,
                        unsigned int flags)
{
    return syscall(__NR_process_madvise, fd, parts, count, advice, flags);
}

int process_mrelease(int fd, unsigned int flags)
{
    return (int)syscall(__NR_process_mrelease, fd, flags);
}

int sched_getattr(pid_t thread, struct sched_attr *attributes, unsigned int size,
                  unsigned int flags)
{
    return (int)syscall(__NR_sched_getattr, thread, attributes, size, flags);
}

int sched_setattr(pid_t thread, struct sched_attr *attributes, unsigned int flags)
{
    return (int)syscall(__NR_sched_setattr, thread, attributes, flags);
}

/* TIME_UTC was the only base that there was when it came. */
int timespec_getres(struct timespec *resolution, int base)
{
    return base == 1 && clock_getres(CLOCK_REALTIME, resolution) == 0 ? base : 0;
}
