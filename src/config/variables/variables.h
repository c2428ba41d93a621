/* Variables: `${type(params):address, fallback…}`, how they are read and what they stand for.
 *
 * A string with variables is read into a template: a list of replacements in a text. Sources (one
 * file each, table in variables.c) turn an address into a node, which may hold variables again.
 * Resolution is lazy: a node is made of what the source file says the first time somebody needs it,
 * and remembered. All of it lives in the resolver's arena; one thread. */
#ifndef TROUPE_CONFIG_VARIABLES_VARIABLES_H
#define TROUPE_CONFIG_VARIABLES_VARIABLES_H

#include "base/buf.h"
#include "base/map.h"
#include "base/near.h"
#include "base/vec.h"
#include "doc/place.h"
#include "config/config.h"

enum {
    VARIABLE_SYNTAX_DEPTH_MAX = 64, /* variables inside variables, as written */
    /* values that hold variables again, one in the other; the dialect's limit */
    VARIABLE_NEST_MAX = 10,
    /* nodes and variables that are being resolved, one in the other: guards the stack */
    RESOLVE_DEPTH_MAX = 400,
    RESOLVE_WEIGHT_MAX = 1000000,        /* nodes of the resolved configuration */
    RESOLVE_TEXT_MAX = 32 * 1024 * 1024, /* bytes that interpolation may make */
};

struct template;

/* One source of a variable: `self:custom.a`, `file(x.yml):key`, or a literal. */
struct variable_source {
    struct str type; /* empty: a literal */
    const struct node *literal;
    struct template *params;
    size_t param_count;
    struct template *address; /* NULL: none */
    size_t offset, end;       /* in the string, bytes */
};

/* What replaces the bytes from `start` to `end`: a variable, or the text of an escape. */
struct variable {
    size_t start, end;
    struct str escaped; /* p NULL: a variable */
    struct variable_source *sources;
    size_t source_count;
};

struct template
{
    struct str text;
    const struct node *literal; /* a parameter or quoted address without variables; else NULL */
    size_t offset;              /* of `text` in the whole string */
    struct variable *variables;
    size_t variable_count;
};

/* Where and why a string is no valid template. */
struct template_error {
    size_t offset, end;
    const char *what;
    const char *help;
};

/* Read `text`. `ret->variable_count` 0: nothing to replace. False: `ret_error` says why. */
bool template_read(struct arena *a, struct str text, struct template *ret,
                   struct template_error *ret_error);

/* ---- resolution ---- */

struct resolver;

struct origin_list {
    const struct origin_link *first;
    struct origin_link *last;
};

/* Append; NULL origins are skipped. */
void origin_add(struct arena *a, struct origin_list *list, enum origin_role role,
                const struct origin *origin);
void origin_add_all(struct arena *a, struct origin_list *list, const struct origin_list *more);
/* `flags` and those of what chose the value: everything in the list, values included. */
unsigned origin_chosen(const struct origin_list *links, unsigned flags);
/* Append to `b` what `value`, a text, may be for other stages: NUL bytes stand for pieces of a path
 * (one or more characters, no '/') that the stage took part in. */
void origin_pattern(struct buf *b, const struct node *value);

/* A source that is asked. */
struct query {
    struct str type;
    struct str text; /* "custom.a" or "file(x.yml):key" in messages: the source as written */
    const struct node **params; /* resolved; NODE_NULL for empty ones */
    size_t param_count;
    struct str address; /* resolved */
    bool has_address;
    /* a secret took part in the parameters or the address: the answer is never recorded */
    bool secret;
    struct str pattern; /* of the first parameter, when the stage took part in it; else empty */
    struct origin_list links; /* what took part in the parameters and the address */
    struct pos pos;
};

/* The parameters of a query as one text: "eu-west-1,raw". */
struct str query_params(struct arena *a, const struct query *q);

/* A source's answer. `value` NULL or null: the source has none, because of `why`, and the fallback
 * applies. */
struct answer {
    const struct node *value;
    unsigned flags;              /* NODE_STAGE, NODE_SECRET: also when there is no value */
    bool resolved;               /* `value` holds no variables to resolve any more */
    struct origin_list via;      /* what was looked into on the way */
    struct str what;             /* for the origin: "param 'size'" */
    struct str why;              /* "no 'tabel' in 'custom'" */
    struct str help;             /* "did you mean …"; empty: none */
    const struct node *standard; /* used when no source has a value, instead of an error; or NULL */
};

typedef int source_fn(struct resolver *r, const struct query *q, struct answer *ret,
                      struct err *err);

/* A file whose name the stage took part in; see origin_pattern. */
struct sibling_pattern {
    struct str pattern, name;
    struct pos pos;
};

/* Sources that were not asked, because the stage has a value before them. */
struct fallback {
    const struct node *host;
    const struct variable_source *sources;
    size_t count;
};

struct resolver {
    struct arena *arena;
    const struct config_options *options;
    struct str dir;          /* the service directory, absolute */
    const struct node *root; /* as read, unresolved */
    bool stage_named;        /* by the command line or the file */
    struct str stage, region;
    bool stage_known; /* else provider.stage is being looked up */
    bool to_bridge;   /* only the place is resolved: see struct service */
    bool use_dotenv;
    bool lists_dotenv;                     /* the bundle names the .env files, used or not */
    struct map *dotenv;                    /* name -> struct str *; NULL: there is no such file */
    struct str dotenv_name;                /* ".env.dev" or ".env"; empty: there is none */
    struct map files;                      /* absolute path -> struct loaded_file * */
    struct map cells;                      /* node -> what became of it; see resolve.c */
    struct map script_cells;               /* text -> what a script gave; see source_script.c */
    struct script_host *host;              /* NULL: no script has been run */
    VEC(const struct node *) script_inbox; /* for scripts that wait for another */
    int64_t script_calls;
    struct str instance_id; /* empty until something asks for it */
    struct map scripts;     /* text -> struct script_result *, to be recorded */
    bool probing;           /* asking as other stages would: no script is run */
    VEC(struct source_file) sources;
    struct node *externals;
    /* resolved text -> null; NULL until something is absent */
    struct node *absent;
    /* those that variables asked for; NULL until there is one */
    struct node *given_params, *given_options;
    VEC(struct sibling_pattern) patterns; /* what other stages may ask for; siblings.c */
    VEC(struct fallback) fallbacks;
    const struct source_row *rows; /* the table variable_sources */
    /* the variables and containers that are being resolved, innermost first */
    struct active *active;
    unsigned depth, nest;
    bool told_again; /* the last cycle that was found had been told before */
    size_t text_made;
};

/* `n` resolved as far as is needed to look into it: it is no string with variables, but its members
 * may be. The result has the flags of `n`. */
const struct node *resolve_head(struct resolver *r, const struct node *n, struct err *err);
/* `n` with every variable in it replaced. */
const struct node *resolve_all(struct resolver *r, const struct node *n, struct err *err);
/* After resolve_all of `n` has failed with `err`: add what else in it cannot be resolved. What
 * needs AWS is not asked again once that has failed. Returns -1. */
int resolve_errors(struct resolver *r, const struct node *n, struct err *err);
/* Member or item `key` of the resolved head `n`, resolved as far as resolve_head does. `*ret` NULL:
 * there is none. Flags of `n` are handed down. */
int resolve_step(struct resolver *r, const struct node *n, struct str key, const struct node **ret,
                 struct err *err);
/* What looking along a path has found. */
struct found {
    const struct node *node; /* NULL: nothing there, because of `missing` */
    struct str missing, help;
    struct origin_list via; /* variables on the way */
};
/* Follow dotted `path` from `n`, resolved as far as resolve_head does. */
int resolve_path(struct resolver *r, const struct node *n, struct str path, struct str root_name,
                 struct found *ret, struct err *err);
/* The answer that it makes. */
void answer_found(struct answer *ret, const struct found *found);

/* Make the query of source `s` of string `host`, with its parameters and address resolved. `*flags`
 * gets the flags of what took part. */
int query_make(struct resolver *r, const struct node *host, const struct variable_source *s,
               struct query *ret, unsigned *flags, struct err *err);

/* `n` with flags added to it; a copy when they are not there yet. */
const struct node *with_flags(struct arena *a, const struct node *n, unsigned flags);

/* ---- sources ---- */

source_fn source_self, source_opt, source_env, source_param, source_sls, source_file, source_bool,
    source_aws, source_remote, source_bridged;

struct source_row {
    const char *type;
    source_fn *get;
};
/* All of them; ends with a row of NULL. */
extern const struct source_row variable_sources[];

/* Value of environment variable `name`, from the process or from .env files. False: none. */
bool environment_get(const struct resolver *r, struct str name, struct str *ret);
/* Read .env.<stage>, else .env, of the service directory into r->dotenv. */
int dotenv_load(struct resolver *r, struct err *err);
struct dotenv_assignment {
    struct str raw, value; /* `value`: `raw` with its references replaced, once they are */
};
/* All assignments of a file: name -> struct dotenv_assignment *; of several to one name the last
 * counts, where the first is. */
struct map dotenv_assignments(struct arena *a, struct str text);
/* `s` with the first `from` replaced by `to`, in which "$$", "$&", "$`" and "$'" mean what they
 * mean to JavaScript's replace(). */
struct str dotenv_replace(struct arena *a, struct str s, struct str from, struct str to);
/* Text of the file `name` of the service directory; `ret->p` NULL: no such file. */
int dotenv_file(struct resolver *r, struct str name, struct str *ret, struct err *err);
/* Values of the file `name` of the service directory, as a map like r->dotenv; NULL: no such file.
 */
int dotenv_read(struct resolver *r, struct str name, struct map **ret, struct err *err);
/* "env(.env.dev):NAME": by what values of such a file are recorded. */
struct str dotenv_text(struct resolver *r, struct str file, struct str name);

/* ---- the source bundle: what is recorded (bundle/notes.c), and used again (bundle/lookup.c) ----
 */

/* The name under which a query's value is recorded: `type(param,param):address`, resolved. */
struct str recorded_text(struct resolver *r, const struct query *q);
enum recorded {
    RECORDED_NOT,    /* ask now: no bundle, not in it, or a secret */
    RECORDED_VALUE,  /* `*ret` is it */
    RECORDED_ABSENT, /* it had no value */
};
/* What bundle `b`, which may be NULL, has for `q`, whose recorded_text is `text`. */
enum recorded recorded_value(struct resolver *r, const struct source_bundle *b,
                             const struct query *q, struct str text, const struct node **ret);
/* Record the value of a query; NULL or null: it had none. Secrets are left out. */
void record_value(struct resolver *r, const struct query *q, struct str text,
                  const struct node *value);
/* Record that `text` had no value; that of "unrecorded(c/prod.yml)" was left out. */
void record_absent(struct resolver *r, struct str text);
/* Record `value`, which the command line gave for `q`; `*map` is r->given_params or
 * r->given_options. */
void record_given(struct resolver *r, const struct query *q, struct node **map, struct str value);
/* Record a file, once. */
void record_file(struct resolver *r, struct str path, struct str text);
/* Was file `name` looked for when the bundle was recorded, as a sibling or by its name? Then it was
 * not there, if it is not in the bundle. */
bool recorded_file_looked_for(struct resolver *r, struct str name);
/* Text of file `path` of the bundle; NULL: not in it. */
const struct node *bundle_file(const struct source_bundle *b, struct str path);
/* Has the bundle the shape it should have? ERR_FAILED. */
int bundle_check(const struct source_bundle *b, struct err *err);

/* ---- what other stages may need (siblings.c) ---- */

/* Note that the stage took part in the name of the file that `q` asks for. */
void siblings_note(struct resolver *r, const struct query *q, struct str name);
/* Note the sources of `v` from `from` on, when one of them is worth recording. */
void siblings_note_fallbacks(struct resolver *r, const struct node *host, const struct variable *v,
                             size_t from);
/* Can another stage need the value of such a source that was not asked? */
bool fallback_is_worth(const struct variable_source *s);
/* Record what was noted; warns about what is too large. */
void siblings_record(struct resolver *r);
/* Does `name` fit `pattern`? */
bool sibling_matches(struct str pattern, struct str name);

/* All options of the command line, as a map. */
const struct node *options_all(struct resolver *r);
/* The path of a file for messages: relative to the service directory, with `..` where needed. */
struct str file_shown(struct resolver *r, struct str path);

/* Fill r->stage, r->region from options, provider and defaults; once. */
int resolve_stage(struct resolver *r, struct err *err);
int resolve_region(struct resolver *r, struct err *err);

#endif
