#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include "thin.hpp"

namespace nb = nanobind;
using namespace nb::literals;

NB_MODULE(_thin, module)
{
    module.def("thin", &trackthin::thin, "track"_a, nb::kw_only(), "tolerance"_a,
               nb::call_guard<nb::gil_scoped_release>(),
               "The points of a track without which it would be further off than the tolerance.");
    module.def("length", &trackthin::length, "track"_a,
               "The length of a track, in the unit of its points.");
}
