/* What a program starts with: __libc_start_main, which since glibc 2.34 runs the program's
   constructors itself, and before was handed a function that does. Under a name of its
   own, because every glibc has one of the two under the other. */

#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>

typedef int main_function(int, char **, char **);
typedef void constructor(int, char **, char **);

extern int __libc_start_main(main_function *, int, char **, main_function *, void (*)(void),
                             void (*)(void), void *);

static int find_dynamic(struct dl_phdr_info *info, size_t size, void *given)
{
    (void)size;
    for (int n = 0; n < info->dlpi_phnum; n++) {
        if (info->dlpi_phdr[n].p_type == PT_DYNAMIC) {
            ((const void **)given)[0] = (void *)(info->dlpi_addr + info->dlpi_phdr[n].p_vaddr);
            ((const void **)given)[1] = (void *)info->dlpi_addr;
        }
    }
    return 1; /* the program itself comes first */
}

static int construct(int count, char **arguments, char **environment)
{
    const void *found[2] = {NULL, NULL};
    ElfW(Addr) base, array = 0, length = 0, init = 0;

    dl_iterate_phdr(find_dynamic, found);
    base = (ElfW(Addr))found[1];
    for (const ElfW(Dyn) *entry = found[0]; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_INIT)
            init = base + entry->d_un.d_ptr;
        else if (entry->d_tag == DT_INIT_ARRAY)
            array = base + entry->d_un.d_ptr;
        else if (entry->d_tag == DT_INIT_ARRAYSZ)
            length = entry->d_un.d_val / sizeof(constructor *);
    }
    if (init != 0)
        ((constructor *)init)(count, arguments, environment);
    for (ElfW(Addr) n = 0; array != 0 && n < length; n++)
        ((constructor **)array)[n](count, arguments, environment);
    return 0;
}

int _libc_start_main(main_function *run, int count, char **arguments, main_function *init,
                     void (*fini)(void), void (*loader_fini)(void), void *stack_end)
{
    return __libc_start_main(run, count, arguments, init != NULL ? init : construct, fini,
                             loader_fini, stack_end);
}
