/* getrandom(2), getentropy(3) and arc4random(3). */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
    return syscall(__NR_getrandom, buffer, length, flags);
}

static ssize_t random_bytes(void *buffer, size_t length)
{
    return syscall(__NR_getrandom, buffer, length, 0);
}

int getentropy(void *buffer, size_t length)
{
    char *at = buffer, *end = at + length;

    if (length > 256) {
        errno = EIO;
        return -1;
    }
    while (at < end) {
        ssize_t count = random_bytes(at, (size_t)(end - at));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0) {
            errno = EIO;
            return -1;
        }
        at += count;
    }
    return 0;
}

/* What is promised cannot fail, so glibc too ends the process where the kernel has
   neither the system call nor the device. */
static void read_device(char *at, char *end)
{
    struct pollfd seeded = {.events = POLLIN};
    int fd;

    /* /dev/random can be read once the kernel has collected enough. */
    seeded.fd = open("/dev/random", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (seeded.fd >= 0) {
        while (poll(&seeded, 1, -1) < 0 && errno == EINTR)
            ;
        close(seeded.fd);
    }
    fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        abort();
    while (at < end) {
        ssize_t count = read(fd, at, (size_t)(end - at));
        if (count > 0)
            at += count;
        else if (count == 0 || errno != EINTR)
            abort();
    }
    close(fd);
}

void arc4random_buf(void *buffer, size_t length)
{
    char *at = buffer, *end = at + length;
    int before = errno;

    while (at < end) {
        ssize_t count = random_bytes(at, (size_t)(end - at));
        if (count > 0) {
            at += count;
        } else if (count == 0 || errno != EINTR) {
            read_device(at, end);
            break;
        }
    }
    errno = before;
}

uint32_t arc4random(void)
{
    uint32_t number;

    arc4random_buf(&number, sizeof number);
    return number;
}

uint32_t arc4random_uniform(uint32_t bound)
{
    uint32_t mask, number;

    if (bound < 2)
        return 0;
    /* All bits that numbers below the bound can have; those that are not below it are
       thrown away, at most every other one, so that all others are equally likely. */
    mask = UINT32_MAX >> __builtin_clz(bound - 1);
    do
        number = arc4random() & mask;
    while (number >= bound);
    return number;
}
