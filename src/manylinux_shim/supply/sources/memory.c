/* Memory: what <string.h>, <stdlib.h> and <sys/mman.h> got after glibc 2.17. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void __chk_fail(void) __attribute__((noreturn));

/* Memory that nobody reads again is still written: the compiler cannot see who looks. */
#define KEEP(place) __asm__ volatile("" : : "r"(place) : "memory")

void explicit_bzero(void *place, size_t length)
{
    memset(place, 0, length);
    KEEP(place);
}

void __explicit_bzero_chk(void *place, size_t length, size_t room)
{
    if (room < length)
        __chk_fail();
    explicit_bzero(place, length);
}

void *memset_explicit(void *place, int byte, size_t length)
{
    memset(place, byte, length);
    KEEP(place);
    return place;
}

void *__memset_explicit_chk(void *place, int byte, size_t length, size_t room)
{
    if (room < length)
        __chk_fail();
    return memset_explicit(place, byte, length);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t length;

    if (__builtin_mul_overflow(count, size, &length)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, length);
}

void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    free(block);
}

size_t memalignment(const void *place)
{
    return (uintptr_t)place & -(uintptr_t)place;
}

int __memcmpeq(const void *one, const void *other, size_t length)
{
    return memcmp(one, other, length);
}

int memfd_create(const char *name, unsigned int flags)
{
    return (int)syscall(__NR_memfd_create, name, flags);
}

int mlock2(const void *place, size_t length, unsigned int flags)
{
    /* As in glibc: without flags it is mlock, which every kernel has. */
    if (flags == 0)
        return mlock(place, length);
    if (syscall(__NR_mlock2, place, length, flags) == 0)
        return 0;
    if (errno == ENOSYS)
        errno = EINVAL;
    return -1;
}
