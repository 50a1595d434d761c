/* The scanf family as C23 has it, on top of C99's. What those cannot do is %b, and %i of
   a number that begins with 0b: both read as they do on the systems that have only C99's. */

#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

extern int __isoc99_vfscanf(FILE *, const char *, va_list);
extern int __isoc99_vscanf(const char *, va_list);
extern int __isoc99_vsscanf(const char *, const char *, va_list);
extern int __isoc99_vfwscanf(FILE *, const wchar_t *, va_list);
extern int __isoc99_vwscanf(const wchar_t *, va_list);
extern int __isoc99_vswscanf(const wchar_t *, const wchar_t *, va_list);

#define WITH_SOURCE(scan, source, letter)                                     \
    int __isoc23_v##scan(source from, const letter *format, va_list list)     \
    {                                                                         \
        return __isoc99_v##scan(from, format, list);                          \
    }                                                                         \
    int __isoc23_##scan(source from, const letter *format, ...)               \
    {                                                                         \
        va_list list;                                                         \
        int count;                                                            \
        va_start(list, format);                                               \
        count = __isoc99_v##scan(from, format, list);                         \
        va_end(list);                                                         \
        return count;                                                         \
    }

#define FROM_STDIN(scan, letter)                                              \
    int __isoc23_v##scan(const letter *format, va_list list)                  \
    {                                                                         \
        return __isoc99_v##scan(format, list);                                \
    }                                                                         \
    int __isoc23_##scan(const letter *format, ...)                            \
    {                                                                         \
        va_list list;                                                         \
        int count;                                                            \
        va_start(list, format);                                               \
        count = __isoc99_v##scan(format, list);                               \
        va_end(list);                                                         \
        return count;                                                         \
    }

WITH_SOURCE(fscanf, FILE *, char)
WITH_SOURCE(sscanf, const char *, char)
WITH_SOURCE(fwscanf, FILE *, wchar_t)
WITH_SOURCE(swscanf, const wchar_t *, wchar_t)
FROM_STDIN(scanf, char)
FROM_STDIN(wscanf, wchar_t)
