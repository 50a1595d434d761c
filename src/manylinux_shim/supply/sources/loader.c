/* What the unwinder and libstdc++ ask the dynamic loader since glibc 2.32 and 2.35. */

#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <string.h>

/* Nobody counts the threads here, and a program that is told there may be several is
   right at any time. */
char __libc_single_threaded = 0;

/* struct dl_find_object of <dlfcn.h>. */
struct found {
    unsigned long long flags;
    void *start;
    void *end;
    struct link_map *map;
    void *unwind_table;
#ifdef __i386__
    void *base;
    unsigned int base_padding;
#endif
#ifdef __arm__
    int count;
    unsigned int count_padding;
#endif
    unsigned long long reserved[7];
};

#ifdef __arm__
# define UNWIND_TABLE 0x70000001 /* PT_ARM_EXIDX */
#else
# define UNWIND_TABLE PT_GNU_EH_FRAME
#endif

struct search {
    uintptr_t address;
    struct found *found;
    int done;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *given)
{
    struct search *search = given;
    uintptr_t start = UINTPTR_MAX, end = 0;
    const ElfW(Phdr) *table = NULL, *dynamic = NULL;
    int inside = 0;

    (void)size;
    for (int n = 0; n < info->dlpi_phnum; n++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[n];
        uintptr_t from = info->dlpi_addr + header->p_vaddr, to = from + header->p_memsz;
        if (header->p_type == PT_LOAD) {
            start = from < start ? from : start;
            end = to > end ? to : end;
            inside |= from <= search->address && search->address < to;
        } else if (header->p_type == UNWIND_TABLE) {
            table = header;
        } else if (header->p_type == PT_DYNAMIC) {
            dynamic = header;
        }
    }
    /* Objects may lie inside of each other's gaps, so their own segments decide. */
    if (!inside)
        return 0;
    memset(search->found, 0, sizeof *search->found);
    /* The loader maps whole pages. */
    search->found->start = (void *)(start & ~(uintptr_t)4095);
    search->found->end = (void *)end;
    if (table != NULL)
        search->found->unwind_table = (void *)(info->dlpi_addr + table->p_vaddr);
#ifdef __arm__
    search->found->count = table != NULL ? (int)(table->p_memsz / 8) : 0;
#endif
    if (dynamic != NULL) {
        ElfW(Dyn) *own = (ElfW(Dyn) *)(info->dlpi_addr + dynamic->p_vaddr);
        /* The loader's lock is held here, so the list stays as it is. */
        for (struct link_map *map = _r_debug.r_map; map != NULL; map = map->l_next)
            if (map->l_ld == own)
                search->found->map = map;
#ifdef __i386__
        for (; own->d_tag != DT_NULL; own++)
            if (own->d_tag == DT_PLTGOT)
                search->found->base = (void *)own->d_un.d_ptr;
#endif
    }
    search->done = 1;
    return 1;
}

/* Newer headers declare it, too, with a type of their own. */
int find_object(void *, struct found *) __asm__("_dl_find_object");
int find_object(void *address, struct found *found)
{
    struct search search = {(uintptr_t)address, found, 0};

    dl_iterate_phdr(look_at, &search);
    return search.done ? 0 : -1;
}
