// Each row does one thing with the library, and says what came of it.
#include "table.h"

#include "base.h"

#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <new>
#include <sstream>
#include <system_error>

SEEN void raise_in_the_middle(int kind);

static std::string name_of(const std::function<void()> &thrower)
{
    try {
        try {
            thrower();
        } catch (...) {
            throw;
        }
    } catch (const std::out_of_range &) {
        return "out_of_range";
    } catch (const RefusedTwice &error) {
        return std::string("RefusedTwice ") + error.what();
    } catch (const Refused &error) {
        return std::string("Refused ") + error.what();
    } catch (const std::system_error &error) {
        return error.code() == std::errc::no_such_process ? "system_error" : "other system_error";
    } catch (const std::bad_alloc &) {
        return "bad_alloc";
    } catch (int number) {
        return "int " + std::to_string(number);
    } catch (const char *text) {
        return std::string("text ") + text;
    } catch (const std::string &text) {
        return "string " + text;
    } catch (const Box<int> &) {
        return "box";
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const Refused &inner) {
            return std::string(outer.what()) + " of " + inner.what();
        }
        return "exception";
    } catch (...) {
        return "unknown";
    }
    return "nothing";
}

static std::string thrown(int kind) { return name_of([kind] { raise(kind); }); }

struct Caller {
    const char *name = "thread of the caller";
    ~Caller() { last_words() += std::string(name) + " ended, "; }
};
static thread_local Caller mourner;

struct Watch {
    int &seen;
    ~Watch() { seen = uncaught(); }
};

static void no_memory() {}

static const std::map<std::string, std::function<std::string()>> ROWS = {
    {"out_of_range", [] { return thrown(0); }},
    {"own_type", [] { return thrown(1); }},
    {"derived_type", [] { return thrown(2); }},
    {"system_error", [] { return thrown(3); }},
    {"bad_alloc", [] { return thrown(4); }},
    {"int", [] { return thrown(5); }},
    {"text", [] { return thrown(6); }},
    {"string", [] { return thrown(7); }},
    {"template", [] { return thrown(8); }},
    {"nested", [] { return thrown(9); }},
    {"by_the_standard_library", [] { return thrown(10); }},
    {"exception_ptr", [] { return name_of([] { std::rethrow_exception(caught(2)); }); }},
    {"exception_ptr_back", [] { return what_is(std::make_exception_ptr(Refused("here"))); }},
    {"thrown_here_caught_there",
     [] { return kind_of([] { throw Refused("here"); }) + ", " + kind_of([] { throw 3; }); }},
    {"rethrown_there",
     [] {
         const std::string name = name_of([] { through([] { throw Refused("here"); }); });
         return name + " " + std::to_string(Counted::alive());
     }},
    {"through_a_library", [] { return name_of([] { raise_in_the_middle(1); }); }},
    {"uncaught_exceptions",
     [] {
         int seen = -1;
         try {
             Watch watch{seen};
             throw 1;
         } catch (int) {
         }
         return std::to_string(seen);
     }},
    {"dynamic_cast",
     [] {
         std::unique_ptr<Shape> made(shape());
         const Cube *cube = dynamic_cast<Cube *>(made.get());
         const bool crossed = solid(made.get()) == dynamic_cast<Solid *>(made.get());
         return std::to_string(cube ? cube->corners() : -1) + (crossed ? " crossed" : " lost");
     }},
    {"dynamic_cast_back",
     [] {
         Cube cube;
         return std::string(solid(&cube) == static_cast<Solid *>(&cube) ? "same" : "lost");
     }},
    {"typeid",
     [] {
         std::unique_ptr<Box<int>> made(box());
         const bool same = typeid(*made) == typeid(Box<int>) && box_of_int() == typeid(Box<int>);
         std::map<std::type_index, int> numbers{{typeid(Box<int>), 4}};
         return std::string(same ? "same " : "other ") + std::to_string(numbers.count(box_of_int()));
     }},
    {"any",
     [] {
         const std::any one = anything(true), other = anything(false);
         std::string said = std::any_cast<std::string>(one);
         said += std::any_cast<Box<int>>(&other) ? " box" : " lost";
         return said + (holds_vector(std::vector<int>{1}) ? " vector" : " lost");
     }},
    {"function",
     [] {
         const std::function<int(int)> from_there = twice();
         int more = 3;
         const int back = call([more](int n) { return n + more; }, 4);
         const bool known = from_there.target<int (*)(int)>() != nullptr;
         return std::to_string(from_there(21)) + " " + std::to_string(back) + (known ? " known" : "");
     }},
    {"stream",
     [] {
         std::ostringstream out;
         say(out << std::boolalpha << std::setfill('.'));
         std::istringstream in(out.str());
         const std::string word = read_word(in);
         std::string next;
         in >> next;
         return word + " " + next;
     }},
    {"locale",
     [] {
         std::ostringstream out;
         out.imbue(grouped());
         say(out);
         const bool own = dynamic_cast<const Grouped *>(
             &std::use_facet<std::numpunct<char>>(out.getloc())) != nullptr;
         const std::string text = out.str();
         return text.substr(text.rfind(' ') + 1, 9) + (own ? " own" : " lost");
     }},
    {"cout",
     [] {
         std::ostringstream caught;
         std::streambuf *before = std::cout.rdbuf(caught.rdbuf());
         shared_out() << "one";
         std::cout.rdbuf(before);
         const bool one = &shared_out() == &std::cout;
         return caught.str() + (one ? " cout" : " two");
     }},
    {"iword",
     [] {
         const int there = word_index(), here = std::ios_base::xalloc();
         return std::string(here != there ? "apart" : "the same");
     }},
    {"shared_ptr",
     [] {
         std::weak_ptr<Named> weak;
         std::string said;
         {
             const std::shared_ptr<Named> made = named();
             weak = made->shared_from_this();
             said = made->name + " " + std::to_string(made.use_count());
         }
         {
             const std::shared_ptr<void> one = counted();
             said += " " + std::to_string(Counted::alive());
         }
         return said + " " + std::to_string(Counted::alive()) + (weak.expired() ? " gone" : "");
     }},
    {"thread",
     [] {
         last_words().clear();
         in_thread([] {
             touch_thread_local();
             last_words() += mourner.name[0] ? "working, " : "";
         }).join();
         const std::string words = last_words();
         const bool both = words.find("library ended") != std::string::npos &&
                           words.find("caller ended") != std::string::npos;
         return words.substr(0, 9) + (both ? "both ended" : words.substr(9));
     }},
    {"future", [] { return name_of([] { later(1).get(); }); }},
    {"new_and_delete",
     [] {
         delete_string(new std::string(100, 'z'));
         std::unique_ptr<std::string> there(new_string());
         const std::vector<std::string> strings = many();
         return std::to_string(there->size()) + " " + std::to_string(strings.size());
     }},
    {"new_handler",
     [] {
         std::set_new_handler(no_memory);
         const bool same = handler() == no_memory;
         std::set_new_handler(nullptr);
         return std::string(same ? "the same" : "another");
     }},
};

std::string row(const std::string &name)
{
    const auto found = ROWS.find(name);
    return found == ROWS.end() ? "no such row" : found->second();
}

std::string rows()
{
    std::string text;
    for (const auto &each : ROWS) {
        text += each.first + ": " + each.second() + "\n";
    }
    return text;
}
