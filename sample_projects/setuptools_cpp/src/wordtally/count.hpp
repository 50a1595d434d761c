// Counting, without a word about Python.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace wordtally {

using Counts = std::unordered_map<std::string, std::size_t>;

// A text that cannot be counted, and which one it was.
class BadText : public std::invalid_argument {
public:
    BadText(std::size_t index, const std::string &why);
    std::size_t index() const noexcept { return index_; }

private:
    std::size_t index_;
};

// Words of all texts together. Throws BadText from whichever thread met it first.
Counts count(const std::vector<std::string> &texts, unsigned threads);

}  // namespace wordtally
