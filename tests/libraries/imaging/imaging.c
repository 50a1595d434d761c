#include <Python.h>
#include <stdio.h>
#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

/* JPEG of a grey square, as a PNG again: the sizes of both, and the mean of the pixels. */
static PyObject *round_trip(PyObject *module, PyObject *size)
{
    unsigned width = PyLong_AsUnsignedLong(size), at;
    unsigned char *pixels = malloc(width * width), *jpeg = NULL;
    unsigned long length = 0, sum = 0;
    for (at = 0; at < width * width; at++)
        pixels[at] = 128;
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct out = {.err = jpeg_std_error(&errors)};
    jpeg_create_compress(&out);
    jpeg_mem_dest(&out, &jpeg, &length);
    out.image_width = out.image_height = width;
    out.input_components = 1;
    out.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&out);
    jpeg_start_compress(&out, TRUE);
    for (JSAMPROW row = pixels; out.next_scanline < width; row += width)
        jpeg_write_scanlines(&out, &row, 1);
    jpeg_finish_compress(&out);
    jpeg_destroy_compress(&out);
    struct jpeg_decompress_struct in = {.err = jpeg_std_error(&errors)};
    jpeg_create_decompress(&in);
    jpeg_mem_src(&in, jpeg, length);
    jpeg_read_header(&in, TRUE);
    jpeg_start_decompress(&in);
    for (JSAMPROW row = pixels; in.output_scanline < width; row += width)
        jpeg_read_scanlines(&in, &row, 1);
    jpeg_finish_decompress(&in);
    jpeg_destroy_decompress(&in);
    for (at = 0; at < width * width; at++)
        sum += pixels[at];
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = width};
    png_alloc_size_t room = 0;
    png_image_write_to_memory(&image, NULL, &room, 0, pixels, width, NULL);
    free(pixels), free(jpeg);
    return Py_BuildValue("iiks", length > 0, room > 0, sum / (width * width), zlibVersion());
}
static PyMethodDef methods[] = {{"round_trip", round_trip, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "imaging", NULL, -1, methods};
PyMODINIT_FUNC PyInit_imaging(void) { return PyModule_Create(&module); }
