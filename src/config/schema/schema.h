/* The schema: what may stand where, as tables, and the loop that applies them.
 *
 * A value is checked and coerced in one go, as the dialect's validator does it: "5" becomes 5 where
 * a number is expected, a scalar becomes a list of one where a list is, and so on. Alternatives are
 * tried in order and, like there, what a failed alternative has coerced stays coerced. Members that
 * are null count as absent and are kept.
 *
 * What does not match is a warning, as in the dialect, unless something is certain to come to
 * nothing: see `enum weight`. */
#ifndef TROUPE_CONFIG_SCHEMA_SCHEMA_H
#define TROUPE_CONFIG_SCHEMA_SCHEMA_H

#include "config/config.h"

enum schema_type {
    ANY,
    TYPE_STRING,
    TYPE_NUMBER,
    TYPE_INTEGER,
    TYPE_BOOLEAN,
    TYPE_MAP,
    TYPE_LIST,
    TYPE_NULL,
};

enum field_flag {
    REQUIRED = 1,
    UNSUPPORTED = 2, /* the dialect has it, this program does not */
    ONLY_3 = 4,      /* 4.x of the dialect does not know it */
    ONLY_4 = 8,      /* 3.x of the dialect does not know it */
    EXPECTED = 16,   /* a map without it is doubtful */
};

/* What comes of a problem, in the order of how bad it is. */
enum weight {
    NO_EFFECT = 1, /* nothing is wrong with it: always a warning */
    DOUBTFUL,      /* the schema does not have it: an error if the checker is `strict` */
    REFUSED,       /* AWS is certain to refuse it: a warning if the checker is `lenient` */
    STOPS,         /* there is no going on with it: always an error */
};

struct schema;

/* What to do instead of key `key`. */
struct hint {
    const char *key, *help;
};

/* A member of a map. */
struct field {
    const char *name;
    const struct schema *schema; /* NULL: anything */
    unsigned flags;              /* of field_flag */
    /* The dialect has it, and nothing comes of it here: what to do instead, or why nothing is
     * missing. A warning says so. NULL: the program reads it. */
    const char *no_effect;
};

struct schema {
    enum schema_type type;
    const char *expected;     /* for messages: "an ARN"; NULL: made from the rest */
    const char *pattern;      /* extended regular expression; strings */
    bool ignore_case;         /* of `pattern` and `words` */
    const char *const *words; /* the allowed strings, NULL-terminated */
    const char *constant;     /* "true", "false": this boolean only */
    bool has_min, has_max;    /* of the number, the string's length, the list's or map's size */
    int64_t min, max;
    const struct schema *items;  /* of a list; NULL: anything */
    const struct field *fields;  /* of a map, ends with a NULL name; NULL: none named */
    const struct schema *values; /* of members that are not named */
    const char *keys;            /* pattern for their names, or NULL */
    bool closed;                 /* no members but `fields` (and `keys`) */
    bool text_read;              /* its text is used here: a map or list is no use */
    enum weight wrong;           /* what comes of another value; 0: that follows from its kind */
    enum weight wrong_keys;      /* of other members of a closed map; 0: DOUBTFUL */
    /* alternatives, NULL-terminated: the value must be one of them */
    const struct schema *const *any;
    const char *const *one_of;  /* exactly one of these members; NULL-terminated */
    const char *const *some_of; /* at least one of them */
    const char *keys_expected;  /* what `keys` says, for messages */
    /* texts that may stand here and of which nothing comes, and what to say; ends with a NULL key
     */
    const struct hint *texts;
    const struct hint *hints;     /* advice for keys that are not here; ends with a NULL key */
    const char *kind;             /* what a member is called: "event"; NULL: "key" */
    const char *help;             /* for unknown or missing members */
    const char *unsupported_help; /* for members with UNSUPPORTED */
};

/* For the tables. */
#define FIELDS(...) ((const struct field[]){__VA_ARGS__, {0}})
#define ANY_OF(...) ((const struct schema *const[]){__VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SCHEMA(...) (&(const struct schema){__VA_ARGS__})
#define CLOSED_MAP(...) SCHEMA(.type = TYPE_MAP, .closed = true, .fields = FIELDS(__VA_ARGS__))
#define MAP_OF(of) SCHEMA(.type = TYPE_MAP, .values = (of))
#define LIST_OF(of) SCHEMA(.type = TYPE_LIST, .items = (of))
#define EITHER(...) SCHEMA(.any = ANY_OF(__VA_ARGS__))
#define CHOICE(...) SCHEMA(.words = WORDS(__VA_ARGS__))
#define PLAIN_PATTERN(what, re)                                                        \
    SCHEMA(.type = TYPE_STRING, .expected = (what), .pattern = (re), .wrong = REFUSED, \
           .text_read = true)
#define REFUSED_PATTERN(what, re) \
    SCHEMA(.type = TYPE_STRING, .expected = (what), .pattern = (re), .wrong = REFUSED)
#define TEXT_CHOICE(...) SCHEMA(.type = TYPE_STRING, .words = WORDS(__VA_ARGS__))
#define CASELESS(...) SCHEMA(.type = TYPE_STRING, .words = WORDS(__VA_ARGS__), .ignore_case = true)
#define PATTERN(what, re) SCHEMA(.type = TYPE_STRING, .expected = (what), .pattern = (re))
/* What AWS takes nothing else for. */
#define REFUSED_TEXT_MAX(n) \
    SCHEMA(.type = TYPE_STRING, .has_max = true, .max = (n), .wrong = REFUSED)
#define REFUSED_WHOLE(lo, hi)                                                                \
    SCHEMA(.type = TYPE_INTEGER, .has_min = true, .min = (lo), .has_max = true, .max = (hi), \
           .wrong = REFUSED)
#define REFUSED_CHOICE(...) SCHEMA(.words = WORDS(__VA_ARGS__), .wrong = REFUSED)
#define TEXT_MAX(n) SCHEMA(.type = TYPE_STRING, .has_max = true, .max = (n))
#define TEXT_RANGE(lo, hi) \
    SCHEMA(.type = TYPE_STRING, .has_min = true, .min = (lo), .has_max = true, .max = (hi))
#define WHOLE(lo, hi) \
    SCHEMA(.type = TYPE_INTEGER, .has_min = true, .min = (lo), .has_max = true, .max = (hi))
#define WHOLE_FROM(lo) SCHEMA(.type = TYPE_INTEGER, .has_min = true, .min = (lo))

/* Members that a schema has besides its own: the keys of plugins that the service lists. */
struct schema_more {
    const struct schema *of;
    const struct field *fields; /* ends with a NULL name */
    const struct schema_more *next;
};

struct checker {
    struct arena *arena;
    const struct schema_more *more; /* NULL: none */
    enum dialect dialect;
    bool strict;                          /* doubtful problems are errors */
    bool lenient;                         /* refused ones are warnings */
    bool silent;                          /* doubtful ones, and what has no effect, are not told */
    bool names;                           /* names of empty members are checked, too */
    const struct config_options *options; /* for warnings */
    struct map *patterns;                 /* compiled */
};

/* Check `*value`, called `name` in messages, and replace it by its coerced form. `err` gets all
 * that is wrong with it (err_also). */
int schema_check(struct checker *c, const struct schema *schema, struct str name,
                 const struct node **value, struct err *err);
/* Release what the checker holds besides the arena. */
void checker_free(struct checker *c);

extern const struct schema schema_root;
/* Parts, in other files. */
extern const struct schema schema_provider, schema_function, schema_custom, schema_event,
    schema_bucket;
extern const struct schema schema_kafka, schema_msk, schema_activemq, schema_rabbitmq,
    schema_cloud_front, schema_cloud_front_provider, schema_step_functions, schema_domain;
/* Definitions that several parts share; schema_aws.c. */
extern const struct schema any_string, plain_text, any_number, any_boolean, any_map, any_list,
    list_of_strings, non_empty_string, count_number, aws_arn, aws_arn_string, aws_function,
    aws_instruction, aws_if, aws_iam_statements, aws_kms_arn, aws_architecture, aws_environment,
    aws_layers, aws_memory, aws_role, aws_runtime, aws_runtime_management, aws_timeout, aws_tracing,
    aws_vpc, aws_log_retention, aws_log_protection, aws_logging, aws_tags, aws_bucket_name,
    aws_get_att, aws_join, aws_import, aws_ref, aws_split, aws_resource_statements, aws_image_uri,
    aws_filter_patterns, aws_payload, api_keys, string_map;

#endif
