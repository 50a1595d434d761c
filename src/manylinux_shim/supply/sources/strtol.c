/* The functions that read integers as C23 has it: with base 2, and with base 0, a number
   may begin with 0b. All else is as before, and left to the functions without that. */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

#define DIGITS(name, letter, is_space)                                               \
    /* The first digit behind 0b, or NULL where the text does not begin so. */       \
    static const letter *name(const letter *text, int base, locale_t locale,         \
                              int *negative)                                         \
    {                                                                                \
        (void)locale;                                                                \
        if (base != 0 && base != 2)                                                  \
            return NULL;                                                             \
        while (is_space)                                                             \
            text++;                                                                  \
        *negative = *text == '-';                                                    \
        if (*text == '-' || *text == '+')                                            \
            text++;                                                                  \
        if (text[0] != '0' || (text[1] != 'b' && text[1] != 'B'))                    \
            return NULL;                                                             \
        return text[2] == '0' || text[2] == '1' ? text + 2 : NULL;                   \
    }

DIGITS(digits, char, isspace((unsigned char)*text))
DIGITS(digits_l, char, isspace_l((unsigned char)*text, locale))
DIGITS(wide_digits, wchar_t, iswspace((wint_t)*text))
DIGITS(wide_digits_l, wchar_t, iswspace_l((wint_t)*text, locale))

#define READ(letter, type, unsigned_type, least, most, positive)                     \
    unsigned_type value = 0, limit = positive;                                       \
    int over = 0;                                                                    \
    for (; *at == '0' || *at == '1'; at++) {                                         \
        over |= value > (limit >> 1) || (value << 1) + (*at == '1') > limit;         \
        value = (value << 1) + (*at == '1');                                         \
    }                                                                                \
    if (end != NULL)                                                                 \
        *end = (letter *)at;                                                         \
    if (over) {                                                                      \
        errno = ERANGE;                                                              \
        return negative ? least : most;                                              \
    }                                                                                \
    return negative ? (type)(0 - value) : (type)value;

#define READER(name, find, letter, type, unsigned_type, least, most, positive)       \
    type __isoc23_##name(const letter *text, letter **end, int base)                 \
    {                                                                                \
        int negative = 0;                                                            \
        const letter *at = find(text, base, NULL, &negative);                        \
        if (at == NULL)                                                              \
            return name(text, end, base);                                            \
        READ(letter, type, unsigned_type, least, most, positive)                     \
    }

#define READER_L(name, find, letter, type, unsigned_type, least, most, positive)     \
    extern type name(const letter *, letter **, int, locale_t);                      \
    type __isoc23_##name(const letter *text, letter **end, int base, locale_t locale) \
    {                                                                                \
        int negative = 0;                                                            \
        const letter *at = find(text, base, locale, &negative);                      \
        if (at == NULL)                                                              \
            return name(text, end, base, locale);                                    \
        READ(letter, type, unsigned_type, least, most, positive)                     \
    }

/* A negative number reaches one further than a positive one. */
#define SIGNED(U, most) ((U)most + (U)(negative != 0))

#define FAMILY(prefix, find, letter)                                                  \
    READER(prefix##l, find, letter, long, unsigned long, LONG_MIN, LONG_MAX,          \
           SIGNED(unsigned long, LONG_MAX))                                           \
    READER(prefix##ll, find, letter, long long, unsigned long long, LLONG_MIN,        \
           LLONG_MAX, SIGNED(unsigned long long, LLONG_MAX))                          \
    READER(prefix##imax, find, letter, intmax_t, uintmax_t, INTMAX_MIN, INTMAX_MAX,   \
           SIGNED(uintmax_t, INTMAX_MAX))                                             \
    READER(prefix##ul, find, letter, unsigned long, unsigned long, ULONG_MAX,         \
           ULONG_MAX, ULONG_MAX)                                                      \
    READER(prefix##ull, find, letter, unsigned long long, unsigned long long,         \
           ULLONG_MAX, ULLONG_MAX, ULLONG_MAX)                                        \
    READER(prefix##umax, find, letter, uintmax_t, uintmax_t, UINTMAX_MAX,             \
           UINTMAX_MAX, UINTMAX_MAX)                                                  \
    READER_L(prefix##l_l, find##_l, letter, long, unsigned long, LONG_MIN, LONG_MAX,  \
             SIGNED(unsigned long, LONG_MAX))                                         \
    READER_L(prefix##ll_l, find##_l, letter, long long, unsigned long long,           \
             LLONG_MIN, LLONG_MAX, SIGNED(unsigned long long, LLONG_MAX))             \
    READER_L(prefix##ul_l, find##_l, letter, unsigned long, unsigned long, ULONG_MAX, \
             ULONG_MAX, ULONG_MAX)                                                    \
    READER_L(prefix##ull_l, find##_l, letter, unsigned long long, unsigned long long, \
             ULLONG_MAX, ULLONG_MAX, ULLONG_MAX)

FAMILY(strto, digits, char)
FAMILY(wcsto, wide_digits, wchar_t)
