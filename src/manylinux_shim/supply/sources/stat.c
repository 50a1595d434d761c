/* Before glibc 2.33 these were functions of libc_nonshared.a, on top of __xstat and
   its like, which glibc has to this day for the programs linked so. */

#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/types.h>

/* The versions of struct stat and dev_t that an architecture's functions take:
   bits/stat.h of glibc before 2.33. */
#if defined __x86_64__
# define STAT 1
# define NODE 0
#elif defined __i386__ || defined __arm__
# define STAT 3
# define NODE 1
#elif defined __powerpc64__
# define STAT 1
# define NODE 1
#elif defined __s390x__
# define STAT 1
# define NODE 0
#else
# define STAT 0
# define NODE 0
#endif

extern int __xstat(int, const char *, struct stat *);
extern int __fxstat(int, int, struct stat *);
extern int __lxstat(int, const char *, struct stat *);
extern int __fxstatat(int, int, const char *, struct stat *, int);
extern int __xstat64(int, const char *, struct stat64 *);
extern int __fxstat64(int, int, struct stat64 *);
extern int __lxstat64(int, const char *, struct stat64 *);
extern int __fxstatat64(int, int, const char *, struct stat64 *, int);
extern int __xmknod(int, const char *, mode_t, dev_t *);
extern int __xmknodat(int, int, const char *, mode_t, dev_t *);

int stat(const char *path, struct stat *found) { return __xstat(STAT, path, found); }
int fstat(int fd, struct stat *found) { return __fxstat(STAT, fd, found); }
int lstat(const char *path, struct stat *found) { return __lxstat(STAT, path, found); }
int stat64(const char *path, struct stat64 *found) { return __xstat64(STAT, path, found); }
int fstat64(int fd, struct stat64 *found) { return __fxstat64(STAT, fd, found); }
int lstat64(const char *path, struct stat64 *found) { return __lxstat64(STAT, path, found); }

int fstatat(int fd, const char *path, struct stat *found, int flags)
{
    return __fxstatat(STAT, fd, path, found, flags);
}

int fstatat64(int fd, const char *path, struct stat64 *found, int flags)
{
    return __fxstatat64(STAT, fd, path, found, flags);
}

int mknod(const char *path, mode_t mode, dev_t device)
{
    return __xmknod(NODE, path, mode, &device);
}

int mknodat(int fd, const char *path, mode_t mode, dev_t device)
{
    return __xmknodat(NODE, fd, path, mode, &device);
}
