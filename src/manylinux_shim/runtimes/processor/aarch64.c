/* What __builtin_cpu_supports and resolvers of target_clones look at on aarch64, filled from
   what the kernel says of the processor. Features have the numbers of LLVM's
   AArch64CPUFeatures.inc, which are part of the ABI (Arm's ACLE, "Function Multi Versioning");
   bits of the kernel's are those of Linux, Documentation/arch/arm64/elf_hwcaps.rst. */

typedef unsigned long long mask;

__attribute__((visibility("hidden"))) struct {
    mask features;
} __aarch64_cpu_features;

/* What a resolver is given besides the first word of it (Arm's System V ABI, "ifunc"). */
struct given {
    unsigned long size, first, second;
};
#define HAS_MORE (1UL << 62)

#define KNOWN 63 /* any feature, so that nobody looks again */

struct pair {
    unsigned char bit, feature;
};

static const struct pair first[] = {
    {0, 8},   /* fp */
    {1, 9},   /* simd */
    {3, 14},  /* aes, as LLVM up to 19 numbers it */
    {4, 15},  /* aes with pmull */
    {6, 12},  /* sha2 */
    {7, 10},  /* crc */
    {8, 7},   /* lse */
    {12, 6},  /* rdm */
    {13, 20}, /* jscvt */
    {14, 21}, /* fcma */
    {15, 22}, /* rcpc */
    {16, 18}, /* dpb */
    {20, 4},  /* dotprod */
    {22, 30}, /* sve */
    {23, 3},  /* fp16fml */
    {24, 17}, /* dit */
    {26, 23}, /* rcpc2 */
    {27, 1},  /* flagm */
    {28, 48}, /* ssbs */
    {28, 49},
    {29, 46}, /* sb */
};

static const struct pair second[] = {
    {0, 19},  /* dpb2 */
    {1, 36},  /* sve2 */
    {2, 37},  /* sve-aes */
    {3, 38},  /* sve2-aes */
    {4, 39},  /* sve2-bitperm */
    {5, 40},  /* sve2-sha3 */
    {6, 41},  /* sve2-sm4 */
    {7, 2},   /* flagm2 */
    {8, 24},  /* frintts */
    {9, 33},  /* sve-i8mm */
    {10, 34}, /* f32mm */
    {11, 35}, /* f64mm */
    {12, 31}, /* sve-bf16 */
    {13, 26}, /* i8mm */
    {14, 27}, /* bf16 */
    {15, 25}, /* dgh */
    {16, 0},  /* rng */
    {17, 50}, /* bti */
    {18, 43}, /* memtag */
    {18, 44},
    {21, 29}, /* rpres */
    {22, 45}, /* memtag3 */
    {23, 42}, /* sme */
    {24, 56}, /* sme-i16i64 */
    {25, 55}, /* sme-f64f64 */
    {31, 54}, /* wfxt */
    {32, 28}, /* ebf16 */
    {33, 32}, /* sve-ebf16 */
    {34, 11}, /* cssc */
    {37, 57}, /* sme2 */
    {43, 59}, /* mops */
    {46, 58}, /* rcpc3 */
};

static mask found(unsigned long word, const struct pair *pairs, unsigned long count)
{
    mask features = 0;

    for (unsigned long n = 0; n < count; n++)
        features |= (mask)(word >> pairs[n].bit & 1) << pairs[n].feature;
    return features;
}

static void fill(unsigned long one, unsigned long two)
{
    mask features = (mask)1 << KNOWN;

    features |= found(one, first, sizeof first / sizeof *first);
    features |= found(two, second, sizeof second / sizeof *second);
    if (one >> 9 & 1 && one >> 10 & 1)
        features |= (mask)1 << 16; /* fp16: scalars and vectors */
    if (one >> 17 & 1 && one >> 21 & 1)
        features |= (mask)1 << 13; /* sha3 with sha512 */
    if (one >> 18 & 1 && one >> 19 & 1)
        features |= (mask)1 << 5; /* sm4 with sm3 */
    __aarch64_cpu_features.features = features;
}

/* Called by resolvers, which run before any constructor, with what they were given. */
__attribute__((visibility("hidden"))) void
__init_cpu_features_resolver(unsigned long word, const struct given *more)
{
    if (__aarch64_cpu_features.features)
        return;
    if (word & HAS_MORE && more->size >= sizeof *more)
        fill(more->first, more->second);
    else
        fill(word, 0);
}

extern unsigned long getauxval(unsigned long);

__attribute__((visibility("hidden"), constructor(90))) void __init_cpu_features(void)
{
    enum { FIRST = 16, SECOND = 26 };

    if (!__aarch64_cpu_features.features)
        fill(getauxval(FIRST), getauxval(SECOND));
}
