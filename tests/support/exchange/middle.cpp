// A library that a library links.
#include "base.h"

SEEN void raise_in_the_middle(int kind)
{
    try {
        raise(kind);
    } catch (const Refused &error) {
        throw RefusedTwice(std::string("middle: ") + error.what());
    }
}
