#include "castagnoli.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* Castagnoli's, lowest bit first */

static uint32_t table[8][256];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void
fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        table[0][byte] = crc;
    }
    for (int row = 1; row < 8; row++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = table[row - 1][byte];
            table[row][byte] = crc >> 8 ^ table[0][crc & 255];
        }
    }
}

uint32_t
castagnoli(uint32_t before, const void *data, size_t size)
{
    const unsigned char *at = data;
    uint32_t crc = ~before;

    pthread_once(&filled, fill);
#ifdef EIGHT_AT_ONCE
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        word ^= crc;
        crc = 0;
        for (int byte = 0; byte < 8; byte++) {
            crc ^= table[7 - byte][word >> 8 * byte & 255];
        }
    }
#endif
    for (; size > 0; size--, at++) {
        crc = crc >> 8 ^ table[0][(crc ^ *at) & 255];
    }
    return ~crc;
}
