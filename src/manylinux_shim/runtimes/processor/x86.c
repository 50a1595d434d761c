/* What __builtin_cpu_supports, __builtin_cpu_is and resolvers of target_clones look at on x86,
   as libgcc has it. The order of vendors, types and features is part of the ABI
   (gcc/common/config/i386/i386-cpuinfo.h); bits of cpuid are those of Intel's manual, volume 2,
   and of AMD's, volume 3, appendix E. */

enum { INTEL = 1, AMD, OTHER };

__attribute__((visibility("hidden"))) struct {
    unsigned int vendor, type, subtype, features[1];
} __cpu_model;
__attribute__((visibility("hidden"))) unsigned int __cpu_features2[4];

enum { A, B, C, D };
/* Which registers the system keeps for each process: bits of XCR0. */
enum { ALWAYS = 0, AVX = 0x6, AVX512 = 0xe6, TILES = 0x60000, MORE = 0x80000 };

struct question {
    unsigned int leaf, subleaf;
    unsigned char reg, bit, feature;
    unsigned int state;
};

static const struct question questions[] = {
    {1, 0, D, 8, 47, ALWAYS},            /* cmpxchg8b */
    {1, 0, D, 15, 0, ALWAYS},            /* cmov */
    {1, 0, D, 23, 1, ALWAYS},            /* mmx */
    {1, 0, D, 24, 51, ALWAYS},           /* fxsave */
    {1, 0, D, 25, 3, ALWAYS},            /* sse */
    {1, 0, D, 26, 4, ALWAYS},            /* sse2 */
    {1, 0, C, 0, 5, ALWAYS},             /* sse3 */
    {1, 0, C, 1, 19, ALWAYS},            /* pclmul */
    {1, 0, C, 9, 6, ALWAYS},             /* ssse3 */
    {1, 0, C, 12, 14, AVX},              /* fma */
    {1, 0, C, 13, 46, ALWAYS},           /* cmpxchg16b */
    {1, 0, C, 19, 7, ALWAYS},            /* sse4.1 */
    {1, 0, C, 20, 8, ALWAYS},            /* sse4.2 */
    {1, 0, C, 22, 58, ALWAYS},           /* movbe */
    {1, 0, C, 23, 2, ALWAYS},            /* popcnt */
    {1, 0, C, 25, 18, ALWAYS},           /* aes */
    {1, 0, C, 26, 81, ALWAYS},           /* xsave */
    {1, 0, C, 27, 62, ALWAYS},           /* osxsave */
    {1, 0, C, 28, 9, AVX},               /* avx */
    {1, 0, C, 29, 49, AVX},              /* f16c */
    {1, 0, C, 30, 69, ALWAYS},           /* rdrnd */
    {7, 0, B, 0, 50, ALWAYS},            /* fsgsbase */
    {7, 0, B, 2, 73, ALWAYS},            /* sgx */
    {7, 0, B, 3, 16, ALWAYS},            /* bmi */
    {7, 0, B, 4, 52, ALWAYS},            /* hle */
    {7, 0, B, 5, 10, AVX},               /* avx2 */
    {7, 0, B, 8, 17, ALWAYS},            /* bmi2 */
    {7, 0, B, 11, 71, ALWAYS},           /* rtm */
    {7, 0, B, 16, 15, AVX512},           /* avx512f */
    {7, 0, B, 17, 22, AVX512},           /* avx512dq */
    {7, 0, B, 18, 70, ALWAYS},           /* rdseed */
    {7, 0, B, 19, 40, ALWAYS},           /* adx */
    {7, 0, B, 21, 27, AVX512},           /* avx512ifma */
    {7, 0, B, 23, 43, ALWAYS},           /* clflushopt */
    {7, 0, B, 24, 44, ALWAYS},           /* clwb */
    {7, 0, B, 26, 25, AVX512},           /* avx512pf */
    {7, 0, B, 27, 24, AVX512},           /* avx512er */
    {7, 0, B, 28, 23, AVX512},           /* avx512cd */
    {7, 0, B, 29, 74, ALWAYS},           /* sha */
    {7, 0, B, 30, 21, AVX512},           /* avx512bw */
    {7, 0, B, 31, 20, AVX512},           /* avx512vl */
    {7, 0, C, 0, 65, ALWAYS},            /* prefetchwt1 */
    {7, 0, C, 1, 26, AVX512},            /* avx512vbmi */
    {7, 0, C, 4, 64, ALWAYS},            /* pku, which the system has turned on */
    {7, 0, C, 5, 79, ALWAYS},            /* waitpkg */
    {7, 0, C, 6, 31, AVX512},            /* avx512vbmi2 */
    {7, 0, C, 7, 75, ALWAYS},            /* shstk */
    {7, 0, C, 8, 32, ALWAYS},            /* gfni */
    {7, 0, C, 9, 78, AVX},               /* vaes */
    {7, 0, C, 10, 33, AVX},              /* vpclmulqdq */
    {7, 0, C, 11, 34, AVX512},           /* avx512vnni */
    {7, 0, C, 12, 35, AVX512},           /* avx512bitalg */
    {7, 0, C, 14, 30, AVX512},           /* avx512vpopcntdq */
    {7, 0, C, 22, 68, ALWAYS},           /* rdpid */
    {7, 0, C, 23, 90, ALWAYS},           /* kl */
    {7, 0, C, 25, 42, ALWAYS},           /* cldemote */
    {7, 0, C, 27, 60, ALWAYS},           /* movdiri */
    {7, 0, C, 28, 59, ALWAYS},           /* movdir64b */
    {7, 0, C, 29, 48, ALWAYS},           /* enqcmd */
    {7, 0, D, 2, 28, AVX512},            /* avx5124vnniw */
    {7, 0, D, 3, 29, AVX512},            /* avx5124fmaps */
    {7, 0, D, 5, 88, ALWAYS},            /* uintr */
    {7, 0, D, 8, 37, AVX512},            /* avx512vp2intersect */
    {7, 0, D, 14, 72, ALWAYS},           /* serialize */
    {7, 0, D, 16, 77, ALWAYS},           /* tsxldtrk */
    {7, 0, D, 18, 63, ALWAYS},           /* pconfig */
    {7, 0, D, 20, 53, ALWAYS},           /* ibt */
    {7, 0, D, 22, 87, TILES},            /* amx-bf16 */
    {7, 0, D, 23, 94, AVX512},           /* avx512fp16 */
    {7, 0, D, 24, 85, TILES},            /* amx-tile */
    {7, 0, D, 25, 86, TILES},            /* amx-int8 */
    {7, 1, A, 0, 109, AVX},              /* sha512 */
    {7, 1, A, 1, 108, AVX},              /* sm3 */
    {7, 1, A, 2, 110, AVX},              /* sm4 */
    {7, 1, A, 3, 105, ALWAYS},           /* raoint */
    {7, 1, A, 4, 93, AVX},               /* avxvnni */
    {7, 1, A, 5, 36, AVX512},            /* avx512bf16 */
    {7, 1, A, 7, 102, ALWAYS},           /* cmpccxadd */
    {7, 1, A, 21, 103, TILES},           /* amx-fp16 */
    {7, 1, A, 22, 89, ALWAYS},           /* hreset */
    {7, 1, A, 23, 99, AVX},              /* avxifma */
    {7, 1, D, 4, 100, AVX},              /* avxvnniint8 */
    {7, 1, D, 5, 101, AVX},              /* avxneconvert */
    {7, 1, D, 8, 106, TILES},            /* amx-complex */
    {7, 1, D, 10, 107, AVX},             /* avxvnniint16 */
    {7, 1, D, 14, 104, ALWAYS},          /* prefetchi */
    {7, 1, D, 15, 112, ALWAYS},          /* usermsr */
    {7, 1, D, 21, 111, MORE},            /* apxf */
    {0xd, 1, A, 0, 83, ALWAYS},          /* xsaveopt */
    {0xd, 1, A, 1, 82, ALWAYS},          /* xsavec */
    {0xd, 1, A, 3, 84, ALWAYS},          /* xsaves */
    {0x14, 0, B, 4, 67, ALWAYS},         /* ptwrite */
    {0x19, 0, B, 0, 91, ALWAYS},         /* aeskle */
    {0x19, 0, B, 2, 92, ALWAYS},         /* widekl */
    {0x80000001, 0, C, 0, 54, ALWAYS},   /* lahf */
    {0x80000001, 0, C, 5, 41, ALWAYS},   /* abm */
    {0x80000001, 0, C, 5, 57, ALWAYS},   /* lzcnt */
    {0x80000001, 0, C, 6, 11, ALWAYS},   /* sse4a */
    {0x80000001, 0, C, 8, 66, ALWAYS},   /* prfchw */
    {0x80000001, 0, C, 11, 13, AVX},     /* xop */
    {0x80000001, 0, C, 15, 56, ALWAYS},  /* lwp */
    {0x80000001, 0, C, 16, 12, AVX},     /* fma4 */
    {0x80000001, 0, C, 21, 76, ALWAYS},  /* tbm */
    {0x80000001, 0, C, 29, 61, ALWAYS},  /* mwaitx */
    {0x80000001, 0, D, 29, 55, ALWAYS},  /* lm */
    {0x80000001, 0, D, 30, 39, ALWAYS},  /* 3dnowp */
    {0x80000001, 0, D, 31, 38, ALWAYS},  /* 3dnow */
    {0x80000008, 0, B, 0, 45, ALWAYS},   /* clzero */
    {0x80000008, 0, B, 9, 80, ALWAYS},   /* wbnoinvd */
};

/* The levels of the x86-64 psABI, each with the one before: features, ended by 255. */
static const unsigned char levels[4][8] = {
    {0, 1, 3, 4, 47, 51, 55, 255},
    {2, 5, 6, 7, 8, 46, 54, 255},
    {9, 10, 14, 16, 17, 49, 57, 58},
    {15, 20, 21, 22, 23, 255},
};
enum { FIRST_LEVEL = 95 };

static void ask(unsigned int leaf, unsigned int subleaf, unsigned int answer[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(answer[A]), "=b"(answer[B]), "=c"(answer[C]), "=d"(answer[D])
                     : "a"(leaf), "c"(subleaf));
}

static int has(unsigned int feature)
{
    unsigned int word = feature / 32;

    return (word ? __cpu_features2[word - 1] : __cpu_model.features[0]) >> feature % 32 & 1;
}

static void set(unsigned int feature)
{
    unsigned int word = feature / 32;

    *(word ? &__cpu_features2[word - 1] : &__cpu_model.features[0]) |= 1u << feature % 32;
}

static void find_features(void)
{
    unsigned int answer[4], ordinary, extended, state = 0, leaf = 0, subleaf = 0;

    ask(0, 0, answer);
    ordinary = answer[A];
    ask(0x80000000, 0, answer);
    extended = answer[A];
    ask(1, 0, answer);
    if (answer[C] >> 27 & 1) {
        unsigned int high;
        __asm__ volatile("xgetbv" : "=a"(state), "=d"(high) : "c"(0));
    }
    for (unsigned int n = 0; n < sizeof questions / sizeof *questions; n++) {
        const struct question *each = &questions[n];
        if (each->leaf > (each->leaf >= 0x80000000 ? extended : ordinary))
            continue;
        if (each->leaf != leaf || each->subleaf != subleaf) {
            leaf = each->leaf;
            subleaf = each->subleaf;
            ask(leaf, 0, answer);
            /* Leaf 7 says how many there are. */
            if (subleaf != 0 && !(leaf == 7 && answer[A] < subleaf))
                ask(leaf, subleaf, answer);
            else if (subleaf != 0)
                answer[A] = answer[B] = answer[C] = answer[D] = 0;
        }
        if (answer[each->reg] >> each->bit & 1 && (state & each->state) == each->state)
            set(each->feature);
    }
    if (ordinary >= 0x24) {
        ask(7, 0, answer);
        if (answer[A] >= 1) {
            ask(7, 1, answer);
            if (answer[D] >> 19 & 1 && (state & AVX512) == AVX512) {
                ask(0x24, 0, answer);
                set(113);
                set(114);
                if ((answer[B] & 0xff) >= 2) {
                    set(115);
                    set(116);
                }
            }
        }
    }
    for (unsigned int level = 0; level < 4; level++) {
        for (unsigned int n = 0; n < 8 && levels[level][n] != 255; n++)
            if (!has(levels[level][n]))
                return;
        set(FIRST_LEVEL + level);
    }
}

struct model {
    unsigned char model, type, subtype;
};

/* Intel's family 6. */
static const struct model intel[] = {
    {0x1c, 1, 0},   {0x26, 1, 0},   {0x27, 1, 0},   {0x35, 1, 0},   {0x36, 1, 0},
    {0x0f, 2, 0},   {0x16, 2, 0},   {0x17, 2, 0},   {0x1d, 2, 0},   {0x1a, 3, 1},
    {0x1e, 3, 1},   {0x1f, 3, 1},   {0x2e, 3, 1},   {0x25, 3, 2},   {0x2c, 3, 2},
    {0x2f, 3, 2},   {0x2a, 3, 3},   {0x2d, 3, 3},   {0x3a, 3, 12},  {0x3e, 3, 12},
    {0x3c, 3, 13},  {0x3f, 3, 13},  {0x45, 3, 13},  {0x46, 3, 13},  {0x3d, 3, 14},
    {0x47, 3, 14},  {0x4f, 3, 14},  {0x56, 3, 14},  {0x4e, 3, 15},  {0x5e, 3, 15},
    {0x8e, 3, 15},  {0x9e, 3, 15},  {0xa5, 3, 15},  {0xa6, 3, 15},  {0x55, 3, 16},
    {0x66, 3, 17},  {0x7d, 3, 18},  {0x7e, 3, 18},  {0x9d, 3, 18},  {0x6a, 3, 19},
    {0x6c, 3, 19},  {0xa7, 3, 27},  {0x8c, 3, 22},  {0x8d, 3, 22},  {0x97, 3, 25},
    {0x9a, 3, 25},  {0xbf, 3, 25},  {0xb7, 3, 25},  {0xba, 3, 25},  {0xbe, 3, 25},
    {0xaa, 3, 25},  {0xac, 3, 25},  {0x8f, 3, 24},  {0xcf, 3, 24},  {0xad, 3, 30},
    {0xae, 3, 31},  {0xb5, 3, 32},  {0xc5, 3, 32},  {0xc6, 3, 33},  {0xbd, 3, 33},
    {0xcc, 3, 34},  {0x37, 6, 0},   {0x4a, 6, 0},   {0x4c, 6, 0},   {0x4d, 6, 0},
    {0x5a, 6, 0},   {0x5d, 6, 0},   {0x57, 7, 0},   {0x85, 11, 0},  {0x5c, 12, 0},
    {0x5f, 12, 0},  {0x7a, 13, 0},  {0x86, 14, 0},  {0x96, 14, 0},  {0x9c, 14, 0},
    {0xaf, 17, 0},  {0xb6, 18, 0},  {0xdd, 19, 0},
};

static void name_intel(unsigned int family, unsigned int model)
{
    for (unsigned int n = 0; family == 6 && n < sizeof intel / sizeof *intel; n++)
        if (intel[n].model == model) {
            __cpu_model.type = intel[n].type;
            __cpu_model.subtype = intel[n].subtype;
        }
    if (__cpu_model.subtype == 16) /* three generations have this model */
        __cpu_model.subtype = has(36) ? 23 : has(34) ? 21 : 16;
}

static void name_amd(unsigned int family, unsigned int model)
{
    unsigned int type = 0, subtype = 0;

    if (family == 0x10) {
        type = 4;
        subtype = model == 2 ? 4 : model == 4 ? 5 : model == 8 ? 6 : 0;
    } else if (family == 0x14) {
        type = 8;
    } else if (family == 0x15) {
        type = 5;
        subtype = model >= 0x60 ? 10 : model >= 0x30 ? 9 : model == 2 || model >= 0x10 ? 8 : 7;
    } else if (family == 0x16) {
        type = 9;
    } else if (family == 0x17) {
        type = 10;
        subtype = model >= 0x30 ? 20 : 11;
    } else if (family == 0x19) {
        type = 15;
        subtype = has(15) ? 29 : 26;
    } else if (family == 0x1a) {
        type = 20;
        subtype = 36;
    }
    __cpu_model.type = type;
    __cpu_model.subtype = subtype;
}

/* Called first by resolvers, which run before any constructor. */
__attribute__((visibility("hidden"), constructor(101))) int __cpu_indicator_init(void)
{
    unsigned int answer[4], vendor, family, model;

    if (__cpu_model.vendor)
        return 0;
    find_features();
    ask(0, 0, answer);
    vendor = answer[B] == 0x756e6547 ? INTEL : answer[B] == 0x68747541 ? AMD : OTHER;
    ask(1, 0, answer);
    family = answer[A] >> 8 & 15;
    model = answer[A] >> 4 & 15;
    if (family == 6 || family == 15)
        model |= answer[A] >> 12 & 0xf0;
    if (family == 15)
        family += answer[A] >> 20 & 255;
    if (vendor == INTEL)
        name_intel(family, model);
    else if (vendor == AMD)
        name_amd(family, model);
    __cpu_model.vendor = vendor;
    return 0;
}
