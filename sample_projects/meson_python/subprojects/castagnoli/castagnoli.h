#ifndef CASTAGNOLI_H
#define CASTAGNOLI_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32C of `size` bytes that follow on others, whose own CRC-32C is `before` (0: none). */
uint32_t castagnoli(uint32_t before, const void *data, size_t size);

#endif
