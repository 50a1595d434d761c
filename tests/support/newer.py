"""A program of functions that are newer than glibc 2.17; it ends with a line's number if wrong."""

USES = r"""
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <threads.h>
#include <unistd.h>

#undef assert /* which -O2 alone does not take away, and -DNDEBUG does */
#define assert(what) do { if (!(what)) return __LINE__; } while (0)
#ifdef __STDC_NO_THREADS__
# error there are threads
#endif
#if __GLIBC_PREREQ(2, 18)
# error the version is the target's
#endif

static int work(void *given) { *(int *)given = 5; return 3; }

int main(void)
{
    unsigned char bytes[64], other[64];
    char text[8];
    struct statx found;
    thrd_t thread;
    int result, worked = 0, file;
    int *numbers = (int *)reallocarray(NULL, 4, sizeof(int));

    assert(numbers != NULL && reallocarray(NULL, (size_t)-1, 2) == NULL && errno == ENOMEM);
    assert(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
    assert(getentropy(other, sizeof other) == 0 && memcmp(bytes, other, sizeof bytes) != 0);
    explicit_bzero(bytes, sizeof bytes);
    assert(bytes[0] == 0 && bytes[63] == 0);
    arc4random_buf(bytes, sizeof bytes);
    assert(arc4random_uniform(1) == 0);
    assert(strlcpy(text, "abcdefghij", sizeof text) == 10 && strcmp(text, "abcdefg") == 0);
    assert(strlcat(text, "x", sizeof text) == 8);
    file = memfd_create("it", MFD_CLOEXEC);
    assert(file >= 0 && write(file, "12345", 5) == 5);
    assert(statx(file, "", AT_EMPTY_PATH, STATX_SIZE, &found) == 0 && found.stx_size == 5);
    assert(copy_file_range(-1, NULL, file, NULL, 1, 0) == -1);
    assert(close_range(1000, 1000, 0) == 0 || errno == ENOSYS);
    assert(thrd_create(&thread, work, &worked) == thrd_success);
    assert(thrd_join(thread, &result) == thrd_success && result == 3 && worked == 5);
    assert(gettid() == getpid() && __libc_single_threaded == 0);
    return 0;
}
"""
"""For targets whose glibc is 2.17; C and C++."""
