/* What a program says of the exception that ends it, in the words of libstdc++, and the name of
   its type as C++ has it. libc++abi's own demangler is 160 KB, in every extension; this one knows
   names of types alone (Itanium C++ ABI, section 5.1), and leaves what it does not know as it is. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

class manylinux_shim_type {
  public:
    explicit manylinux_shim_type(const char *mangled) : at_(mangled) {}

    /* The name in C++; null if there is anything in it that is not known here. */
    const char *spelled()
    {
        if (!type() || *at_ != 0)
            return nullptr;
        text_[length_] = 0;
        return text_;
    }

  private:
    enum { ROOM = 4000, MOST = 64, DEEPEST = 64 };
    struct range {
        unsigned from, to;
    };

    const char *at_;
    char text_[ROOM + 1];
    unsigned length_ = 0, seen_ = 0, depth_ = 0;
    range names_[MOST];

    bool add(const char *text, unsigned length)
    {
        if (length > ROOM - length_)
            return false;
        memcpy(text_ + length_, text, length);
        length_ += length;
        return true;
    }
    bool add(const char *text) { return add(text, (unsigned)strlen(text)); }
    bool take(char c) { return *at_ == c ? ++at_, true : false; }
    bool take(const char *two)
    {
        if (at_[0] != two[0] || at_[1] != two[1])
            return false;
        at_ += 2;
        return true;
    }

    /* From now on what has been said since `from` can be meant by a number. */
    bool remember(unsigned from)
    {
        if (seen_ == MOST)
            return false;
        names_[seen_++] = {from, length_};
        return true;
    }
    bool remembered(unsigned number)
    {
        return number < seen_ && add(text_ + names_[number].from,
                                     names_[number].to - names_[number].from);
    }

    bool number(unsigned &value)
    {
        if (*at_ < '0' || *at_ > '9')
            return false;
        for (value = 0; *at_ >= '0' && *at_ <= '9'; at_++)
            if ((value = value * 10 + (unsigned)(*at_ - '0')) > ROOM)
                return false;
        return true;
    }

    bool source_name()
    {
        unsigned length;
        if (!number(length) || strnlen(at_, length) < length)
            return false;
        if (length >= 10 && memcmp(at_, "_GLOBAL__N", 10) == 0) {
            if (!add("(anonymous namespace)"))
                return false;
        } else if (!add(at_, length)) {
            return false;
        }
        at_ += length;
        while (take('B')) { /* ABI tags */
            if (!number(length) || strnlen(at_, length) < length)
                return false;
            if (!add("[abi:") || !add(at_, length) || !add("]"))
                return false;
            at_ += length;
        }
        return true;
    }

    bool literal()
    {
        char kind = *at_++;
        const char *suffix = kind == 'j' ? "u" : kind == 'l' ? "l" : kind == 'm' ? "ul"
            : kind == 'x' ? "ll" : kind == 'y' ? "ull" : "";
        if (kind == 'b' && (at_[0] == '0' || at_[0] == '1') && at_[1] == 'E') {
            at_ += 2;
            return add(at_[-2] == '1' ? "true" : "false");
        }
        if (!strchr("ijlmxy", kind))
            return false;
        if (take('n') && !add("-"))
            return false;
        const char *first = at_;
        while (*at_ >= '0' && *at_ <= '9')
            at_++;
        return at_ != first && add(first, (unsigned)(at_ - first)) && add(suffix) && take('E');
    }

    bool arguments(bool &first)
    {
        while (!take('E')) {
            if (*at_ == 0)
                return false;
            if (take('J')) {
                if (!arguments(first))
                    return false;
                continue;
            }
            if (!first && !add(", "))
                return false;
            first = false;
            if (!(take('L') ? literal() : type()))
                return false;
        }
        return true;
    }

    /* What stands between angle brackets, if anything does. */
    bool template_arguments(unsigned from)
    {
        bool first = true;
        if (!take('I'))
            return true;
        if (!add("<") || !arguments(first))
            return false;
        if (text_[length_ - 1] == '>' && !add(" "))
            return false;
        return add(">") && remember(from);
    }

    bool substitution()
    {
        static const struct { char letter; const char *name; } known[] = {
            {'a', "std::allocator"}, {'b', "std::basic_string"}, {'s', "std::string"},
            {'i', "std::istream"}, {'o', "std::ostream"}, {'d', "std::iostream"},
        };
        for (const auto &each : known)
            if (take(each.letter))
                return add(each.name);
        unsigned value = 0;
        if (take('_'))
            return remembered(0);
        for (; *at_ != '_'; at_++) {
            if (*at_ >= '0' && *at_ <= '9')
                value = value * 36 + (unsigned)(*at_ - '0');
            else if (*at_ >= 'A' && *at_ <= 'Z')
                value = value * 36 + (unsigned)(*at_ - 'A') + 10;
            else
                return false;
            if (value > MOST)
                return false;
        }
        at_++;
        return remembered(value + 1);
    }

    bool nested()
    {
        unsigned from = length_;
        bool is_new = true;
        if (take("St")) {
            if (!add("std"))
                return false;
            is_new = false;
        } else if (take('S')) {
            if (!substitution())
                return false;
            is_new = false;
        } else if (!source_name()) {
            return false;
        }
        for (;;) {
            if (is_new && !remember(from))
                return false;
            is_new = false;
            if (*at_ == 'I') {
                if (!template_arguments(from))
                    return false;
                continue;
            }
            if (take('E'))
                return true;
            if (!add("::") || !source_name())
                return false;
            is_new = true;
        }
    }

    bool type()
    {
        if (depth_ == DEEPEST)
            return false;
        depth_++;
        bool known = type_here();
        depth_--;
        return known;
    }

    bool type_here()
    {
        static const struct { char letter; const char *name; } basic[] = {
            {'v', "void"}, {'w', "wchar_t"}, {'b', "bool"}, {'c', "char"},
            {'a', "signed char"}, {'h', "unsigned char"}, {'s', "short"},
            {'t', "unsigned short"}, {'i', "int"}, {'j', "unsigned int"}, {'l', "long"},
            {'m', "unsigned long"}, {'x', "long long"}, {'y', "unsigned long long"},
            {'n', "__int128"}, {'o', "unsigned __int128"}, {'f', "float"}, {'d', "double"},
            {'e', "long double"}, {'g', "__float128"},
        };
        unsigned from = length_;
        for (const auto &each : basic)
            if (take(each.letter))
                return add(each.name);
        if (take("Dn"))
            return add("decltype(nullptr)");
        if (take("Du"))
            return add("char8_t");
        if (take("Ds"))
            return add("char16_t");
        if (take("Di"))
            return add("char32_t");
        if (take('P'))
            return type() && add("*") && remember(from);
        if (take('R'))
            return type() && add("&") && remember(from);
        if (take('O'))
            return type() && add("&&") && remember(from);
        if (take('K'))
            return type() && add(" const") && remember(from);
        if (take('V'))
            return type() && add(" volatile") && remember(from);
        if (take('N'))
            return nested();
        if (take("St"))
            return add("std::") && source_name() && remember(from) && template_arguments(from);
        if (take('S'))
            return substitution() && template_arguments(from);
        return source_name() && remember(from) && template_arguments(from);
    }
};

__attribute__((noreturn, noinline)) void
manylinux_shim_terminated(const char *, const char * = nullptr, const char *name = nullptr,
                          const char *what = nullptr)
{
    if (name == nullptr) {
        fputs("terminate called without an active exception\n", stderr);
    } else {
        manylinux_shim_type type(name);
        const char *spelled = type.spelled();
        fprintf(stderr, "terminate called after throwing an instance of '%s'\n",
                spelled != nullptr ? spelled : name);
        if (what != nullptr)
            fprintf(stderr, "  what():  %s\n", what);
    }
    abort();
}

} // namespace
