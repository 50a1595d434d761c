# cython: language_level=3
"""CRC-32C of anything that has the buffer protocol."""

from libc.stdint cimport uint32_t


cdef extern from "castagnoli.h" nogil:
    uint32_t castagnoli(uint32_t before, const void *data, size_t size)


def checksum(const unsigned char[::1] data not None, uint32_t before=0):
    """The CRC-32C of ``data``, which follows on what has the checksum ``before``."""
    cdef size_t size = data.shape[0]
    cdef const unsigned char *start = &data[0] if size else NULL
    with nogil:
        before = castagnoli(before, start, size)
    return before
