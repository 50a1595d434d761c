/* strlcpy(3) and its family; the checked forms are what _FORTIFY_SOURCE calls. */

#define _GNU_SOURCE
#include <string.h>
#include <wchar.h>

extern void __chk_fail(void) __attribute__((noreturn));

size_t strlcpy(char *to, const char *from, size_t room)
{
    size_t length = strlen(from);

    if (room > 0) {
        size_t kept = length < room ? length : room - 1;
        memcpy(to, from, kept);
        to[kept] = '\0';
    }
    return length;
}

size_t strlcat(char *to, const char *from, size_t room)
{
    size_t before = strnlen(to, room);

    if (before == room)
        return room + strlen(from);
    return before + strlcpy(to + before, from, room - before);
}

size_t wcslcpy(wchar_t *to, const wchar_t *from, size_t room)
{
    size_t length = wcslen(from);

    if (room > 0) {
        size_t kept = length < room ? length : room - 1;
        wmemcpy(to, from, kept);
        to[kept] = L'\0';
    }
    return length;
}

size_t wcslcat(wchar_t *to, const wchar_t *from, size_t room)
{
    size_t before = wcsnlen(to, room);

    if (before == room)
        return room + wcslen(from);
    return before + wcslcpy(to + before, from, room - before);
}

#define CHECKED(name, letter)                                                          \
    size_t __##name##_chk(letter *to, const letter *from, size_t room, size_t really)  \
    {                                                                                  \
        if (room > really)                                                             \
            __chk_fail();                                                              \
        return name(to, from, room);                                                   \
    }

CHECKED(strlcpy, char)
CHECKED(strlcat, char)
CHECKED(wcslcpy, wchar_t)
CHECKED(wcslcat, wchar_t)
