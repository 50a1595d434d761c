/* The resolver's functions, which until glibc 2.34 were in libresolv with two underscores
   before their names; <resolv.h> hid that. */

typedef const char *name;
typedef unsigned char *bytes;
typedef const unsigned char *text;
struct state;

#define ALIAS(result, function, parameters, arguments) \
    extern result __##function parameters;             \
    result function parameters { return __##function arguments; }

ALIAS(int, res_query, (name n, int c, int t, bytes a, int l), (n, c, t, a, l))
ALIAS(int, res_search, (name n, int c, int t, bytes a, int l), (n, c, t, a, l))
ALIAS(int, res_querydomain, (name n, name d, int c, int t, bytes a, int l), (n, d, c, t, a, l))
ALIAS(int, res_mkquery,
      (int o, name n, int c, int t, text d, int dl, text r, bytes b, int l),
      (o, n, c, t, d, dl, r, b, l))
ALIAS(int, res_send, (text m, int ml, bytes a, int l), (m, ml, a, l))
ALIAS(int, res_nquery, (struct state *s, name n, int c, int t, bytes a, int l),
      (s, n, c, t, a, l))
ALIAS(int, res_nsearch, (struct state *s, name n, int c, int t, bytes a, int l),
      (s, n, c, t, a, l))
ALIAS(int, res_nquerydomain, (struct state *s, name n, name d, int c, int t, bytes a, int l),
      (s, n, d, c, t, a, l))
ALIAS(int, res_nmkquery,
      (struct state *s, int o, name n, int c, int t, text d, int dl, text r, bytes b, int l),
      (s, o, n, c, t, d, dl, r, b, l))
ALIAS(int, res_nsend, (struct state *s, text m, int ml, bytes a, int l), (s, m, ml, a, l))
ALIAS(int, res_hnok, (name n), (n))
ALIAS(int, res_ownok, (name n), (n))
ALIAS(int, res_mailok, (name n), (n))
ALIAS(int, res_dnok, (name n), (n))
ALIAS(int, dn_expand, (text m, text e, text f, char *t, int l), (m, e, f, t, l))
ALIAS(int, dn_comp, (name n, bytes t, int l, bytes *p, bytes *e), (n, t, l, p, e))
ALIAS(int, dn_skipname, (text f, text e), (f, e))
