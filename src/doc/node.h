/* Nodes: one tree for everything that is read from or written to YAML and JSON.
 *
 * A node knows where it came from (`pos`), whether the stage took part in its value (NODE_STAGE)
 * and whether it is secret (NODE_SECRET); whoever derives a value from others hands these on. Nodes
 * live in arenas. They are immutable once built: a builder (node_map, node_seq and the *_put,
 * *_push calls) may change what it has just made and not yet handed out, nobody else changes
 * anything; to change a tree, build a new one that shares the unchanged parts. A node may be shared
 * by several parents. Map keys are strings, unique, in insertion order. Numbers keep their
 * canonical text (as JavaScript would print them), so that nothing is lost. All functions accept
 * NULL nodes where a lookup may have failed. */
#ifndef TROUPE_NODE_H
#define TROUPE_NODE_H

#include "base/err.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_STRING, NODE_SEQ, NODE_MAP };

enum node_flag {
    NODE_STAGE = 1,  /* the stage took part in this value */
    NODE_SECRET = 2, /* must not be shown or stored in the clear */
};

/* How a value came about: what was asked, where what it said stands, and where that came from in
 * turn. Of a text that variables became part of, `what` is empty: its variables are ORIGIN_PART,
 * and `from` is the first of them. */
struct origin {
    struct str what; /* "param 'size'"; of a source without a value: why */
    struct pos pos;
    const struct origin *from;
    struct pos at;                   /* where the variable is written */
    struct str text;                 /* as it is written there: "self:custom.size" */
    const struct node *value;        /* NULL: none, what follows was asked */
    const struct origin_link *links; /* what else took part, in the order of the text */
    struct str pattern; /* of a text: with NUL bytes for what another stage may have; or empty */
    uint8_t flags;      /* enum node_flag: of the source itself */
    uint8_t chosen;     /* also those of its address and of what was asked before it */
};

enum origin_role {
    ORIGIN_PART,    /* a variable in the text */
    ORIGIN_ADDRESS, /* a variable in the address or in its parameters */
    ORIGIN_BEFORE,  /* a source that was asked before and had no value */
    ORIGIN_VIA,     /* a variable whose value was looked into on the way */
};

struct origin_link {
    enum origin_role role;
    const struct origin *origin;
    const struct origin_link *next;
};

struct node;

struct member {
    struct str key;
    struct pos key_pos;
    const struct node *value;
};

struct node {
    uint8_t kind;  /* enum node_kind */
    uint8_t flags; /* enum node_flag */
    uint32_t
        weight; /* nodes below and including this one, shared ones counted each time; saturates */
    struct pos pos;
    const struct origin *origin; /* NULL: written where pos says */
    union {
        bool boolean;
        struct str text; /* NODE_STRING: the value; NODE_NUMBER: canonical text */
        struct {
            const struct node **items;
            size_t count, cap;
        };
        struct {
            struct member *members;
            size_t size, room;
            uint32_t *slots; /* hash index of larger maps */
            size_t slot_count;
        };
    };
};

/* ---- building ---- */

struct node *node_null(struct arena *a);
struct node *node_bool(struct arena *a, bool value);
struct node *node_int(struct arena *a, int64_t value);
/* `text` must be a canonical number (number_canonical). Not copied. */
struct node *node_number(struct arena *a, struct str text);
/* The text is not copied. */
struct node *node_str(struct arena *a, struct str text);
struct node *node_strf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct node *node_seq(struct arena *a);
struct node *node_map(struct arena *a);
/* Append. */
void node_push(struct arena *a, struct node *seq, const struct node *item);
/* Set a member; an existing key keeps its place. The key is not copied. NULL values are skipped, so
 * optional members need no `if`. */
void node_put(struct arena *a, struct node *map, struct str key, const struct node *value);
void node_put_at(struct arena *a, struct node *map, struct str key, struct pos key_pos,
                 const struct node *value);
/* Shorthands for the most frequent members. */
void node_put_str(struct arena *a, struct node *map, const char *key, struct str value);
void node_put_c(struct arena *a, struct node *map, const char *key, const struct node *value);
/* Remove a member of a map under construction, if there. */
void node_drop(struct node *map, struct str key);
/* A map {key: value}: CloudFormation functions. `key` must be static. */
struct node *node_fn(struct arena *a, const char *key, const struct node *value);
/* {"Ref": name} */
struct node *node_ref(struct arena *a, struct str name);
/* {"Fn::GetAtt": [name, attribute]} */
struct node *node_get_att(struct arena *a, struct str name, const char *attribute);
/* A copy of the top node only, to change it: children are shared. */
struct node *node_shallow(struct arena *a, const struct node *n);
/* Copy of everything as if it stood at `pos`, in no file where that has no source: without flags
 * and origins. Texts are shared. */
struct node *node_placed(struct arena *a, const struct node *n, struct pos pos);
/* Copy of everything into `a`, texts included (sources and origins are still referenced). */
struct node *node_deep(struct arena *a, const struct node *n);
/* `n` with every secret scalar as "********": for whatever is shown. Shares what holds no secret.
 */
const struct node *node_masked(struct arena *a, const struct node *n);
/* Makes what a child becomes; `key` is empty for items of a list. NULL: failed. */
typedef const struct node *node_change(void *context, struct str key, const struct node *child);
/* `n` with every child as `change` gives it: `n` itself when none differs, NULL when one failed. */
const struct node *node_change_children(struct arena *a, const struct node *n, node_change *change,
                                        void *context);
/* `n` with position, origin and flags of `from` added; for values made from a configured one. */
struct node *node_from(struct node *n, const struct node *from);

/* ---- looking ---- */

bool node_is(const struct node *n, enum node_kind kind); /* false for NULL */
/* NULL when absent, or `map` is no map. A present null gives a NODE_NULL node. */
const struct node *node_get(const struct node *map, struct str key);
const struct node *node_get_c(const struct node *map, const char *key);
/* Dotted path of map keys and sequence indices: "provider.iam.role", "events.0.http". */
const struct node *node_path(const struct node *n, const char *path);
const struct member *node_member(const struct node *map, struct str key);
/* Text of a string node (or of a number or boolean, as it would print); empty for others and NULL.
 */
struct str node_text(const struct node *n);
struct str node_text_or(const struct node *n, struct str fallback);
/* A string equal to `text`? */
bool node_is_text(const struct node *n, const char *text);
bool node_bool_or(const struct node *n, bool fallback); /* fallback unless NODE_BOOL */
/* Whole number. False when `n` is none or out of range. */
bool node_to_int(const struct node *n, int64_t *ret);
int64_t node_int_or(const struct node *n, int64_t fallback);
/* Is it absent or null? */
bool node_empty(const struct node *n);
/* JavaScript's truth: absent, null, false, 0 and "" are false. */
bool node_truthy(const struct node *n);
size_t node_count(const struct node *n); /* items or members, 0 for others */
/* Place of `n`, of no place for NULL. */
struct pos node_pos(const struct node *n);
/* Flags of `n` and of everything in it, or-ed. */
unsigned node_flags_deep(const struct node *n);
/* The first value in `n`, innermost, that depends on the stage; NULL: none. `*ret_cause` is the
 * variable that brings the stage in, NULL where none did (the stage's name in a default). */
const struct node *node_stage_value(const struct node *n, const struct origin **ret_cause);
/* "a string", "a map", … for messages. */
const char *node_kind_name(const struct node *n);

/* Iterate: node_each (item, seq) / member_each (m, map); nothing for NULL or another kind. */
#define node_each(it, seq)                                                                         \
    for (size_t i_##it = 0, n_##it = node_is((seq), NODE_SEQ) ? (seq)->count : 0; i_##it < n_##it; \
         i_##it = n_##it + 1)                                                                      \
        for (const struct node *it; i_##it < n_##it && ((it = (seq)->items[i_##it]), true);        \
             i_##it++)
#define member_each(m, map)                                                         \
    for (const struct member *m = node_is((map), NODE_MAP) ? (map)->members : NULL, \
                             *end_##m = m ? m + (map)->size : NULL;                 \
         m && m < end_##m; m++)

/* ---- comparing, merging ---- */

/* Is it the same value? Maps count regardless of order, sequences in order; positions and flags do
 * not count. */
bool node_equal(const struct node *x, const struct node *y);
/* Merge as lodash `merge`, by which the dialect is defined: maps member by member, sequences item
 * by item, everything else from `over`; an absent (NULL) `over` leaves `base`. Shares unchanged
 * parts. */
const struct node *node_merge(struct arena *a, const struct node *base, const struct node *over);

/* A value seen differently by two trees; see node_diff. */
struct node_change {
    struct str path;                   /* "Resources.Orders.Properties.KeySchema.0" */
    const struct node *before, *after; /* NULL: absent */
};
/* Every leaf path at which the two differ, in the order of `after`, then what only `before` has. */
void node_diff(struct arena *a, const struct node *before, const struct node *after,
               struct node_change **ret, size_t *ret_n);

/* Canonical text of a double as JavaScript's String(number); "null" when not finite. */
struct str number_canonical(struct arena *a, double value);

#endif
