#include "count.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <sstream>
#include <thread>

namespace wordtally {

namespace {

std::string describe(std::size_t index, const std::string &why)
{
    std::ostringstream text;
    text << "text " << index << ": " << why;
    return text.str();
}

void count_one(const std::string &text, std::size_t index, Counts &counts)
{
    if (text.find('\0') != std::string::npos) {
        throw BadText(index, "a NUL character is no part of a text");
    }
    std::istringstream stream(text);
    for (std::string word; stream >> word;) {
        ++counts[word];
    }
}

}  // namespace

BadText::BadText(std::size_t index, const std::string &why)
    : std::invalid_argument(describe(index, why)), index_(index)
{
}

Counts count(const std::vector<std::string> &texts, unsigned threads)
{
    Counts total;
    std::exception_ptr failure;
    std::mutex mutex;
    std::atomic<std::size_t> next{0};

    auto work = [&] {
        Counts mine;
        try {
            for (std::size_t i = next++; i < texts.size(); i = next++) {
                count_one(texts[i], i, mine);
            }
        } catch (...) {
            next = texts.size();
            std::lock_guard<std::mutex> lock(mutex);
            if (!failure) {
                failure = std::current_exception();
            }
            return;
        }
        std::lock_guard<std::mutex> lock(mutex);
        for (const auto &[word, times] : mine) {
            total[word] += times;
        }
    };

    std::vector<std::thread> workers;
    for (unsigned i = 0; i < std::max(1u, threads); ++i) {
        workers.emplace_back(work);
    }
    for (auto &worker : workers) {
        worker.join();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    return total;
}

}  // namespace wordtally
