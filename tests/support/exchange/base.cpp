#include "base.h"

#include <iomanip>
#include <iostream>
#include <new>
#include <system_error>

static int counted_alive;
int Counted::alive() { return counted_alive; }
Counted::Counted() { ++counted_alive; }
Counted::~Counted() { --counted_alive; }

void raise(int kind)
{
    switch (kind) {
    case 0: throw std::out_of_range("far");
    case 1: throw Refused("no");
    case 2: throw RefusedTwice("no, no");
    case 3: throw std::system_error(std::make_error_code(std::errc::no_such_process));
    case 4: throw std::bad_alloc();
    case 5: throw kind;
    case 6: throw "text";
    case 7: throw std::string("string");
    case 8: throw Box<int>();
    case 9:
        try {
            throw Refused("inner");
        } catch (...) {
            std::throw_with_nested(std::logic_error("outer"));
        }
    default: (void)std::string("short").at(99);
    }
}

std::exception_ptr caught(int kind)
{
    try {
        raise(kind);
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

std::string what_is(std::exception_ptr error)
{
    return kind_of([&] { std::rethrow_exception(error); });
}

std::string kind_of(const std::function<void()> &thrower)
{
    try {
        thrower();
    } catch (const Refused &error) {
        return "Refused " + std::to_string(error.code);
    } catch (const std::out_of_range &) {
        return "out_of_range";
    } catch (const std::exception &) {
        return "exception";
    } catch (int number) {
        return "int " + std::to_string(number);
    } catch (...) {
        return "unknown";
    }
    return "nothing";
}

void through(const std::function<void()> &thrower)
{
    Counted here;
    try {
        thrower();
    } catch (...) {
        throw;
    }
}

Shape *shape() { return new Cube; }
Solid *solid(Shape *shape) { return dynamic_cast<Solid *>(shape); }
const std::type_info &box_of_int() { return typeid(Box<int>); }
Box<int> *box() { return new Box<int>; }
std::any anything(bool text) { return text ? std::any(std::string("any")) : std::any(Box<int>()); }
bool holds_vector(const std::any &any) { return std::any_cast<std::vector<int>>(&any) != nullptr; }
static int doubled(int number) { return 2 * number; }
std::function<int(int)> twice() { return &doubled; }
int call(const std::function<int(int)> &function, int number) { return function(number); }
void say(std::ostream &out) { out << std::setw(6) << 1.5 << ' ' << true << ' ' << 1234567 << std::endl; }
std::ostream &shared_out() { return std::cout; }
int word_index() { static const int index = std::ios_base::xalloc(); return index; }
std::string read_word(std::istream &in)
{
    std::string word;
    in >> word;
    return word;
}
std::locale grouped() { return std::locale(std::locale::classic(), new Grouped); }
std::shared_ptr<Named> named() { return std::make_shared<Named>(); }
std::shared_ptr<void> counted() { return std::make_shared<Counted>(); }
std::thread in_thread(std::function<void()> work) { return std::thread(std::move(work)); }

std::string &last_words()
{
    static std::string words;
    return words;
}
struct Mourner {
    std::string name = "thread of the library";
    ~Mourner() { last_words() += name + " ended, "; }
};
thread_local Mourner mourner;
void touch_thread_local() { mourner.name += ""; }

std::string *new_string() { return new std::string(100, 'x'); }
void delete_string(std::string *text) { delete text; }
std::vector<std::string> many() { return std::vector<std::string>(3, std::string(40, 'y')); }
int uncaught() { return std::uncaught_exceptions(); }
std::future<int> later(int kind)
{
    return std::async(std::launch::async, [kind] { raise(kind); return 0; });
}
std::new_handler handler() { return std::get_new_handler(); }
