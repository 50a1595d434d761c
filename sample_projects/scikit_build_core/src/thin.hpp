// Tracks, and the points of them that matter.
#pragma once

#include <utility>
#include <vector>

namespace trackthin {

using Point = std::pair<double, double>;
using Track = std::vector<Point>;

// The points to keep, so that no other one is further away from the lines between them than
// the tolerance. Throws std::invalid_argument for a negative tolerance or a point that is none.
Track thin(const Track &track, double tolerance);

double length(const Track &track);

}  // namespace trackthin
