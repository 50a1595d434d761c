// A library that Python opens with ctypes, and that calls what it is given.
#include "base.h"

extern "C" SEEN const char *call_and_catch(void (*thrower)(int), int kind)
{
    static std::string said;
    said = kind_of([=] { thrower(kind); });
    return said.c_str();
}

extern "C" SEEN const char *catch_here(void (*thrower)(int), int kind)
{
    try {
        thrower(kind);
    } catch (const Refused &) {
        return "Refused";
    } catch (const std::out_of_range &) {
        return "out_of_range";
    } catch (...) {
        return "unknown";
    }
    return "nothing";
}
