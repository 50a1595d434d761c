// What C++ asks of a newer libstdc++, each kind as a function that returns a line of text.

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory_resource>
#include <mutex>
#include <new>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <typeinfo>

static std::string text;

static const char *say(const std::string &what)
{
    text = what;
    return text.c_str();
}

// The file that has the virtual table of an object.
static std::string home(const void *object)
{
    Dl_info found;
    if (!dladdr(*static_cast<void *const *>(object), &found))
        return "nowhere";
    std::string name = found.dli_fname;
    name = name.substr(name.rfind('/') + 1);
    return name.find("libmanylinux_shim_cxx_") == 0 ? "ours" : name;
}

static std::string about(const std::system_error &error)
{
    return error.code().message() + ", " + error.code().category().name() + ", " + home(&error.code().category());
}

extern "C" {

const char *strings()
{
    std::ostringstream out;
    out << std::hex << 255 << ' ' << 1.5 << ' ' << std::string(3, 'x');
    std::istringstream in("42 word");
    int number;
    std::string word;
    in >> number >> word;
    return say(out.str() + " " + std::to_string(number) + " " + word);
}

const char *out_of_range()
{
    try {
        return say(std::string(1, std::string("abc").at(7)));
    } catch (const std::out_of_range &error) {
        return say(std::string("caught: ") + error.what());
    }
}

const char *threads()
{
    std::mutex mutex;
    std::condition_variable ready;
    int value = 0;
    std::thread thread([&] {
        std::lock_guard<std::mutex> lock(mutex);
        value = 7;
        ready.notify_one();
    });
    {
        std::unique_lock<std::mutex> lock(mutex);
        ready.wait(lock, [&] { return value != 0; });
    }
    thread.join();
    return say(std::to_string(value));
}

const char *joined_twice()
{
    std::thread thread([] {});
    thread.join();
    try {
        thread.join();
    } catch (const std::system_error &error) {
        return say(about(error));
    }
    return say("nothing thrown");
}

const char *detached_twice()
{
    std::thread thread;
    try {
        thread.detach();
    } catch (const std::system_error &error) {
        return say(about(error));
    }
    return say("nothing thrown");
}

const char *unlocked()
{
    std::unique_lock<std::mutex> lock;
    try {
        lock.lock();
    } catch (const std::system_error &error) {
        return say(about(error));
    }
    return say("nothing thrown");
}

const char *condition()
{
    return say(std::error_code(2, std::generic_category()).default_error_condition().message());
}

const char *broken_promise()
{
    std::future<int> future;
    {
        std::promise<int> promise;
        future = promise.get_future();
    }
    try {
        future.get();
    } catch (const std::future_error &error) {
        return say(error.code().message() + ", " + home(&error.code().category()));
    }
    return say("nothing thrown");
}

const char *future_twice()
{
    std::promise<int> promise;
    promise.get_future();
    try {
        promise.get_future();
    } catch (const std::future_error &error) {
        return say(error.code().message() + ", " + home(&std::future_category()));
    }
    return say("nothing thrown");
}

const char *asynchronous()
{
    auto future = std::async(std::launch::async, [] { return 5; });
    return say(std::to_string(future.get()));
}

const char *stream_failure()
{
    std::ifstream in;
    in.exceptions(std::ios::failbit);
    try {
        in.open("/nowhere/at/all");
    } catch (const std::exception &) {
        return say("caught");
    }
    return say("nothing thrown");
}

const char *files()
{
    namespace fs = std::filesystem;
    fs::path directory = fs::temp_directory_path() / ("newer-cxx-" + std::to_string(std::random_device{}()));
    fs::create_directories(directory / "a" / "b");
    std::ofstream(directory / "a" / "file") << "text";
    std::map<std::string, bool> names;
    for (const auto &entry : fs::recursive_directory_iterator(directory))
        names[entry.path().lexically_relative(directory).string()] = entry.is_directory();
    std::string found;
    for (const auto &name : names)
        found += name.first + (name.second ? "/ " : " ");
    fs::remove_all(directory);
    try {
        static_cast<void>(fs::file_size(directory));
    } catch (const fs::filesystem_error &error) {
        found += error.code().message() + ", " + home(&error.code().category());
    }
    return say(found);
}

const char *numbers()
{
    char text[64];
    auto end = std::to_chars(text, text + 64, 0.1).ptr;
    double value = 0;
    std::from_chars(text, end, value);
    return say(std::string(text, end) + (value == 0.1 ? " same" : " other"));
}

const char *random_numbers()
{
    std::random_device device;
    bool differ = device() != device() || device() != device();
    return say(differ && device.entropy() >= 0 ? "random" : "constant");
}

const char *aligned()
{
    struct alignas(64) Wide { char bytes[64]; };
    auto *wide = new Wide[3];
    bool right = reinterpret_cast<std::size_t>(wide) % 64 == 0;
    delete[] wide;
    std::set_new_handler([] { throw std::runtime_error("no memory"); });
    std::string said = "nothing thrown";
    try {
        said = std::to_string(reinterpret_cast<std::size_t>(::operator new(std::size_t(1) << 62, std::align_val_t(64))));
    } catch (const std::runtime_error &error) {
        said = error.what();
    }
    std::set_new_handler(nullptr);
    return say((right ? "aligned, " : "not aligned, ") + said);
}

const char *resources()
{
    std::pmr::monotonic_buffer_resource pool;
    std::pmr::string text("in a pool of its own, and longer than any short string", &pool);
    return say(std::string(text.substr(0, 9)) + (std::pmr::get_default_resource() == std::pmr::new_delete_resource() ? ", default" : ""));
}

const char *pointers()
{
    std::exception_ptr kept;
    try {
        throw std::invalid_argument("kept");
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(std::make_exception_ptr(std::logic_error("made")));
    } catch (const std::logic_error &made) {
        try {
            std::rethrow_exception(kept);
        } catch (const std::invalid_argument &error) {
            return say(std::string(made.what()) + " " + error.what());
        }
    }
    return say("nothing thrown");
}

// What another file of the same wheel throws and catches.
struct Shared : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void throw_one(int kind)
{
    switch (kind) {
    case 0: throw Shared("a type of its own");
    case 1: throw std::system_error(std::make_error_code(std::errc::timed_out), "late");
    case 2: throw std::filesystem::filesystem_error("missing", std::make_error_code(std::errc::no_such_file_or_directory));
    default: throw std::ios_base::failure("stream");
    }
}

typedef void thrower(int);

const char *caught_from(thrower *other, int kind)
{
    try {
        other(kind);
    } catch (const Shared &error) {
        return say(std::string("shared: ") + error.what());
    } catch (const std::filesystem::filesystem_error &error) {
        return say("filesystem: " + error.code().message());
    } catch (const std::ios_base::failure &error) {
        return say("failure: " + error.code().message());
    } catch (const std::system_error &error) {
        return say(error.code() == std::errc::timed_out ? "system: timed out" : "system: other");
    }
    return say("nothing thrown");
}
}
