/* Function definitions: completing, comparing, fingerprinting. */
#include "release/publish/definition.h"

#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"

/* ---- what single members need ---- */

/* Whole numbers may be written as strings in templates. */
static const struct node *whole_number(struct arena *a, const struct layout_function *f,
                                       const struct node *n)
{
    int64_t v;
    (void)f;
    return node_is(n, NODE_STRING) && str_to_int(n->text, &v) ? node_from(node_int(a, v), n) : n;
}

/* Values of variables must be strings. */
static const struct node *texts(struct arena *a, const struct layout_function *f,
                                const struct node *n)
{
    struct node *out = node_map(a), *variables = node_map(a);
    (void)f;
    member_each (m, node_get_c(n, "Variables"))
        node_put(a, variables, m->key,
                 node_is(m->value, NODE_STRING)
                     ? m->value
                     : node_from(node_str(a, node_text(m->value)), m->value));
    node_put_c(a, out, "Variables", variables);
    return out;
}

/* Log lines of every stage go to the function's group unless configured otherwise. */
static const struct node *with_log_group(struct arena *a, const struct layout_function *f,
                                         const struct node *logging)
{
    if (node_get_c(logging, "LogGroup"))
        return logging;
    struct node *out = node_shallow(a, logging);
    if (!node_get_c(logging, "LogFormat"))
        node_put_str(a, out, "LogFormat", STR("Text"));
    node_put_c(a, out, "LogGroup", node_strf(a, "/aws/lambda/%.*s", STR_ARG(f->name)));
    return out;
}

static bool covers(const struct node *want, const struct node *got);

bool definition_unreadable(const struct node *observed, struct str *ret_why)
{
    const struct node *error = node_path(observed, "Environment.Error");
    if (error)
        *ret_why = node_text(node_get_c(error, "Message"));
    return error != NULL;
}

/* Variables that the caller may not decrypt are like none: nobody knows them. */
static bool same_variables(const struct node *want, const struct node *got)
{
    return !node_get_c(got, "Error") &&
           node_count(node_get_c(want, "Variables")) == node_count(node_get_c(got, "Variables")) &&
           covers(want, got);
}

static bool same_layers(const struct node *want, const struct node *got)
{
    if (node_count(want) != node_count(got))
        return false;
    for (size_t i = 0; i < node_count(want); i++)
        if (!covers(want->items[i], got->items[i])) /* their order decides which file wins */
            return false;
    return true;
}

/* Members of layout_published that are not simply taken over and compared. */
static const struct special {
    const char *name;
    /* What is sent for `n`; NULL: `n`. */
    const struct node *(*complete)(struct arena *a, const struct layout_function *f,
                                   const struct node *n);
    bool (*same)(const struct node *want, const struct node *got); /* NULL: covers */
    const char *observed; /* path to it in what AWS says; NULL: its name */
    bool left_out;        /* AWS may leave it out of the answer, whatever it is */
    bool not_compared;
} specials[] = {{"Description", .not_compared = true}, /* PublishVersion may replace it */
                {"Timeout", .complete = whole_number},
                {"MemorySize", .complete = whole_number},
                {"Environment", .complete = texts, .same = same_variables},
                {"Layers", .same = same_layers},
                {"LoggingConfig", .complete = with_log_group, .left_out = true},
                {"ImageConfig", .observed = "ImageConfigResponse.ImageConfig"}};

static const struct special *special_of(const char *name)
{
    static const struct special plain = {0};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (strcmp(specials[i].name, name) == 0)
            return &specials[i];
    return &plain;
}

int definition_complete(struct arena *a, const struct layout_function *f,
                        const struct node *properties, const struct node *image,
                        const struct node **ret_configuration, const struct node **ret_code,
                        struct err *err)
{
    struct node *configuration = node_map(a), *code = node_map(a);
    for (const struct layout_published *p = layout_published; p->member; p++) {
        if (p->applies == (image ? PUBLISHED_ZIP : PUBLISHED_IMAGE))
            continue;
        const struct node *n = node_get_c(properties, p->property);
        if (node_empty(n) && !p->unset)
            continue;
        if (node_empty(n) && !(n = json_parse(a, STR("default"), str_c(p->unset), err)))
            return -1;
        const struct special *m = special_of(p->member);
        node_put_c(a, configuration, p->member, m->complete ? m->complete(a, f, n) : n);
    }
    const struct node *architectures = node_get_c(properties, "Architectures");
    if (!architectures &&
        !(architectures = json_parse(a, STR("default"), STR("[\"x86_64\"]"), err)))
        return -1;
    node_put_c(a, code, "Architectures", architectures);
    node_put_c(a, code, "ImageUri", image);
    *ret_configuration = configuration;
    *ret_code = code;
    return 0;
}

/* ---- comparing with what AWS says ---- */

static bool is_unset(const struct node *n)
{
    if (node_empty(n))
        return true;
    if (n->kind == NODE_STRING)
        return n->text.n == 0;
    if (n->kind == NODE_SEQ)
        return n->count == 0;
    member_each (m, n)
        if (!is_unset(m->value))
            return false;
    return n->kind == NODE_MAP;
}

static bool seq_has(const struct node *seq, const struct node *item);

/* AWS adds members of its own (VpcId, OptimizationStatus, CodeSize of a layer); lists of ids come
 * in any order. */
static bool covers(const struct node *want, const struct node *got)
{
    if (is_unset(want) && is_unset(got))
        return true;
    if (node_is(want, NODE_STRING) && node_is(got, NODE_MAP)) /* a layer: {Arn, CodeSize} */
        return covers(want, node_get_c(got, "Arn"));
    if (node_is(want, NODE_SEQ)) {
        node_each (item, want)
            if (!seq_has(got, item))
                return false;
        return node_count(want) == node_count(got);
    }
    if (node_is(want, NODE_MAP)) {
        member_each (m, want)
            if (!covers(m->value, node_get(got, m->key)))
                return false;
        return true;
    }
    return str_eq(node_text(want), node_text(got));
}

static bool seq_has(const struct node *seq, const struct node *item)
{
    node_each (other, seq)
        if (covers(item, other))
            return true;
    return false;
}

/* What was never set is often left out of the answer. */
static bool may_be_absent(const struct layout_published *p, const struct node *want)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err ignored = {0};
    if (!p->unset)
        return is_unset(want);
    const struct node *standard = json_parse(a, STR("default"), str_c(p->unset), &ignored);
    return covers(want, standard) || is_unset(want) || special_of(p->member)->left_out;
}

static bool member_matches(const struct layout_published *p, const struct node *want,
                           const struct node *observed)
{
    const struct special *m = special_of(p->member);
    const struct node *got = node_get_c(observed, p->member);
    if (!got && m->observed)
        got = node_path(observed, m->observed);
    if (!got)
        return may_be_absent(p, want);
    return m->same ? m->same(want, got) : covers(want, got);
}

bool definition_matches(const struct node *configuration, const struct node *observed,
                        struct str *ret_member)
{
    for (const struct layout_published *p = layout_published; p->member; p++) {
        const struct node *want = node_get_c(configuration, p->member);
        if (!want || special_of(p->member)->not_compared)
            continue;
        if (!member_matches(p, want, observed)) {
            *ret_member = str_c(p->member);
            return false;
        }
    }
    return true;
}

/* ---- what a function is made with ---- */

const struct node *definition_update(struct arena *a, const struct node *configuration)
{
    return cfn_with(a, configuration, "TenancyConfig", NULL);
}

int definition_check_made(const struct layout_function *f, const struct node *want,
                          const struct node *made, struct err *err)
{
    static const char *const names[] = {"TenancyConfig", "DurableConfig"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct node *now = node_get_c(want, names[i]), *was = node_get_c(made, names[i]);
        if (is_unset(now) == is_unset(was) && (i == 1 || covers(now, was)))
            continue;
        err_at(err, now && now->pos.source ? now->pos : f->pos, ERR_REFUSED,
               "'%s' of function '%.*s' cannot be %s: Lambda sets it when it makes the function",
               names[i], STR_ARG(f->key),
               is_unset(was)   ? "added"
               : is_unset(now) ? "taken away"
                               : "changed");
        return err_help(err,
                        "take the change back, or make the function one of each stage, which is "
                        "another function: custom.troupe.functions.perStage: [%.*s]",
                        STR_ARG(f->key));
    }
    return 0;
}

/* ---- fingerprints ---- */

#define VALUE "variable "
#define KEYED "hmac:"

static struct str hmac_hex(struct arena *a, struct str key, struct str text)
{
    unsigned char mac[SHA256_BYTES];
    hmac_sha256(key, text, mac);
    return hex_encode(a, mac, sizeof mac);
}

struct str definition_keyed(struct arena *a, struct str key, struct str hash)
{
    return key.n ? hmac_hex(a, key, hash) : hash;
}

bool definition_has_values(const struct node *configuration)
{
    return node_count(node_path(configuration, "Environment.Variables")) > 0 ||
           node_flags_deep(configuration) & NODE_SECRET;
}

bool definition_is_value(struct str part)
{
    return str_starts(part, STR(VALUE));
}

bool definition_is_keyed(const struct node *hash)
{
    return str_starts(node_text(hash), STR(KEYED));
}

struct str definition_fingerprint(struct arena *a, struct str key, const struct node *configuration,
                                  const struct node *code, struct str code_sha256)
{
    struct node *all = node_map(a);
    node_put_c(a, all, "configuration", configuration);
    node_put_c(a, all, "code", code);
    node_put_str(a, all, "sha256", code_sha256);
    struct str plain = sha256_hex(a, json_canonical(a, all));
    return definition_has_values(configuration) ? definition_keyed(a, key, plain) : plain;
}

static void put_hash(struct arena *a, struct node *parts, struct str name, const struct node *value)
{
    struct str hash = sha256_hex(a, json_canonical(a, value));
    node_put(a, parts, name, node_strf(a, "%.12s", hash.p));
}

struct str definition_value_hash(struct arena *a, struct str key, struct str name,
                                 const struct node *value)
{
    enum { DIGITS = 32 };
    struct str text = str_fmt(a, "%.*s=%.*s", STR_ARG(name), STR_ARG(json_canonical(a, value)));
    return str_sub(hmac_hex(a, key, text), 0, DIGITS);
}

static const struct node *keyed_hash(struct arena *a, struct str key, struct str name,
                                     const struct node *value)
{
    return node_strf(a, KEYED "%.*s", STR_ARG(definition_value_hash(a, key, name, value)));
}

static void put_value(struct arena *a, struct node *parts, struct str key, struct str name,
                      const struct node *value)
{
    struct str part = str_concat(a, STR(VALUE), name);
    if (!key.n) {
        put_hash(a, parts, part, value);
        return;
    }
    node_put(a, parts, part, keyed_hash(a, key, name, value));
}

const struct node *definition_parts(struct arena *a, struct str key,
                                    const struct node *configuration, const struct node *code,
                                    struct str code_sha256)
{
    struct node *parts = node_map(a);
    put_hash(a, parts, STR("code"), node_str(a, code_sha256));
    member_each (m, code)
        put_hash(a, parts, m->key, m->value);
    member_each (m, configuration) {
        if (!str_eq(m->key, STR("Environment"))) {
            bool secret = node_flags_deep(m->value) & NODE_SECRET;
            if (secret && key.n)
                node_put(a, parts, m->key, keyed_hash(a, key, m->key, m->value));
            else
                put_hash(a, parts, m->key, m->value);
            continue;
        }
        member_each (v, node_get_c(m->value, "Variables"))
            put_value(a, parts, key, v->key, v->value);
    }
    return parts;
}

struct str definition_reason(struct arena *a, const struct node *before, const struct node *after)
{
    struct str first = {"", 0};
    size_t more = 0;
    if (!before)
        return STR("new");
    const struct node *trees[2][2] = {{after, before}, {before, after}};
    for (int t = 0; t < 2; t++) {
        member_each (m, trees[t][0]) {
            const struct node *other = node_get(trees[t][1], m->key);
            if (t ? other != NULL : node_equal(other, m->value))
                continue;
            if (!first.n)
                first = m->key;
            else
                more++;
        }
    }
    if (!first.n)
        return STR("changed");
    return more ? str_fmt(a, "%.*s and %zu more changed", STR_ARG(first), more)
                : str_fmt(a, "%.*s changed", STR_ARG(first));
}
