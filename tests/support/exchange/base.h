// What two files pass each other: types, and functions of the library that makes them.
#pragma once

#include <any>
#include <exception>
#include <functional>
#include <future>
#include <iosfwd>
#include <locale>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeindex>
#include <vector>

#define SEEN __attribute__((visibility("default")))

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
    int code = 7;
};
struct RefusedTwice : Refused {
    using Refused::Refused;
};
struct Shape {
    virtual ~Shape() = default;
    virtual int corners() const { return 0; }
};
struct Solid {
    virtual ~Solid() = default;
};
struct Cube : Shape, virtual Solid {
    int corners() const override { return 8; }
};
template <class T> struct Box {
    virtual ~Box() = default;
    T inside{};
};
struct Counted {
    static SEEN int alive();
    SEEN Counted();
    SEEN ~Counted();
};
struct Grouped : std::numpunct<char> {
    char do_thousands_sep() const override { return '\''; }
    std::string do_grouping() const override { return "\3"; }
};
struct Named : std::enable_shared_from_this<Named> {
    std::string name = "named";
};

SEEN void raise(int kind);
SEEN std::exception_ptr caught(int kind);
SEEN std::string what_is(std::exception_ptr error);
SEEN std::string kind_of(const std::function<void()> &thrower);
SEEN void through(const std::function<void()> &thrower);
SEEN Shape *shape();
SEEN Solid *solid(Shape *shape);
SEEN const std::type_info &box_of_int();
SEEN Box<int> *box();
SEEN std::any anything(bool text);
SEEN bool holds_vector(const std::any &any);
SEEN std::function<int(int)> twice();
SEEN int call(const std::function<int(int)> &function, int number);
SEEN void say(std::ostream &out);
SEEN std::ostream &shared_out();
SEEN int word_index();
SEEN std::string read_word(std::istream &in);
SEEN std::locale grouped();
SEEN std::shared_ptr<Named> named();
SEEN std::shared_ptr<void> counted();
SEEN std::thread in_thread(std::function<void()> work);
SEEN std::string &last_words();
SEEN void touch_thread_local();
SEEN std::string *new_string();
SEEN void delete_string(std::string *text);
SEEN std::vector<std::string> many();
SEEN int uncaught();
SEEN std::future<int> later(int kind);
SEEN std::new_handler handler();
