#include "thin.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace trackthin {

namespace {

// How far a point is from the line between two others, which may be the same.
double distance(const Point &point, const Point &from, const Point &to)
{
    const double dx = to.first - from.first, dy = to.second - from.second;
    const double px = point.first - from.first, py = point.second - from.second;
    const double squared = dx * dx + dy * dy;
    const double along =
        squared > 0 ? std::clamp((px * dx + py * dy) / squared, 0.0, 1.0) : 0.0;
    return std::hypot(px - along * dx, py - along * dy);
}

}  // namespace

Track thin(const Track &track, double tolerance)
{
    if (!(tolerance >= 0)) {
        throw std::invalid_argument("tolerance " + std::to_string(tolerance) + " is negative");
    }
    for (std::size_t i = 0; i < track.size(); ++i) {
        if (!std::isfinite(track[i].first) || !std::isfinite(track[i].second)) {
            throw std::invalid_argument("point " + std::to_string(i) + " is not finite");
        }
    }
    if (track.size() < 3) {
        return track;
    }
    std::vector<bool> keep(track.size());
    keep.front() = keep.back() = true;
    // A stack of stretches instead of recursion: tracks have a million points.
    std::vector<std::pair<std::size_t, std::size_t>> stretches{{0, track.size() - 1}};
    while (!stretches.empty()) {
        const auto [first, last] = stretches.back();
        stretches.pop_back();
        std::size_t furthest = first;
        double most = tolerance;
        for (std::size_t i = first + 1; i < last; ++i) {
            const double away = distance(track[i], track[first], track[last]);
            if (away > most) {
                most = away;
                furthest = i;
            }
        }
        if (furthest != first) {
            keep[furthest] = true;
            stretches.emplace_back(first, furthest);
            stretches.emplace_back(furthest, last);
        }
    }
    Track kept;
    for (std::size_t i = 0; i < track.size(); ++i) {
        if (keep[i]) {
            kept.push_back(track[i]);
        }
    }
    return kept;
}

double length(const Track &track)
{
    double sum = 0;
    for (std::size_t i = 1; i < track.size(); ++i) {
        sum += std::hypot(track[i].first - track[i - 1].first,
                          track[i].second - track[i - 1].second);
    }
    return sum;
}

}  // namespace trackthin
