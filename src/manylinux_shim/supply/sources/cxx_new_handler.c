/* std::get_new_handler(), which C++11 brought. Before, one had to set another handler to
   learn of the one that is set; the handler itself stays the older library's. */

typedef void (*handler)(void);

handler set_new_handler(handler) __asm__("_ZSt15set_new_handlerPFvvE");
handler get_new_handler(void) __asm__("_ZSt15get_new_handlerv");

handler get_new_handler(void)
{
    handler found = set_new_handler(0);

    if (found)
        set_new_handler(found);
    return found;
}
