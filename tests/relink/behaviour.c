/* What glibc documents of the functions that relinking supplies, as checks.

   behaviour LIBRARY    checks the functions of that library
   behaviour -          checks those of the system itself

   in the directory that a second argument names, and

   prints a line for each: its name, then "ok", "missing", or the line of the check that
   does not hold. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

typedef void any(void);
#define AS(type) ((type)function)
#define CHECK(condition) do { if (!(condition)) return __LINE__; } while (0)
/* A kernel that lacks a system call may say so, and nothing else. */
#define CALL_OR_ENOSYS(result, condition) \
    do { if (!((result) == -1 && errno == ENOSYS)) CHECK(condition); } while (0)

static const char *scratch = "behaviour-scratch";

/* stat.c */
#define STAT(name, kind, call)                                                    \
    static int check_##name(any *function)                                        \
    {                                                                             \
        struct kind found;                                                        \
        int fd = open(scratch, O_RDONLY);                                         \
        memset(&found, 0x55, sizeof found);                                       \
        CHECK(fd >= 0 && (call) == 0);                                            \
        CHECK(found.st_size == 5 && S_ISREG(found.st_mode));                      \
        CHECK((found.st_mode & 07777) == 0640 && found.st_nlink == 1);            \
        CHECK(found.st_uid == geteuid() && found.st_mtime > 1500000000);          \
        close(fd);                                                                \
        errno = 0;                                                                \
        return 0;                                                                 \
    }
typedef int by_path(const char *, void *);
typedef int by_fd(int, void *);
typedef int at_path(int, const char *, void *, int);
STAT(stat, stat, AS(by_path *)(scratch, &found))
STAT(lstat, stat, AS(by_path *)(scratch, &found))
STAT(fstat, stat, AS(by_fd *)(fd, &found))
STAT(fstatat, stat, AS(at_path *)(AT_FDCWD, scratch, &found, 0))
STAT(stat64, stat64, AS(by_path *)(scratch, &found))
STAT(lstat64, stat64, AS(by_path *)(scratch, &found))
STAT(fstat64, stat64, AS(by_fd *)(fd, &found))
STAT(fstatat64, stat64, AS(at_path *)(AT_FDCWD, scratch, &found, AT_SYMLINK_NOFOLLOW))

static int made_fifo(int result)
{
    struct stat64 found;
    CHECK(result == 0 && syscall(SYS_faccessat, AT_FDCWD, "behaviour-fifo", F_OK) == 0);
    DIR *here = opendir(".");
    int kind = 0;
    for (struct dirent *e; (e = readdir(here)) != NULL;)
        if (strcmp(e->d_name, "behaviour-fifo") == 0)
            kind = e->d_type;
    closedir(here);
    (void)found;
    CHECK(unlink("behaviour-fifo") == 0);
    CHECK(kind == DT_FIFO || kind == DT_UNKNOWN);
    return 0;
}
static int check_mknod(any *function)
{
    typedef int type(const char *, mode_t, dev_t);
    int failed = made_fifo(AS(type *)("behaviour-fifo", S_IFIFO | 0600, 0));
    CHECK(AS(type *)("behaviour-none/x", S_IFIFO | 0600, 0) == -1 && errno == ENOENT);
    return failed;
}
static int check_mknodat(any *function)
{
    typedef int type(int, const char *, mode_t, dev_t);
    return made_fifo(AS(type *)(AT_FDCWD, "behaviour-fifo", S_IFIFO | 0600, 0));
}

/* random.c */
static int varied(const unsigned char *bytes, size_t length)
{
    size_t zeros = 0;
    for (size_t n = 0; n < length; n++)
        zeros += bytes[n] == 0;
    return zeros < length / 8;
}
static int check_getrandom(any *function)
{
    typedef ssize_t type(void *, size_t, unsigned);
    unsigned char bytes[200] = {0};
    ssize_t got = AS(type *)(bytes, sizeof bytes, 0);
    CALL_OR_ENOSYS(got, got == 200 && varied(bytes, sizeof bytes));
    CHECK(AS(type *)(bytes, 1, 0x8000) == -1 && (errno == EINVAL || errno == ENOSYS));
    return 0;
}
static int check_getentropy(any *function)
{
    typedef int type(void *, size_t);
    unsigned char bytes[257] = {0};
    int done = AS(type *)(bytes, 256);
    CALL_OR_ENOSYS(done, done == 0 && varied(bytes, 256) && bytes[256] == 0);
    CHECK(AS(type *)(bytes, 257) == -1 && errno == EIO);
    return 0;
}
static int check_arc4random(any *function)
{
    uint32_t all = 0;
    for (int n = 0; n < 64; n++)
        all |= AS(uint32_t (*)(void))();
    CHECK(all == UINT32_MAX);
    return 0;
}
static int check_arc4random_buf(any *function)
{
    unsigned char bytes[5001] = {0};
    errno = EDOM;
    AS(void (*)(void *, size_t))(bytes, 5000);
    CHECK(varied(bytes, 5000) && bytes[5000] == 0 && errno == EDOM);
    return 0;
}
static int check_arc4random_uniform(any *function)
{
    typedef uint32_t type(uint32_t);
    int seen[7] = {0};
    CHECK(AS(type *)(0) == 0 && AS(type *)(1) == 0 && AS(type *)(2) < 2);
    for (int n = 0; n < 7000; n++) {
        uint32_t number = AS(type *)(7);
        CHECK(number < 7);
        seen[number]++;
    }
    for (int n = 0; n < 7; n++)
        CHECK(seen[n] > 700 && seen[n] < 1300);
    CHECK(AS(type *)(0x80000001) <= 0x80000000);
    return 0;
}

/* memory.c */
static int aborts(void (*run)(any *), any *function)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        signal(SIGABRT, SIG_DFL);
        dup2(null, 1);
        dup2(null, 2);
        run(function);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}
static int check_explicit_bzero(any *function)
{
    char text[] = "abcdef";
    AS(void (*)(void *, size_t))(text + 1, 3);
    CHECK(memcmp(text, "a\0\0\0ef", 7) == 0);
    return 0;
}
typedef void zero_checked(void *, size_t, size_t);
static void zero_too_much(any *function) { char b[4]; AS(zero_checked *)(b, 4, 3); }
static int check___explicit_bzero_chk(any *function)
{
    char text[] = "abcdef";
    AS(zero_checked *)(text, 2, 2);
    CHECK(memcmp(text, "\0\0cdef", 7) == 0 && aborts(zero_too_much, function));
    return 0;
}
static int check_memset_explicit(any *function)
{
    char text[] = "abcdef";
    CHECK(AS(void *(*)(void *, int, size_t))(text, 'x', 4) == text && strcmp(text, "xxxxef") == 0);
    return 0;
}
typedef void *set_checked(void *, int, size_t, size_t);
static void set_too_much(any *function) { char b[4]; AS(set_checked *)(b, 0, 4, 3); }
static int check___memset_explicit_chk(any *function)
{
    char text[] = "abc";
    CHECK(AS(set_checked *)(text, 'y', 3, 3) == text && strcmp(text, "yyy") == 0);
    CHECK(aborts(set_too_much, function));
    return 0;
}
static int check_reallocarray(any *function)
{
    typedef void *type(void *, size_t, size_t);
    char *block = AS(type *)(NULL, 3, 5);
    CHECK(block != NULL);
    strcpy(block, "kept");
    block = AS(type *)(block, 1000, 1000);
    CHECK(block != NULL && strcmp(block, "kept") == 0);
    errno = 0;
    CHECK(AS(type *)(block, SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
    free(block);
    return 0;
}
static int check_free_sized(any *function)
{
    errno = EDOM;
    AS(void (*)(void *, size_t))(malloc(40), 40);
    AS(void (*)(void *, size_t))(NULL, 0);
    CHECK(errno == EDOM);
    return 0;
}
static int check_free_aligned_sized(any *function)
{
    AS(void (*)(void *, size_t, size_t))(aligned_alloc(64, 128), 64, 128);
    AS(void (*)(void *, size_t, size_t))(NULL, 64, 128);
    return 0;
}
static int check_memalignment(any *function)
{
    typedef size_t type(const void *);
    CHECK(AS(type *)(NULL) == 0 && AS(type *)((void *)48) == 16 && AS(type *)((void *)1) == 1);
    return 0;
}
static int check___memcmpeq(any *function)
{
    typedef int type(const void *, const void *, size_t);
    CHECK(AS(type *)("abc", "abd", 2) == 0 && AS(type *)("abc", "abd", 3) != 0);
    return 0;
}
static int check_memfd_create(any *function)
{
    typedef int type(const char *, unsigned);
    int fd = AS(type *)("name", 1);
    CALL_OR_ENOSYS(fd, write(fd, "abc", 3) == 3 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK(AS(type *)("name", 0x4000) == -1 && (errno == EINVAL || errno == ENOSYS));
    return 0;
}
static int check_mlock2(any *function)
{
    typedef int type(const void *, size_t, unsigned);
    static char page[4096];
    CHECK(AS(type *)(page, 1, 0) == 0 || errno == EPERM || errno == ENOMEM);
    CHECK(AS(type *)(page, 1, 0x1000) == -1 && errno == EINVAL);
    munlock(page, 1);
    return 0;
}

/* string.c */
static int check_strlcpy(any *function)
{
    typedef size_t type(char *, const char *, size_t);
    char to[] = "######";
    CHECK(AS(type *)(to, "abcdefgh", 4) == 8 && memcmp(to, "abc\0##", 7) == 0);
    CHECK(AS(type *)(to, "x", 6) == 1 && memcmp(to, "x\0c\0##", 7) == 0);
    CHECK(AS(type *)(to, "long", 0) == 4 && to[0] == 'x');
    return 0;
}
static int check_strlcat(any *function)
{
    typedef size_t type(char *, const char *, size_t);
    char to[8] = "ab";
    CHECK(AS(type *)(to, "cdefghij", 6) == 10 && strcmp(to, "abcde") == 0);
    CHECK(AS(type *)(to, "!", 8) == 6 && strcmp(to, "abcde!") == 0);
    CHECK(AS(type *)(to, "xyz", 3) == 6 && strcmp(to, "abcde!") == 0);
    return 0;
}
static int check_wcslcpy(any *function)
{
    typedef size_t type(wchar_t *, const wchar_t *, size_t);
    wchar_t to[] = L"######";
    CHECK(AS(type *)(to, L"abcdefgh", 4) == 8 && wmemcmp(to, L"abc\0##", 7) == 0);
    return 0;
}
static int check_wcslcat(any *function)
{
    typedef size_t type(wchar_t *, const wchar_t *, size_t);
    wchar_t to[8] = L"ab";
    CHECK(AS(type *)(to, L"cdefghij", 6) == 10 && wcscmp(to, L"abcde") == 0);
    CHECK(AS(type *)(to, L"xyz", 3) == 6 && wcscmp(to, L"abcde") == 0);
    return 0;
}
#define CHECKED(name, letter, text)                                                          \
    typedef size_t type_##name(letter *, const letter *, size_t, size_t);                    \
    static void over_##name(any *function)                                                   \
    {                                                                                        \
        letter to[4] = {0};                                                                  \
        AS(type_##name *)(to, text, 5, 4);                                                   \
    }                                                                                        \
    static int check___##name##_chk(any *function)                                           \
    {                                                                                        \
        letter to[4] = {0};                                                                  \
        CHECK(AS(type_##name *)(to, text, 4, 4) == 5 && to[2] == text[2] && to[3] == 0);     \
        CHECK(aborts(over_##name, function));                                                \
        return 0;                                                                            \
    }
CHECKED(strlcpy, char, "abcde")
CHECKED(strlcat, char, "abcde")
CHECKED(wcslcpy, wchar_t, L"abcde")
CHECKED(wcslcat, wchar_t, L"abcde")

/* strtol.c */
#define READS(name, letter, L, type, low, high, call)                                         \
    static int check___isoc23_##name(any *function)                                           \
    {                                                                                         \
        letter *end;                                                                          \
        locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);                                  \
        const struct { const letter *text; int base; type value; int used; int error; }       \
        cases[] = {                                                                           \
            {L##"42x", 10, 42, 2, 0}, {L##" -0x1f", 0, (type)-31, 6, 0},                      \
            {L##"0b101", 0, 5, 5, 0}, {L##"\t+0B11 2", 2, 3, 6, 0},                           \
            {L##"-0b10", 0, (type)-2, 5, 0}, {L##"0b2", 0, 0, 1, 0},                          \
            {L##"0b101", 10, 0, 1, 0}, {L##"0b", 2, 0, 1, 0}, {L##"0b1", 16, 0xb1, 3, 0},     \
            {L##"017", 0, 15, 3, 0}, {L##"none", 0, 0, 0, 0}, {L##"101", 2, 5, 3, 0},         \
            {L##"99999999999999999999999", 10, high, 23, ERANGE},                             \
            {L##"0b" L##"1111111111111111111111111111111111111111111111111111111111111111"    \
             L##"1", 0, high, 67, ERANGE},                                                    \
            {L##"-0b" L##"1111111111111111111111111111111111111111111111111111111111111111"   \
             L##"1", 2, low, 68, ERANGE},                                                     \
        };                                                                                    \
        (void)locale;                                                                         \
        for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {                           \
            const letter *text = cases[n].text;                                               \
            int base = cases[n].base;                                                         \
            errno = 0;                                                                        \
            type value = call;                                                                \
            if (value != cases[n].value || end - text != cases[n].used ||                     \
                errno != cases[n].error)                                                      \
                return 10000 + (int)n;                                                        \
        }                                                                                     \
        freelocale(locale);                                                                   \
        return 0;                                                                             \
    }
#define PLAIN(letter, type) AS(type (*)(const letter *, letter **, int))(text, &end, base)
#define LOCAL(letter, type) \
    AS(type (*)(const letter *, letter **, int, locale_t))(text, &end, base, locale)
#define NARROW
typedef long long longlong;
typedef unsigned long ulong_;
typedef unsigned long long ulonglong;
#define ALL(prefix, letter, L)                                                                \
    READS(prefix##l, letter, L, long, LONG_MIN, LONG_MAX, PLAIN(letter, long))                \
    READS(prefix##ll, letter, L, longlong, LLONG_MIN, LLONG_MAX, PLAIN(letter, longlong))     \
    READS(prefix##imax, letter, L, intmax_t, INTMAX_MIN, INTMAX_MAX, PLAIN(letter, intmax_t)) \
    READS(prefix##ul, letter, L, ulong_, ULONG_MAX, ULONG_MAX, PLAIN(letter, ulong_))         \
    READS(prefix##ull, letter, L, ulonglong, ULLONG_MAX, ULLONG_MAX, PLAIN(letter, ulonglong)) \
    READS(prefix##umax, letter, L, uintmax_t, UINTMAX_MAX, UINTMAX_MAX,                       \
          PLAIN(letter, uintmax_t))                                                           \
    READS(prefix##l_l, letter, L, long, LONG_MIN, LONG_MAX, LOCAL(letter, long))              \
    READS(prefix##ll_l, letter, L, longlong, LLONG_MIN, LLONG_MAX, LOCAL(letter, longlong))   \
    READS(prefix##ul_l, letter, L, ulong_, ULONG_MAX, ULONG_MAX, LOCAL(letter, ulong_))       \
    READS(prefix##ull_l, letter, L, ulonglong, ULLONG_MAX, ULLONG_MAX, LOCAL(letter, ulonglong))
ALL(strto, char, )
ALL(wcsto, wchar_t, L)

/* scanf.c */
static int with_list(any *function, int source, void *from, const void *format, ...)
{
    va_list list;
    int count;
    va_start(list, format);
    count = source ? AS(int (*)(void *, const void *, va_list))(from, format, list)
                   : AS(int (*)(const void *, va_list))(format, list);
    va_end(list);
    return count;
}
#define SCANS(name, text, format, call)                                           \
    static int check___isoc23_##name(any *function)                               \
    {                                                                             \
        int number = 0;                                                           \
        char word[8] = "";                                                        \
        FILE *file = tmpfile(), *before = stdin;         \
        const void *from = text, *pattern = format;                               \
        int count;                                                                \
        (void)from;                                                               \
        CHECK(write(fileno(file), "12 abc", 6) == 6 && lseek(fileno(file), 0, 0) == 0); \
        stdin = file;                                                             \
        count = call;                                                             \
        stdin = before;                                                           \
        fclose(file);                                                             \
        CHECK(count == 2 && number == 12 && strcmp(word, "abc") == 0);            \
        return 0;                                                                 \
    }
#define INTO &number, word
typedef int from_source(const void *, const void *, ...);
typedef int from_stdin(const void *, ...);
SCANS(sscanf, "12 abc", "%d%7s", AS(from_source *)(from, pattern, INTO))
SCANS(swscanf, L"12 abc", L"%d%7s", AS(from_source *)(from, pattern, INTO))
SCANS(fscanf, "", "%d%7s", AS(from_source *)(file, pattern, INTO))
SCANS(fwscanf, "", L"%d%7s", AS(from_source *)(file, pattern, INTO))
SCANS(scanf, "", "%d%7s", AS(from_stdin *)(pattern, INTO))
SCANS(wscanf, "", L"%d%7s", AS(from_stdin *)(pattern, INTO))
SCANS(vsscanf, "12 abc", "%d%7s", with_list(function, 1, (void *)from, pattern, INTO))
SCANS(vswscanf, L"12 abc", L"%d%7s", with_list(function, 1, (void *)from, pattern, INTO))
SCANS(vfscanf, "", "%d%7s", with_list(function, 1, file, pattern, INTO))
SCANS(vfwscanf, "", L"%d%7s", with_list(function, 1, file, pattern, INTO))
SCANS(vscanf, "", "%d%7s", with_list(function, 0, NULL, pattern, INTO))
SCANS(vwscanf, "", L"%d%7s", with_list(function, 0, NULL, pattern, INTO))

/* files.c */
static int check_fcntl64(any *function)
{
    typedef int type(int, int, ...);
    int fd = open(scratch, O_RDWR);
    struct flock64 lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 3};
    CHECK(AS(type *)(fd, F_GETFD) == 0 && AS(type *)(fd, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(AS(type *)(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(AS(type *)(fd, F_SETLK64, &lock) == 0);
    int copy = AS(type *)(fd, F_DUPFD_CLOEXEC, 50);
    CHECK(copy >= 50 && close(copy) == 0 && close(fd) == 0);
    CHECK(AS(type *)(fd, F_GETFD) == -1 && errno == EBADF);
    return 0;
}
#define check___fcntl_time64 check_fcntl64
static int check_copy_file_range(any *function)
{
    typedef ssize_t type(int, off64_t *, int, off64_t *, size_t, unsigned);
    FILE *to = tmpfile();
    int from = open(scratch, O_RDONLY);
    off64_t at = 1;
    ssize_t done = AS(type *)(from, &at, fileno(to), NULL, 3, 0);
    CALL_OR_ENOSYS(done, (done == 3 && at == 4) || errno == EXDEV || errno == EOPNOTSUPP);
    CHECK(AS(type *)(-1, NULL, fileno(to), NULL, 3, 0) == -1 && (errno == EBADF || errno == ENOSYS));
    fclose(to);
    close(from);
    return 0;
}
static int check_statx(any *function)
{
    typedef int type(int, const char *, int, unsigned, void *);
    uint32_t found[64] = {0};
    uint64_t bytes;
    int done = AS(type *)(AT_FDCWD, scratch, 0, 0x7ff, found);
    memcpy(&bytes, &found[10], sizeof bytes);
    CALL_OR_ENOSYS(done, done == 0 && (found[0] & 0x200) && bytes == 5);
    return 0;
}
static int check_renameat2(any *function)
{
    typedef int type(int, const char *, int, const char *, unsigned);
    CHECK(AS(type *)(AT_FDCWD, scratch, AT_FDCWD, "behaviour-other", 0) == 0);
    CHECK(AS(type *)(AT_FDCWD, "behaviour-other", AT_FDCWD, scratch, 0) == 0);
    CHECK(AS(type *)(AT_FDCWD, scratch, AT_FDCWD, scratch, 1) == -1);
    CHECK(errno == EEXIST || errno == EINVAL);
    return 0;
}
static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
static int check_close_range(any *function)
{
    typedef int type(unsigned, unsigned, int);
    int fd = dup2(0, 90);
    int done = AS(type *)(90, 95, 0);
    CALL_OR_ENOSYS(done, fd == 90 && done == 0 && !is_open(90));
    CHECK(AS(type *)(95, 90, 0) == -1 && (errno == EINVAL || errno == ENOSYS));
    return 0;
}
static int check_closefrom(any *function)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 60; fd < 160; fd++)
            dup2(0, fd);
        AS(void (*)(int))(61);
        int good = is_open(60) && is_open(1);
        for (int fd = 61; fd < 200; fd++)
            good &= !is_open(fd);
        _exit(good ? 7 : 8);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}
static int check_getdents64(any *function)
{
    typedef ssize_t type(int, void *, size_t);
    char buffer[4096] __attribute__((aligned(8)));
    int fd = open(".", O_RDONLY | O_DIRECTORY), seen = 0;
    for (ssize_t got; (got = AS(type *)(fd, buffer, sizeof buffer)) > 0;)
        for (char *at = buffer; at < buffer + got; at += ((struct dirent64 *)at)->d_reclen)
            seen |= strcmp(((struct dirent64 *)at)->d_name, scratch) == 0;
    close(fd);
    CHECK(seen && AS(type *)(fd, buffer, sizeof buffer) == -1 && errno == EBADF);
    return 0;
}
#define VECTOR(name, offset_type)                                                           \
    static int check_##name(any *function)                                                  \
    {                                                                                       \
        typedef ssize_t type(int, const struct iovec *, int, offset_type, int);             \
        char one[2] = "xy", two[2] = "zz";                                                  \
        struct iovec parts[] = {{one, 2}, {two, 1}};                                        \
        int writes = #name[1] == 'w', fd = open(scratch, O_RDWR);                           \
        CHECK(AS(type *)(fd, parts, 2, 1, 0) == 3 && lseek(fd, 0, SEEK_CUR) == 0);          \
        CHECK(writes || (memcmp(one, "el", 2) == 0 && two[0] == 'l'));                      \
        CHECK(AS(type *)(fd, parts, 2, -1, 0) == 3 && lseek(fd, 0, SEEK_CUR) == 3);         \
        CHECK(AS(type *)(fd, parts, 2, 0, 0x40000000) == -1);                               \
        CHECK(errno == EOPNOTSUPP || errno == ENOTSUP || errno == EINVAL);                  \
        CHECK(pwrite(fd, "hello", 5, 0) == 5 && close(fd) == 0);                            \
        return 0;                                                                           \
    }
VECTOR(preadv2, off_t)
VECTOR(pwritev2, off_t)
VECTOR(preadv64v2, off64_t)
VECTOR(pwritev64v2, off64_t)
static int check_execveat(any *function)
{
    typedef int type(int, const char *, char *const[], char *const[], int);
    char *none[] = {NULL};
    CHECK(AS(type *)(AT_FDCWD, "behaviour-none", none, none, 0) == -1);
    CHECK(errno == ENOENT || errno == ENOSYS);
    return 0;
}
static int check_openat2(any *function)
{
    uint64_t how[3] = {O_RDONLY, 0, 0};
    typedef int type(int, const char *, const void *, size_t);
    int fd = AS(type *)(AT_FDCWD, scratch, how, sizeof how);
    CALL_OR_ENOSYS(fd, fd >= 0 && close(fd) == 0);
    return 0;
}
static int check_epoll_pwait2(any *function)
{
    typedef int type(int, void *, int, const struct timespec *, const void *);
    CHECK(AS(type *)(-1, NULL, 1, NULL, NULL) == -1 && (errno == EBADF || errno == EINVAL || errno == ENOSYS));
    return 0;
}
/* System calls that do not work for everybody: that they fail as they should. */
#define FAILS(name, ...)                                                                    \
    static int check_##name(any *function)                                                  \
    {                                                                                       \
        errno = 0;                                                                          \
        CHECK(AS(int (*)())(__VA_ARGS__) == -1);                                            \
        CHECK(errno == ENOSYS || errno == EPERM || errno == EBADF || errno == EINVAL ||     \
              errno == ESRCH || errno == EFAULT);                                           \
        return 0;                                                                           \
    }
FAILS(fsopen, (char *)NULL, 0)
FAILS(fsconfig, -1, 0, (char *)NULL, (void *)NULL, 0)
FAILS(fsmount, -1, 0, 0)
FAILS(fspick, -1, "", 0x1000)
FAILS(move_mount, -1, "", -1, "", 0x10000)
FAILS(open_tree, -1, "", 0x80)
FAILS(mount_setattr, -1, "", 0x80, (void *)NULL, (size_t)0)
FAILS(pidfd_getfd, -1, 0, 0)
FAILS(pidfd_send_signal, -1, 0, (void *)NULL, 0)
FAILS(process_mrelease, -1, 0)
FAILS(sched_setattr, 0, (void *)NULL, 0)

/* process.c */
static int check_gettid(any *function)
{
    CHECK(AS(pid_t (*)(void))() == getpid());
    return 0;
}
static int check_tgkill(any *function)
{
    typedef int type(pid_t, pid_t, int);
    CHECK(AS(type *)(getpid(), getpid(), 0) == 0);
    CHECK(AS(type *)(getpid(), -1, 0) == -1 && errno == EINVAL);
    return 0;
}
static int check_getcpu(any *function)
{
    unsigned cpu = 12345, node = 12345;
    int done = AS(int (*)(unsigned *, unsigned *))(&cpu, &node);
    CALL_OR_ENOSYS(done, done == 0 && cpu < 12345 && node < 12345);
    return 0;
}
static int check_pidfd_open(any *function)
{
    typedef int type(pid_t, unsigned);
    int fd = AS(type *)(getpid(), 0);
    CALL_OR_ENOSYS(fd, fd >= 0 && close(fd) == 0);
    CHECK(AS(type *)(-1, 0) == -1 && (errno == EINVAL || errno == ENOSYS));
    return 0;
}
static int check_process_madvise(any *function)
{
    typedef ssize_t type(int, const struct iovec *, size_t, int, unsigned);
    CHECK(AS(type *)(-1, NULL, 0, 0, 0) == -1 && (errno == EBADF || errno == ENOSYS));
    return 0;
}
static int check_sched_getattr(any *function)
{
    uint32_t found[14] = {0};
    int done = AS(int (*)(pid_t, void *, unsigned, unsigned))(0, found, 48, 0);
    CALL_OR_ENOSYS(done, done == 0 && found[0] >= 48 && found[1] == SCHED_OTHER);
    return 0;
}
static int check_timespec_getres(any *function)
{
    typedef int type(struct timespec *, int);
    struct timespec found = {-1, -1};
    CHECK(AS(type *)(&found, 1) == 1 && found.tv_sec == 0 && found.tv_nsec > 0);
    CHECK(AS(type *)(&found, 77) == 0);
    return 0;
}

/* loader.c */
static int check___libc_single_threaded(any *function)
{
    /* Nobody may be told that there is one thread when there are two. */
    CHECK(*(char *)function == 0 || *(char *)function == 1);
    return 0;
}
struct found_object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *frame;
    char more[96];
};
static int check__dl_find_object(any *function)
{
    typedef int type(void *, struct found_object *);
    struct found_object found;
    Dl_info info;
    struct link_map *map;
    void *place = (void *)dlsym(RTLD_DEFAULT, "malloc");
    CHECK(dladdr1(place, &info, (void **)&map, RTLD_DL_LINKMAP) != 0);
    CHECK(AS(type *)(place, &found) == 0);
    CHECK(found.map == map && found.start == info.dli_fbase && found.end > place);
#ifndef __arm__
    CHECK(found.frame > found.start && found.frame < found.end && *(char *)found.frame == 1);
#endif
    CHECK(AS(type *)((void *)check__dl_find_object, &found) == 0 && found.start != info.dli_fbase);
    CHECK(AS(type *)((void *)16, &found) == -1);
    return 0;
}

/* threads.c */
static struct timespec in(clockid_t clock, long milliseconds)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += milliseconds / 1000;
    time.tv_nsec += milliseconds % 1000 * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}
static int has_passed(struct timespec time)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > time.tv_sec || (now.tv_sec == time.tv_sec && now.tv_nsec >= time.tv_nsec);
}
static const struct timespec wrong = {0, 1000000000};
struct signal {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    int done;
};
static void *signal_soon(void *given)
{
    struct signal *signal = given;
    usleep(30000);
    pthread_mutex_lock(&signal->mutex);
    signal->done = 1;
    pthread_cond_signal(&signal->condition);
    pthread_mutex_unlock(&signal->mutex);
    return (void *)77;
}
static int check_pthread_cond_clockwait(any *function)
{
    typedef int type(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int own = 0; own < 2; own++)
        for (int by = 0; by < 2; by++) {
            struct signal signal = {.mutex = PTHREAD_MUTEX_INITIALIZER};
            pthread_condattr_t attributes;
            pthread_t thread;
            int error = 0;
            pthread_condattr_init(&attributes);
            pthread_condattr_setclock(&attributes, clocks[own]);
            pthread_cond_init(&signal.condition, &attributes);
            struct timespec early = in(CLOCK_MONOTONIC, 290), end = in(clocks[by], 300);
            pthread_mutex_lock(&signal.mutex);
            while (error == 0)
                error = AS(type *)(&signal.condition, &signal.mutex, clocks[by], &end);
            CHECK(error == ETIMEDOUT && has_passed(early));
            end = in(clocks[by], 20000);
            pthread_create(&thread, NULL, signal_soon, &signal);
            for (error = 0; error == 0 && !signal.done;)
                error = AS(type *)(&signal.condition, &signal.mutex, clocks[by], &end);
            CHECK(error == 0 && signal.done);
            CHECK(AS(type *)(&signal.condition, &signal.mutex, clocks[by], &wrong) == EINVAL);
            CHECK(AS(type *)(&signal.condition, &signal.mutex, CLOCK_THREAD_CPUTIME_ID, &end) == EINVAL);
            pthread_mutex_unlock(&signal.mutex);
            pthread_join(thread, NULL);
        }
    return 0;
}
static void *hold(void *mutex)
{
    return (void *)(intptr_t)pthread_mutex_lock(mutex);
}
static void *hold_rwlock(void *lock)
{
    return (void *)(intptr_t)pthread_rwlock_wrlock(lock);
}
#define LOCKS(name, kind, initial, holds)                                                    \
    static int check_##name(any *function)                                                   \
    {                                                                                        \
        typedef int type(kind *, clockid_t, const struct timespec *);                        \
        static kind lock = initial;                                                          \
        pthread_t thread;                                                                    \
        struct timespec early = in(CLOCK_MONOTONIC, 290), end = in(CLOCK_MONOTONIC, 300);    \
        pthread_create(&thread, NULL, holds, &lock);                                         \
        pthread_join(thread, NULL);                                                          \
        CHECK(AS(type *)(&lock, CLOCK_MONOTONIC, &end) == ETIMEDOUT && has_passed(early));   \
        end = in(CLOCK_REALTIME, 50);                                                        \
        CHECK(AS(type *)(&lock, CLOCK_REALTIME, &end) == ETIMEDOUT);                         \
        CHECK(AS(type *)(&lock, CLOCK_MONOTONIC, &wrong) == EINVAL);                         \
        CHECK(AS(type *)(&lock, CLOCK_THREAD_CPUTIME_ID, &end) == EINVAL);                   \
        kind free_one = initial;                                                             \
        CHECK(AS(type *)(&free_one, CLOCK_MONOTONIC, &end) == 0);                            \
        return 0;                                                                            \
    }
LOCKS(pthread_mutex_clocklock, pthread_mutex_t, PTHREAD_MUTEX_INITIALIZER, hold)
LOCKS(pthread_rwlock_clockrdlock, pthread_rwlock_t, PTHREAD_RWLOCK_INITIALIZER, hold_rwlock)
LOCKS(pthread_rwlock_clockwrlock, pthread_rwlock_t, PTHREAD_RWLOCK_INITIALIZER, hold_rwlock)
static int check_sem_clockwait(any *function)
{
    typedef int type(sem_t *, clockid_t, const struct timespec *);
    sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    struct timespec early = in(CLOCK_MONOTONIC, 290), end = in(CLOCK_MONOTONIC, 300);
    CHECK(AS(type *)(&semaphore, CLOCK_MONOTONIC, &end) == 0);
    CHECK(AS(type *)(&semaphore, CLOCK_MONOTONIC, &end) == -1 && errno == ETIMEDOUT);
    CHECK(has_passed(early));
    CHECK(AS(type *)(&semaphore, CLOCK_THREAD_CPUTIME_ID, &end) == -1 && errno == EINVAL);
    CHECK(AS(type *)(&semaphore, CLOCK_MONOTONIC, &wrong) == -1 && errno == EINVAL);
    return 0;
}
static void *sleep_long(void *given) { usleep(500000); return given; }
static int check_pthread_clockjoin_np(any *function)
{
    typedef int type(pthread_t, void **, clockid_t, const struct timespec *);
    pthread_t thread;
    void *result = NULL;
    struct timespec soon = in(CLOCK_MONOTONIC, 50), late = in(CLOCK_MONOTONIC, 20000);
    pthread_create(&thread, NULL, sleep_long, (void *)5);
    CHECK(AS(type *)(thread, &result, CLOCK_MONOTONIC, &soon) == ETIMEDOUT && has_passed(soon));
    CHECK(AS(type *)(thread, &result, CLOCK_THREAD_CPUTIME_ID, &soon) == EINVAL);
    CHECK(AS(type *)(thread, &result, CLOCK_MONOTONIC, &late) == 0 && result == (void *)5);
    return 0;
}

/* c11_threads.c: its functions work on each other's objects, and are looked up by name. */
static void *library;
static any *other(const char *name) { return (any *)dlsym(library, name); }
#define OTHER(type, name) ((type)other(name))
static int twice(void *given) { return *(int *)given * 2; }
static int counted;
static void count(void) { counted++; }
static int check_thrd_create(any *function)
{
    pthread_t thread;
    int given = 21, result = 0;
    CHECK(AS(int (*)(pthread_t *, int (*)(void *), void *))(&thread, twice, &given) == 0);
    CHECK(OTHER(int (*)(pthread_t, int *), "thrd_join")(thread, &result) == 0 && result == 42);
    return 0;
}
static int leave(void *given)
{
    OTHER(void (*)(int), "thrd_exit")(*(int *)given);
    return 0;
}
static int check_thrd_exit(any *function)
{
    pthread_t thread;
    int given = 9, result = 0;
    (void)function;
    CHECK(OTHER(int (*)(pthread_t *, int (*)(void *), void *), "thrd_create")(&thread, leave, &given) == 0);
    CHECK(OTHER(int (*)(pthread_t, int *), "thrd_join")(thread, &result) == 0 && result == 9);
    return 0;
}
#define check_thrd_join check_thrd_create_join
static int check_thrd_create_join(any *function) { (void)function; return check_thrd_create(other("thrd_create")); }
static int check_thrd_current(any *function)
{
    CHECK(pthread_equal(AS(pthread_t (*)(void))(), pthread_self()));
    return 0;
}
static int check_thrd_equal(any *function)
{
    CHECK(AS(int (*)(pthread_t, pthread_t))(pthread_self(), pthread_self()) != 0);
    return 0;
}
static int check_thrd_detach(any *function)
{
    pthread_t thread;
    static int given = 1;
    CHECK(OTHER(int (*)(pthread_t *, int (*)(void *), void *), "thrd_create")(&thread, twice, &given) == 0);
    CHECK(AS(int (*)(pthread_t))(thread) == 0);
    return 0;
}
static int check_thrd_yield(any *function) { AS(void (*)(void))(); return 0; }
static int check_thrd_sleep(any *function)
{
    typedef int type(const struct timespec *, struct timespec *);
    struct timespec time = {0, 20000000}, end = in(CLOCK_MONOTONIC, 20);
    CHECK(AS(type *)(&time, NULL) == 0 && has_passed(end));
    CHECK(AS(type *)(&wrong, NULL) < -1);
    return 0;
}
static int mutexes(void)
{
    pthread_mutex_t mutex;
    struct timespec end = in(CLOCK_REALTIME, 30);
    typedef int on_mutex(pthread_mutex_t *);
    CHECK(OTHER(int (*)(pthread_mutex_t *, int), "mtx_init")(&mutex, 1) == 0);
    CHECK(OTHER(on_mutex *, "mtx_lock")(&mutex) == 0 && OTHER(on_mutex *, "mtx_lock")(&mutex) == 0);
    CHECK(OTHER(on_mutex *, "mtx_unlock")(&mutex) == 0 && OTHER(on_mutex *, "mtx_unlock")(&mutex) == 0);
    OTHER(void (*)(pthread_mutex_t *), "mtx_destroy")(&mutex);
    CHECK(OTHER(int (*)(pthread_mutex_t *, int), "mtx_init")(&mutex, 2) == 0);
    CHECK(OTHER(on_mutex *, "mtx_trylock")(&mutex) == 0 && OTHER(on_mutex *, "mtx_trylock")(&mutex) == 1);
    CHECK(OTHER(int (*)(pthread_mutex_t *, const struct timespec *), "mtx_timedlock")(&mutex, &end) == 4);
    return 0;
}
#define SHARED(name, check) \
    static int check_##name(any *function) { (void)function; return check(); }
SHARED(mtx_init, mutexes)
SHARED(mtx_lock, mutexes)
SHARED(mtx_unlock, mutexes)
SHARED(mtx_trylock, mutexes)
SHARED(mtx_timedlock, mutexes)
SHARED(mtx_destroy, mutexes)
static int conditions(void)
{
    struct signal signal = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct timespec end = in(CLOCK_REALTIME, 30);
    pthread_t thread;
    CHECK(OTHER(int (*)(pthread_cond_t *), "cnd_init")(&signal.condition) == 0);
    pthread_mutex_lock(&signal.mutex);
    CHECK(OTHER(int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *), "cnd_timedwait")(
              &signal.condition, &signal.mutex, &end) == 4);
    pthread_create(&thread, NULL, signal_soon, &signal);
    while (!signal.done)
        CHECK(OTHER(int (*)(pthread_cond_t *, pthread_mutex_t *), "cnd_wait")(
                  &signal.condition, &signal.mutex) == 0);
    pthread_mutex_unlock(&signal.mutex);
    pthread_join(thread, NULL);
    CHECK(OTHER(int (*)(pthread_cond_t *), "cnd_signal")(&signal.condition) == 0);
    CHECK(OTHER(int (*)(pthread_cond_t *), "cnd_broadcast")(&signal.condition) == 0);
    OTHER(void (*)(pthread_cond_t *), "cnd_destroy")(&signal.condition);
    return 0;
}
SHARED(cnd_init, conditions)
SHARED(cnd_wait, conditions)
SHARED(cnd_timedwait, conditions)
SHARED(cnd_signal, conditions)
SHARED(cnd_broadcast, conditions)
SHARED(cnd_destroy, conditions)
static int check_call_once(any *function)
{
    static pthread_once_t flag = PTHREAD_ONCE_INIT;
    AS(void (*)(pthread_once_t *, void (*)(void)))(&flag, count);
    AS(void (*)(pthread_once_t *, void (*)(void)))(&flag, count);
    CHECK(counted == 1);
    return 0;
}
static int specific(void)
{
    pthread_key_t key;
    CHECK(OTHER(int (*)(pthread_key_t *, void *), "tss_create")(&key, NULL) == 0);
    CHECK(OTHER(void *(*)(pthread_key_t), "tss_get")(key) == NULL);
    CHECK(OTHER(int (*)(pthread_key_t, void *), "tss_set")(key, &key) == 0);
    CHECK(OTHER(void *(*)(pthread_key_t), "tss_get")(key) == &key);
    OTHER(void (*)(pthread_key_t), "tss_delete")(key);
    return 0;
}
SHARED(tss_create, specific)
SHARED(tss_get, specific)
SHARED(tss_set, specific)
SHARED(tss_delete, specific)

/* resolver.c: what needs no network. */
static int check_dn_comp(any *function)
{
    unsigned char to[20];
    int length = AS(int (*)(const char *, unsigned char *, int, void *, void *))("ab.c", to, 20, NULL, NULL);
    CHECK(length == 6 && memcmp(to, "\2ab\1c", 6) == 0);
    return 0;
}
static int check_dn_expand(any *function)
{
    const unsigned char from[] = "\2ab\1c";
    char to[20];
    int used = AS(int (*)(const void *, const void *, const void *, char *, int))(from, from + 6, from, to, 20);
    CHECK(used == 6 && strcmp(to, "ab.c") == 0);
    return 0;
}
static int check_dn_skipname(any *function)
{
    const unsigned char from[] = "\2ab\1c";
    CHECK(AS(int (*)(const void *, const void *))(from, from + 6) == 6);
    return 0;
}
#define NAMES(name, good, bad)                                     \
    static int check_##name(any *function)                         \
    {                                                              \
        CHECK(AS(int (*)(const char *))(good) == 1);               \
        CHECK(AS(int (*)(const char *))(bad) == 0);                \
        return 0;                                                  \
    }
NAMES(res_hnok, "a-host.example", "a host")
NAMES(res_ownok, "a-host.example", "a host")
NAMES(res_mailok, "who.example", "who\n.example")
NAMES(res_dnok, "any.example", "any\n")
static int check_res_mkquery(any *function)
{
    unsigned char to[100] = {0};
    int length = AS(int (*)(int, const char *, int, int, void *, int, void *, void *, int))(
        0, "ab.c", 1, 1, NULL, 0, NULL, to, 100);
    CHECK(length == 22 && memcmp(to + 12, "\2ab\1c\0\0\1\0\1", 10) == 0);
    return 0;
}
/* The rest would ask a server: that they are there, and refuse a name that none can have. */
static char too_long[2000];
static int check_res_query(any *function)
{
    unsigned char to[100];
    memset(too_long, 'a', sizeof too_long - 1);
    CHECK(AS(int (*)(const char *, int, int, void *, int))(too_long, 1, 1, to, 100) == -1);
    return 0;
}
static int check_res_querydomain(any *function)
{
    unsigned char to[100];
    memset(too_long, 'a', sizeof too_long - 1);
    CHECK(AS(int (*)(const char *, const char *, int, int, void *, int))(too_long, "b", 1, 1, to, 100) == -1);
    return 0;
}
#define check_res_search check_res_query
static int is_there(any *function) { return function == NULL; }

/* signaling.c: under its own name, or glibc's. */
#define SIGNALING(name, type, quiet_nan, signaling_nan, infinity)                \
    static int check_##name(any *function)                                       \
    {                                                                            \
        typedef int kind(type);                                                  \
        const volatile type zero = 0, one = 1;                                   \
        CHECK(AS(kind *)(zero) == 0 && AS(kind *)(one) == 0);                    \
        CHECK(AS(kind *)(-infinity) == 0 && AS(kind *)(quiet_nan) == 0);         \
        CHECK(AS(kind *)(signaling_nan) != 0 && AS(kind *)(infinity) == 0);      \
        return 0;                                                                \
    }
#define BUILTIN(name, type, suffix)                                                        \
    SIGNALING(name, type, __builtin_nan##suffix(""), __builtin_nans##suffix(""),           \
              __builtin_inf##suffix())
BUILTIN(_issignaling, double, )
BUILTIN(_issignalingf, float, f)
BUILTIN(_issignalingl, long double, l)
#if defined __x86_64__ && !defined __clang__
BUILTIN(_issignalingf128, __float128, f128)
#elif defined __x86_64__
# define check__issignalingf128 is_there
#endif

#define NAME(name) {#name, check_##name}
#define THERE(name) {#name, is_there}
static const struct { const char *name; int (*check)(any *); } checks[] = {
    NAME(stat), NAME(lstat), NAME(fstat), NAME(fstatat), NAME(stat64), NAME(lstat64),
    NAME(fstat64), NAME(fstatat64), NAME(mknod), NAME(mknodat),
    NAME(getrandom), NAME(getentropy), NAME(arc4random), NAME(arc4random_buf),
    NAME(arc4random_uniform),
    NAME(explicit_bzero), NAME(__explicit_bzero_chk), NAME(memset_explicit),
    NAME(__memset_explicit_chk), NAME(reallocarray), NAME(free_sized), NAME(free_aligned_sized),
    NAME(memalignment), NAME(__memcmpeq), NAME(memfd_create), NAME(mlock2),
    NAME(strlcpy), NAME(strlcat), NAME(wcslcpy), NAME(wcslcat),
    NAME(__strlcpy_chk), NAME(__strlcat_chk), NAME(__wcslcpy_chk), NAME(__wcslcat_chk),
    NAME(__isoc23_strtol), NAME(__isoc23_strtoll), NAME(__isoc23_strtoimax),
    NAME(__isoc23_strtoul), NAME(__isoc23_strtoull), NAME(__isoc23_strtoumax),
    NAME(__isoc23_strtol_l), NAME(__isoc23_strtoll_l), NAME(__isoc23_strtoul_l),
    NAME(__isoc23_strtoull_l),
    NAME(__isoc23_wcstol), NAME(__isoc23_wcstoll), NAME(__isoc23_wcstoimax),
    NAME(__isoc23_wcstoul), NAME(__isoc23_wcstoull), NAME(__isoc23_wcstoumax),
    NAME(__isoc23_wcstol_l), NAME(__isoc23_wcstoll_l), NAME(__isoc23_wcstoul_l),
    NAME(__isoc23_wcstoull_l),
    NAME(__isoc23_sscanf), NAME(__isoc23_swscanf), NAME(__isoc23_fscanf),
    NAME(__isoc23_fwscanf), NAME(__isoc23_scanf), NAME(__isoc23_wscanf),
    NAME(__isoc23_vsscanf), NAME(__isoc23_vswscanf), NAME(__isoc23_vfscanf),
    NAME(__isoc23_vfwscanf), NAME(__isoc23_vscanf), NAME(__isoc23_vwscanf),
#if __SIZEOF_POINTER__ == 4
    NAME(__fcntl_time64),
#endif
    NAME(fcntl64), NAME(copy_file_range), NAME(statx), NAME(renameat2), NAME(close_range),
    NAME(closefrom), NAME(getdents64), NAME(preadv2), NAME(pwritev2), NAME(preadv64v2),
    NAME(pwritev64v2), NAME(execveat), NAME(openat2), NAME(fsopen),
    NAME(fsconfig), NAME(fsmount), NAME(fspick), NAME(move_mount), NAME(open_tree),
    NAME(mount_setattr),
#if __LP64__
    NAME(epoll_pwait2),
#endif
    NAME(gettid), NAME(tgkill), NAME(getcpu), NAME(pidfd_open), NAME(pidfd_getfd),
    NAME(pidfd_send_signal), NAME(process_madvise), NAME(process_mrelease),
    NAME(sched_getattr), NAME(sched_setattr), NAME(timespec_getres),
    NAME(__libc_single_threaded), NAME(_dl_find_object),
    NAME(pthread_cond_clockwait), NAME(pthread_mutex_clocklock),
    NAME(pthread_rwlock_clockrdlock), NAME(pthread_rwlock_clockwrlock), NAME(sem_clockwait),
    NAME(pthread_clockjoin_np),
    NAME(thrd_create), NAME(thrd_join), NAME(thrd_current), NAME(thrd_equal), NAME(thrd_detach),
    NAME(thrd_exit), NAME(thrd_yield), NAME(thrd_sleep), NAME(mtx_init), NAME(mtx_lock),
    NAME(mtx_unlock), NAME(mtx_trylock), NAME(mtx_timedlock), NAME(mtx_destroy),
    NAME(cnd_init), NAME(cnd_wait), NAME(cnd_timedwait), NAME(cnd_signal), NAME(cnd_broadcast),
    NAME(cnd_destroy), NAME(call_once), NAME(tss_create), NAME(tss_get), NAME(tss_set),
    NAME(tss_delete),
    NAME(dn_comp), NAME(dn_expand), NAME(dn_skipname), NAME(res_hnok), NAME(res_ownok),
    NAME(res_mailok), NAME(res_dnok), NAME(res_mkquery), NAME(res_query), NAME(res_search),
#ifndef __i386__ /* a call there makes a signaling NaN quiet */
    NAME(_issignaling), NAME(_issignalingf),
#else
    THERE(_issignaling), THERE(_issignalingf),
#endif
#ifndef __arm__
    NAME(_issignalingl),
#endif
#ifdef __x86_64__
    NAME(_issignalingf128),
#endif
    NAME(res_querydomain), THERE(res_send), THERE(res_nquery), THERE(res_nsearch),
    THERE(res_nquerydomain), THERE(res_nmkquery), THERE(res_nsend),
};

int main(int given, char **arguments)
{
    int fd;

    if (given == 3 && chdir(arguments[2]) == 0)
        given = 2;
    fd = open(scratch, O_RDWR | O_CREAT | O_TRUNC, 0640);
    umask(022);
    fchmod(fd, 0640);
    if (given != 2 || write(fd, "hello", 5) != 5)
        return 2;
    close(fd);
    library = arguments[1][0] == '-' ? RTLD_DEFAULT : dlopen(arguments[1], RTLD_NOW);
    if (arguments[1][0] != '-' && library == NULL) {
        puts(dlerror());
        return 2;
    }
    for (size_t n = 0; n < sizeof checks / sizeof *checks; n++) {
        any *function = other(checks[n].name);
        char twice_underscored[64] = "_";
        if (function == NULL)
            function = other(strcat(twice_underscored, checks[n].name));
        int line = function == NULL ? -1 : checks[n].check(function);
        printf("%s ", checks[n].name);
        if (line <= 0)
            puts(line == 0 ? "ok" : "missing");
        else
            printf("line %d, errno %d\n", line, errno);
        fflush(stdout);
    }
    unlink(scratch);
    return 0;
}
