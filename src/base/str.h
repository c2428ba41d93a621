/* Strings as views: a pointer and a length, no NUL assumed, never owned.
 *
 * A `struct str` points into an arena, a source text or static data. What arena functions return
 * has a NUL behind it, so `.p` can be handed to C interfaces; other views need str_z. */
#ifndef TROUPE_STR_H
#define TROUPE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/banned.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){"" lit "", sizeof(lit) - 1})
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).n, ((s).p ? (s).p : "")

/* View of a C string; NULL gives the empty view. */
struct str str_c(const char *s);
bool str_eq(struct str a, struct str b);
/* Byte order, as qsort wants it. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Cut what `*s` begins or ends with. False, and `*s` as it was: it does not. */
bool str_skip(struct str *s, struct str prefix);
bool str_strip(struct str *s, struct str suffix);
/* Part from `from` (clamped), at most `n` bytes. */
struct str str_sub(struct str s, size_t from, size_t n);
/* Index of the first `needle` at or after `from`, or -1. */
ptrdiff_t str_find(struct str s, struct str needle, size_t from);
ptrdiff_t str_find_char(struct str s, char c, size_t from);
ptrdiff_t str_rfind_char(struct str s, char c);
struct str str_trim(struct str s);
/* Cut `*rest` at the next `sep`: the part before it is in `*part`, `*rest` what follows. False, and
 * an empty part, when `*rest` was used up (`rest->p` NULL). "a,,b" gives "a", "", "b"; "" gives
 * "". */
bool str_cut(struct str *rest, char sep, struct str *part);
/* Whole decimal number with optional sign. False when it is not one or does not fit. */
bool str_to_int(struct str s, int64_t *ret);
uint64_t str_hash(struct str s);
/* Number of edits between the two, for "did you mean"; SIZE_MAX when over `limit`. */
size_t str_distance(struct str a, struct str b, size_t limit);

/* Arena copies; NUL behind. */
struct str str_dup(struct arena *a, struct str s);
char *str_z(struct arena *a, struct str s);
struct str str_concat(struct arena *a, struct str x, struct str y);
struct str str_lower(struct arena *a, struct str s);
struct str str_upper(struct arena *a, struct str s);
struct str str_upper_first(struct arena *a, struct str s);
struct str str_replace(struct arena *a, struct str s, struct str from, struct str to);
struct str str_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str str_vfmt(struct arena *a, const char *fmt, __builtin_va_list ap)
    __attribute__((format(printf, 2, 0), nonnull(2)));
/* Length of the valid UTF-8 sequence at the start of `s`, which is not empty, or 0. */
size_t str_utf8_len(struct str s);
/* True for valid UTF-8 (no surrogates, no overlong forms); otherwise `*ret_bad` is the offset. */
bool str_utf8_ok(struct str s, size_t *ret_bad);

#endif
