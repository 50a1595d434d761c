#include "table.h"

#include <cstdio>

int main()
{
    std::fputs(rows().c_str(), stdout);
}
