/* What the files that apply the schema share: schema_check.c walks, schema_coerce.c changes values,
 * schema_problems.c tells. */
#ifndef TROUPE_CONFIG_SCHEMA_SCHEMA_INTERNAL_H
#define TROUPE_CONFIG_SCHEMA_SCHEMA_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "config/schema/schema.h"

/* ---- schema_coerce.c ---- */

/* Replace `*value` by what the dialect makes of it for `type`; false: it makes nothing of it. */
bool schema_coerce(struct arena *a, enum schema_type type, const struct node **value);

/* ---- schema_problems.c ---- */

enum { WORDS_SHOWN_MAX = 12 };

struct problem {
    struct pos pos;
    unsigned depth; /* how deep in the value */
    enum weight weight;
    bool unknown;       /* a key that is not in the schema: told together */
    struct str subject; /* set: "'subject' must be <expected>, not <actual>" */
    struct str expected, actual;
    struct str message; /* else this */
    struct str help;
    const struct origin *origin;
};

typedef VEC(struct problem) problem_list;

struct place {
    struct str name; /* of the value, for messages */
    unsigned depth;
    struct pos key_pos;
};

/* "'a', 'b' or 'c'" of a NULL-terminated list. */
void problem_words(struct buf *b, const char *const *words);
/* Note that `n` is not what `s` wants. False, like `problem_note`. */
bool problem_mismatch(struct checker *c, const struct schema *s, struct place at,
                      const struct node *n, problem_list *problems);
/* Note a problem in words of its own. `help` may be empty. */
bool problem_note(struct checker *c, enum weight weight, struct pos pos, unsigned depth,
                  struct str message, struct str help, problem_list *problems);
/* Errors go to `err` (err_also), all else becomes warnings. */
void problems_tell(struct checker *c, const problem_list *problems, struct err *err);

#endif
