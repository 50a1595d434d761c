/* System calls on files that glibc wrapped after 2.17. Where the kernel is too old they fail
   with ENOSYS, as they do in glibc, but for what glibc itself does without it. */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct open_how;
struct statx;
struct mount_attr;

/* An offset as these system calls take it, in two registers. */
#define IN_TWO(offset) (long)(offset), (long)((unsigned long long)(offset) >> 32)

/* Before 2.28, fcntl handed its argument to a system call that takes both layouts. */
int fcntl64(int fd, int command, ...)
{
    va_list list;
    void *argument;

    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    return fcntl(fd, command, argument);
}

#if __SIZEOF_POINTER__ == 4
/* The same where time_t has 64 bits: no command's argument has a time in it (glibc 2.34). */
int __fcntl_time64(int fd, int command, ...)
{
    va_list list;
    void *argument;

    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    return fcntl(fd, command, argument);
}
#endif

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length,
                        unsigned int flags)
{
    return syscall(__NR_copy_file_range, in, in_at, out, out_at, length, flags);
}

int statx(int fd, const char *path, int flags, unsigned int mask, struct statx *found)
{
    return (int)syscall(__NR_statx, fd, path, flags, mask, found);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
    if (flags == 0)
        return renameat(from_fd, from, to_fd, to);
    if (syscall(__NR_renameat2, from_fd, from, to_fd, to, flags) == 0)
        return 0;
    /* As glibc: a kernel that lacks the call has none of the flags. */
    if (errno == ENOSYS)
        errno = EINVAL;
    return -1;
}

int close_range(unsigned int first, unsigned int last, int flags)
{
    return (int)syscall(__NR_close_range, first, last, flags);
}

/* Close what /proc lists from `first` on; no memory is taken, for this runs in children. */
static int close_listed(int first)
{
    char buffer[1024] __attribute__((aligned(8)));
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int again, before = errno;

    if (directory < 0)
        return -1;
    do {
        long length;
        again = 0;
        if (lseek(directory, 0, SEEK_SET) < 0)
            return -1;
        while ((length = syscall(__NR_getdents64, directory, buffer, sizeof buffer)) > 0) {
            char *at = buffer;
            while (at < buffer + length) {
                struct dirent64 *entry = (struct dirent64 *)at;
                const char *name = entry->d_name;
                int fd = 0;
                at += entry->d_reclen;
                if (*name < '0' || *name > '9')
                    continue;
                while (*name >= '0' && *name <= '9')
                    fd = fd * 10 + (*name++ - '0');
                if (fd >= first && fd != directory) {
                    close(fd);
                    again = 1;
                }
            }
        }
        if (length < 0)
            return -1;
        /* The listing of a directory that changes may leave entries out. */
    } while (again);
    close(directory);
    errno = before;
    return 0;
}

void closefrom(int first)
{
    int from = first > 0 ? first : 0;

    /* It cannot say that it failed, so glibc, too, ends the process. */
    if (syscall(__NR_close_range, from, ~0U, 0) != 0 && close_listed(from) != 0)
        abort();
}

ssize_t getdents64(int fd, void *buffer, size_t length)
{
    /* The system call returns an int and takes no longer buffer. */
    if (length > INT_MAX)
        length = INT_MAX;
    return syscall(__NR_getdents64, fd, buffer, length);
}

/* Without flags these do what every kernel can; -1 stands for the file's own position. */
#define VECTOR(name, plain, at_place, offset_type)                                       \
    ssize_t name(int fd, const struct iovec *parts, int count, offset_type offset,       \
                 int flags)                                                              \
    {                                                                                    \
        ssize_t done = syscall(__NR_##plain##2, fd, parts, count, IN_TWO(offset), flags); \
        if (done >= 0 || errno != ENOSYS)                                                \
            return done;                                                                 \
        if (flags != 0) {                                                                \
            errno = ENOTSUP;                                                             \
            return -1;                                                                   \
        }                                                                                \
        return offset == -1 ? at_place(fd, parts, count)                                 \
                            : plain##64(fd, parts, count, offset);                       \
    }

VECTOR(preadv2, preadv, readv, off_t)
VECTOR(pwritev2, pwritev, writev, off_t)
VECTOR(preadv64v2, preadv, readv, off64_t)
VECTOR(pwritev64v2, pwritev, writev, off64_t)

int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
             int flags)
{
    return (int)syscall(__NR_execveat, fd, path, arguments, environment, flags);
}

int openat2(int fd, const char *path, const struct open_how *how, size_t size)
{
    return (int)syscall(__NR_openat2, fd, path, how, size);
}

#if __LP64__
int epoll_pwait2(int fd, struct epoll_event *events, int most, const struct timespec *timeout,
                 const sigset_t *mask)
{
    return (int)syscall(__NR_epoll_pwait2, fd, events, most, timeout, mask, _NSIG / 8);
}
#endif

int fsopen(const char *name, unsigned int flags)
{
    return (int)syscall(__NR_fsopen, name, flags);
}

int fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
    return (int)syscall(__NR_fsconfig, fd, command, key, value, aux);
}

int fsmount(int fd, unsigned int flags, unsigned int attributes)
{
    return (int)syscall(__NR_fsmount, fd, flags, attributes);
}

int fspick(int fd, const char *path, unsigned int flags)
{
    return (int)syscall(__NR_fspick, fd, path, flags);
}

int move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
    return (int)syscall(__NR_move_mount, from_fd, from, to_fd, to, flags);
}

int open_tree(int fd, const char *path, unsigned int flags)
{
    return (int)syscall(__NR_open_tree, fd, path, flags);
}

int mount_setattr(int fd, const char *path, unsigned int flags, struct mount_attr *attributes,
                  size_t size)
{
    return (int)syscall(__NR_mount_setattr, fd, path, flags, attributes, size);
}
