// What the C++ library promises and depends on its parts: every line it prints
// must come out the same, however the library was built and linked. With COMMON
// it does without the parts of the library that hardly a program needs.
#include <algorithm>
#include <any>
#include <atomic>
#include <bitset>
#include <charconv>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <typeinfo>
#include <unordered_map>
#include <valarray>
#include <variant>
#include <vector>

namespace {

// Printed by a constructor that runs before main: the streams are there already.
struct Early {
    explicit Early(const char *name) : name(name) { std::cout << "constructed " << name << '\n'; }
    ~Early() { std::cout << "destroyed " << name << std::endl; }
    const char *name;
};
Early second __attribute__((init_priority(2000)))("second");
Early first __attribute__((init_priority(1500)))("first");
Early third("third");

struct Base {
    virtual ~Base() = default;
    virtual int value() const = 0;
};
struct Left : virtual Base {
    int value() const override { return 1; }
};
struct Right : virtual Base {
    int value() const override { return 2; }
};
struct Both : Left, Right {
    int value() const override { return 3; }
};

struct Unwound {
    explicit Unwound(int &count) : count(count) {}
    ~Unwound() { ++count; }
    int &count;
};

__attribute__((noinline)) void dive(int depth, int &count) {
    Unwound guard(count);
    if (depth == 0) throw std::out_of_range("at the bottom");
    dive(depth - 1, count);
}

thread_local std::string greeting = "thread";

long allocations = 0;

} // namespace

void *operator new(std::size_t size) {
    ++allocations;
    if (void *memory = std::malloc(size ? size : 1)) return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

int main(int, char **arguments) {
    int count = 0;
    try {
        dive(20, count);
    } catch (const std::logic_error &error) {
        std::cout << "unwound " << count << ": " << error.what() << '\n';
    }
    try {
        try {
            (void)std::stoi("no number");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const std::invalid_argument &inner) {
            std::cout << "nested " << outer.what() << " > " << inner.what() << '\n';
        }
    }

    Both both;
    Base *base = &both;
    std::cout << "cast " << (dynamic_cast<Right *>(base) != nullptr) << ' '
              << (typeid(*base) == typeid(Both)) << ' ' << base->value() << '\n';
    try {
        Left left;
        (void)dynamic_cast<Right &>(static_cast<Base &>(left));
    } catch (const std::bad_cast &) {
        std::cout << "bad cast\n";
    }

    std::exception_ptr carried;
    std::thread([&] {
        greeting += " of its own";
        try {
            throw std::system_error(std::make_error_code(std::errc::timed_out), "carried");
        } catch (...) {
            carried = std::current_exception();
        }
        std::cout << greeting << '\n';
    }).join();
    try {
        std::rethrow_exception(carried);
    } catch (const std::system_error &error) {
        std::cout << "across threads " << (error.code() == std::errc::timed_out) << ' ' << greeting
                  << '\n';
    }

    auto promised = std::async(std::launch::async, [](int n) {
        if (n > 1) throw std::domain_error("from a future");
        return n;
    }, 2);
    try {
        (void)promised.get();
    } catch (const std::domain_error &error) {
        std::cout << error.what() << '\n';
    }

    std::mutex mutex;
    std::shared_mutex shared;
    std::condition_variable ready;
    std::atomic<int> sum{0};
    bool go = false;
    std::once_flag once;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            std::unique_lock lock(mutex);
            ready.wait(lock, [&] { return go; });
            std::shared_lock reader(shared);
            std::call_once(once, [&] { sum += 100; });
            sum += i;
        });
    {
        std::lock_guard lock(mutex);
        go = true;
    }
    ready.notify_all();
    for (auto &thread : threads) thread.join();
    std::cout << "threads " << sum << '\n';

    std::map<std::string, std::vector<int>> table;
    std::unordered_map<std::string, std::unique_ptr<Base>> owners;
    for (int i = 0; i < 50; ++i) table["key " + std::to_string(i % 7)].push_back(i * i);
    owners["both"] = std::make_unique<Both>();
    std::vector<double> numbers(1000);
    std::mt19937_64 engine(42);
    std::generate(numbers.begin(), numbers.end(), [&] { return engine() % 1000 / 7.0; });
    std::sort(numbers.begin(), numbers.end());
    std::cout << "containers " << table.size() << ' ' << table["key 3"].back() << ' '
              << owners["both"]->value() << ' ' << numbers[500] << '\n';

    std::ostringstream text;
    text << std::hex << std::showbase << 255 << ' ' << std::scientific << std::setprecision(3)
         << 12345.678 << ' ' << std::setw(8) << std::setfill('*') << std::left << "pad" << ' '
         << std::boolalpha << true << ' ' << std::complex<double>(1, -2);
    std::cout << text.str() << '\n';
    std::istringstream words("12 0.5 word");
    int whole;
    double part;
    std::string word;
    words >> whole >> part >> word;
    std::cout << whole + part << word << '\n';
    struct Comma : std::numpunct<char> {
        char do_thousands_sep() const override { return '\''; }
        std::string do_grouping() const override { return "\3"; }
    };
    text.str("");
    text.imbue(std::locale(std::locale::classic(), new Comma));
    text << std::dec << std::noshowbase << 1234567;
    std::tm when{};
    when.tm_year = 126;
    when.tm_mday = 5;
    text << ' ' << std::put_time(&when, "%Y-%m-%d");
    std::cout << text.str() << '\n';
#ifndef COMMON
    text.str("");
    text << std::put_money("123456") << ' ' << std::stoi(std::wstring(L"17"));
    std::cout << text.str() << '\n';
    std::wcout.imbue(std::locale::classic());
    try {
        std::locale nowhere("no such locale");
    } catch (const std::runtime_error &) {
        std::cout << "no such locale\n";
    }
#endif
    char digits[64];
    auto end = std::to_chars(digits, digits + sizeof digits, 0.1 + 0.2).ptr;
    std::cout << std::string(digits, end) << ' ' << std::stold("2.5e3") << '\n';

    namespace fs = std::filesystem;
    fs::path directory = fs::path(arguments[1]) / "made" / "deep";
    std::cout << fs::create_directories(directory);
    std::ofstream(directory / "file.txt") << "one line\n";
    fs::copy_file(directory / "file.txt", directory / "copy.txt");
    std::set<std::string> seen;
    for (const auto &entry : fs::recursive_directory_iterator(fs::path(arguments[1]) / "made"))
        seen.insert(entry.path().filename().string());
    std::string line;
    std::ifstream file(directory / "copy.txt");
    std::getline(file, line);
    for (const auto &name : seen) std::cout << ' ' << name;
    std::cout << ' ' << line << ' ' << fs::file_size(directory / "file.txt") << ' '
              << fs::remove_all(fs::path(arguments[1]) / "made") << '\n';
    try {
        (void)fs::file_size(directory);
    } catch (const fs::filesystem_error &error) {
        std::cout << "gone " << (error.code() == std::errc::no_such_file_or_directory) << '\n';
    }

    std::smatch match;
    const std::string version = "libfoo 2.17";
    std::cout << std::regex_search(version, match, std::regex("(\\d+)\\.(\\d+)")) << ' '
              << match[2] << '\n';
    try {
        std::regex broken("(");
    } catch (const std::regex_error &) {
        std::cout << "bad pattern\n";
    }

    std::variant<int, std::string> either = "text";
    std::any thing = 5;
    std::optional<int> nothing;
    int refused = 0;
    try { (void)std::get<int>(either); } catch (const std::bad_variant_access &) { ++refused; }
    try { (void)std::any_cast<double>(thing); } catch (const std::bad_any_cast &) { ++refused; }
    try { (void)nothing.value(); } catch (const std::bad_optional_access &) { ++refused; }
    try { std::function<void()>()(); } catch (const std::bad_function_call &) { ++refused; }
    try {
        std::shared_ptr<int> expired(std::weak_ptr<int>{});
    } catch (const std::bad_weak_ptr &) {
        ++refused;
    }
    try { (void)std::bitset<4>("2"); } catch (const std::invalid_argument &) { ++refused; }
    try { (void)std::vector<int>().at(1); } catch (const std::out_of_range &) { ++refused; }
    std::cout << "refused " << refused << '\n';

    char storage[256];
    std::pmr::monotonic_buffer_resource pool(storage, sizeof storage);
    std::pmr::vector<int> pooled({1, 2, 3}, &pool);
    std::valarray<int> array{1, 2, 3, 4};
    std::cout << std::accumulate(pooled.begin(), pooled.end(), 0) << ' '
              << std::valarray<int>(array[std::slice(0, 2, 2)]).sum() << '\n';
    using namespace std::chrono;
    auto start = steady_clock::now();
    std::this_thread::sleep_for(2ms);
    std::cout << (steady_clock::now() - start >= 2ms) << ' '
              << (system_clock::now() > system_clock::time_point(24h)) << ' '
              << (std::random_device()() != std::random_device()()) << '\n';
    unsigned long long big = 0xfedcba9876543210ull + count;
#ifdef __SIZEOF_INT128__
    unsigned __int128 wide = static_cast<unsigned __int128>(big) * big;
    big = static_cast<unsigned long long>(wide / (count + 1000000007ull));
#else
    big = big / (count + 1000000007ull);
#endif
    std::cout << (big != 0) << ' ' << (allocations > 100) << '\n';
    try {
        auto much = std::make_unique<char[]>(static_cast<std::size_t>(-1) - 65536 - count);
        std::cout << "much memory at " << static_cast<void *>(much.get()) << '\n';
    } catch (const std::bad_alloc &) {
        std::cout << "bad alloc\n";
    }
    return 0;
}
