/* What unit tests share: cmocka with its prerequisites, and checks that show both texts. */
#ifndef TROUPE_TEST_CHECK_H
#define TROUPE_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* Both are the same text; on failure shows them. */
#define check_str(got, want)                                     \
    do {                                                         \
        struct arena *check_arena_ = arena_new();                \
        assert_string_equal(str_z(check_arena_, (got)), (want)); \
        arena_free(check_arena_);                                \
    } while (0)

/* `call` is 0; on failure prints the error. */
#define check_ok(call, error)                                                                 \
    do {                                                                                      \
        if ((call) < 0) {                                                                     \
            struct arena *check_arena_ = arena_new();                                         \
            print_error("%s", str_z(check_arena_, err_render(check_arena_, (error), false))); \
            arena_free(check_arena_);                                                         \
            fail();                                                                           \
        }                                                                                     \
    } while (0)

/* `text` has `words` in it; on failure shows both. */
static inline void check_has(struct str text, const char *words)
{
    if (*words && (!text.p || str_find(text, str_c(words), 0) < 0))
        check_str(text.p ? text : STR("(nothing)"), words);
}

/* `call`, which left its error in `err` of `f`, failed like this and says so; clears the error. */
#define check_failed(f, call, as, words)       \
    do {                                       \
        assert_int_equal((call), -1);          \
        check_has((f)->err.msg, (words));      \
        assert_int_equal((f)->err.kind, (as)); \
        err_clear(&(f)->err);                  \
    } while (0)

#endif
