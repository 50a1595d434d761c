/* Who includes <iostream> asks for this function since GCC 13, whose library makes std::cin
   and the others ready by itself. An older library does when the first ios_base::Init is made. */

extern void *__dso_handle;

int __cxa_atexit(void (*)(void *), void *, void *);
void init(void *) __asm__("_ZNSt8ios_base4InitC1Ev");
void done(void *) __asm__("_ZNSt8ios_base4InitD1Ev");
void library_init(void) __asm__("_ZSt21ios_base_library_initv");

static char object;

/* As early as it can be: before the constructors of who was linked with this. */
__attribute__((constructor(101))) static void make_ready(void)
{
    init(&object);
    __cxa_atexit(done, &object, &__dso_handle);
}

void library_init(void)
{
}
