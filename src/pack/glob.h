/* One pattern of the dialect. */
#ifndef TROUPE_PACK_GLOB_H
#define TROUPE_PACK_GLOB_H

#include "base/err.h"

/* How the dialect reads patterns differs between its two passes: when it looks for files, braces
 * are expanded (ranges too) and `[!a]` negates; when it filters what it found, a range of braces is
 * a class of characters and `[!a]` means '!' or 'a'. */
enum glob_pass { GLOB_FIND, GLOB_FILTER };

struct glob;

/* Compile `pattern` (without a leading '!' that excludes). `*ret` lives in `a` and refers to
 * `pattern`. ERR_CONFIG when it is too long or its braces expand to too much. */
int glob_compile(struct arena *a, struct str pattern, enum glob_pass pass, struct glob **ret,
                 struct err *err);
/* Any thread. Time is bounded by pattern length times path length. */
bool glob_match(const struct glob *g, struct str path);
/* Does `g`, the pattern behind a '!' (GLOB_FIND), take `path` away from what was found? A pattern
 * that begins with '/' is compared with `absolute`, the whole path; this may be empty unless
 * glob_has_absolute. */
bool glob_match_negated(const struct glob *g, struct str path, struct str absolute);
bool glob_has_absolute(const struct glob *g);
/* Could it match a path below directory `dir`? True when in doubt. */
bool glob_may_match_below(const struct glob *g, struct str dir);
/* Does it match everything below `dir`, as "dir/" followed by two stars does? False when in doubt.
 */
bool glob_covers(const struct glob *g, struct str dir);
/* Does the pattern stand for one path only? */
bool glob_is_static(struct str pattern);
/* The directory where a search for `pattern` starts: the parts before the first special one; "." */
struct str glob_base(struct str pattern);
/* All patterns that the braces of `pattern` stand for, in order. `ranges`: expand {1..3} too. */
int glob_expand(struct arena *a, struct str pattern, bool ranges, struct str **ret, size_t *ret_n,
                struct err *err);

#endif
