/* Objects of the bucket as structs: a table says which member of the JSON is which of the struct,
 * and one reader and one writer follow it (docs/bucket.md has all of them).
 *
 * Every struct begins with `struct object`. What was read is written again just as it was: members
 * that the table does not have, because a newer troupe wrote them, stay. An object that is made
 * here begins as zeroes and has what is set. */
#ifndef TROUPE_DOC_OBJECT_H
#define TROUPE_DOC_OBJECT_H

#include <stddef.h>

#include "doc/node.h"

/* The only format there is. A change that a troupe of today would misread makes the next one. */
enum { OBJECT_FORMAT = 1 };

struct object {
    struct str key;          /* of one in a map: its key */
    const struct node *read; /* what it was read from; NULL: made here */
};

/* What the struct has for a member; the JSON is a string, a whole number, and so on. What is not
 * there is empty, 0, false or NULL. */
enum object_type {
    OBJECT_TEXT,  /* struct str */
    OBJECT_WHOLE, /* int64_t */
    OBJECT_FLAG,  /* bool */
    OBJECT_WORD,  /* an enum whose 0 stands for no word */
    OBJECT_TEXTS, /* const struct node *: a list of strings */
    OBJECT_NAMED, /* const struct node *: a map of strings */
    OBJECT_TREE,  /* const struct node *: a map of anything */
    OBJECT_PART,  /* a pointer to another struct */
    OBJECT_LIST,  /* struct objects: a list of them */
    OBJECT_MAP,   /* the same by key */
};

enum object_flag {
    OBJECT_REQUIRED = 1,  /* one without it is not read */
    OBJECT_ALWAYS = 2,    /* is written when it is empty, too */
    OBJECT_SIGNATURE = 4, /* who wrote it when, and not what it says: see record_content */
};

struct object_table;

struct object_member {
    const char *name; /* ends the table when NULL */
    size_t at;
    enum object_type type;
    unsigned flags;
    const char *const *words; /* of the values from 1 on; ends with NULL */
    const struct object_table *of;
};

struct object_table {
    const char *name; /* as docs/bucket.md calls it */
    size_t size;
    const struct object_member *members;
};

/* A list in a struct: `OBJECTS(struct record_api) apis;`, gone through with vec_each. */
#define OBJECTS(type) \
    struct {          \
        type *p;      \
        size_t n;     \
    }
struct objects {
    void *p;
    size_t n;
};

/* For tables, of `struct type`: MEMBER(lease_content, nonce, OBJECT_TEXT). */
#define MEMBER(type, field, ...)                          \
    {                                                     \
#field, offsetof(struct type, field), __VA_ARGS__ \
    }
#define MEMBER_AS(name, type, field, ...)               \
    {                                                   \
        name, offsetof(struct type, field), __VA_ARGS__ \
    }

/* The format that an object says it has, 0: none. */
int64_t object_format(const struct node *n);
/* Refuse an object, called `name`, that has no format or one that is not known here: FAILED, with
 * the version of the troupe that wrote it, where the object says so. */
int object_check(const struct node *n, struct str name, struct err *err);
/* Fill `ret`, which points into `n`. FAILED says which member is not what it has to be. */
int object_read(struct arena *a, const struct object_table *table, const struct node *n, void *ret,
                struct err *err);
/* The map: "format" first, then the members in the order of the table, then those that only were
 * read. Without members that have one of the flags in `but`. */
const struct node *object_node(struct arena *a, const struct object_table *table,
                               const void *object, unsigned but);
/* The text of the object in the bucket. */
struct str object_text(struct arena *a, const struct object_table *table, const void *object);

#endif
