/* What compilers of C++ call since GCC 13 where an exception meets noexcept: the exception
   counts as caught, then the program ends by its terminate handler. */

void *__cxa_begin_catch(void *);
void std_terminate(void) __asm__("_ZSt9terminatev") __attribute__((noreturn));

void __cxa_call_terminate(void *exception)
{
    if (exception)
        __cxa_begin_catch(exception);
    std_terminate();
}
