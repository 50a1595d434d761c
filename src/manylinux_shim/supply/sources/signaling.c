/* Whether a number is a signaling NaN: glibc 2.18 and 2.26, called by libgfortran and by the
   macro issignaling. Under names of their own, because a policy bans those of glibc. On all
   our architectures the first bit of a quiet NaN's fraction is set. */

#include <stdint.h>
#include <string.h>

/* All ones in the exponent, and in the fraction some bit, but not the first. */
#define SIGNALING(name, type, bits, fraction)                                     \
    int name(type number)                                                         \
    {                                                                             \
        bits found, quiet = (bits)1 << (fraction - 1);                            \
        memcpy(&found, &number, sizeof found);                                    \
        found &= ~(bits)0 >> 1;                                                   \
        return found > (~(bits)0 >> 1 >> fraction << fraction) && !(found & quiet); \
    }

SIGNALING(_issignaling, double, uint64_t, 52)
SIGNALING(_issignalingf, float, uint32_t, 23)

#if defined __x86_64__ || defined __i386__
int _issignalingl(long double number)
{
    uint64_t fraction;
    uint16_t exponent;

    memcpy(&fraction, &number, sizeof fraction);
    memcpy(&exponent, (char *)&number + sizeof fraction, sizeof exponent);
    /* Without its leading one it is no number at all, and no NaN either. */
    return (exponent & 0x7fff) == 0x7fff && fraction >> 62 == 2 && fraction << 2 != 0;
}
#elif defined __powerpc64__
/* A pair of doubles, of which the first says what it is. */
int _issignalingl(long double number)
{
    double first;

    memcpy(&first, &number, sizeof first);
    return _issignaling(first);
}
#elif __SIZEOF_LONG_DOUBLE__ == 16
SIGNALING(_issignalingl, long double, unsigned __int128, 112)
#endif

#ifdef __x86_64__
SIGNALING(_issignalingf128, __float128, unsigned __int128, 112)
#endif
