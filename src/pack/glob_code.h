/* The program a pattern is compiled to; between glob_compile.c and glob.c. */
#ifndef TROUPE_PACK_GLOB_CODE_H
#define TROUPE_PACK_GLOB_CODE_H

#include "base/vec.h"
#include "pack/glob.h"
#include "pack/pack_internal.h"

enum op {
    OP_BYTE,         /* this byte */
    OP_ANY,          /* one character, not '/' */
    OP_CLASS,        /* one character of a class */
    OP_DEEP,         /* one byte, unless "." or ".." begins behind it as a whole part */
    OP_SPLIT,        /* go on at x, or else at y */
    OP_JUMP,         /* go on at x */
    OP_NOT_DOTS,     /* here begins no part "." or ".." */
    OP_NOT_DOT_REST, /* behind a dot: neither the end of the part nor one more dot and the end */
    OP_SOME,         /* not at the end */
    OP_START,        /* at the start */
    OP_END,          /* at the end */
    OP_NOT,          /* what follows, up to OP_MATCH, does not match from here; go on at x */
    OP_MATCH,
};

/* Jumps are relative to the instruction, so that pieces can be put together. */
struct instruction {
    enum op op;
    int32_t x, y;
    const struct char_class *class;
};

struct char_range {
    uint32_t low, high;
};

struct char_class {
    bool negated;
    VEC(struct char_range) ranges;
};

/* One of the patterns that braces stand for. */
struct alternative {
    const struct instruction *code;
    uint32_t count;
    struct str prefix; /* every path that matches starts with this */
    bool exact;        /* the prefix is the whole path */
    bool deep_tail;    /* ends in two stars: matches everything below what it matches */
    bool absolute;     /* begins with '/' */
};

struct glob {
    struct str text;
    bool literal_too; /* a path equal to the pattern's text matches whatever the pattern means */
    bool negated;
    struct alternative *alternatives;
    size_t count;
};

/* One character at `s.p[*i]`; bytes that are no UTF-8 count as characters of their own. */
uint32_t glob_next_char(struct str s, size_t *i);

#endif
