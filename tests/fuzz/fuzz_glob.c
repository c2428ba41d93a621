/* Patterns: none may crash, hang, or make the walk skip a directory with a file that matches. The
 * input is a pattern, a newline, and a path. */
#include "fuzz.h"

#include "pack/pack_internal.h"

static bool has_dots(struct str path)
{
    struct str part;
    while (str_cut(&path, '/', &part))
        if (!part.n || str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return true;
    return false;
}

static void check(const struct glob *g, struct str path)
{
    bool matches = glob_match(g, path);
    if (has_dots(path)) /* a walk makes no such path */
        return;
    for (size_t i = 1; i < path.n; i++) {
        if (path.p[i] != '/')
            continue;
        struct str above = str_sub(path, 0, i);
        fuzz_check(!matches || glob_may_match_below(g, above));
        fuzz_check(!glob_covers(g, above) || matches);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size < 512 ? size : 512}, pattern;
    if (!str_cut(&rest, '\n', &pattern))
        return 0;
    struct arena *a = arena_new();
    for (int pass = GLOB_FIND; pass <= GLOB_FILTER; pass++) {
        struct err err = {0};
        struct glob *g;
        if (glob_compile(a, pattern, (enum glob_pass)pass, &g, &err) < 0)
            fuzz_check_error(a, &err);
        else
            check(g, rest);
        err_clear(&err);
    }
    arena_free(a);
    return 0;
}
