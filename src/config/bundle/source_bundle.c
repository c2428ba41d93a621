/* Source bundles: what took part in a service is recorded in the resolver, and what a bundle has
 * recorded is looked up. Variables are named by their resolved text, so that a value is used again
 * for whatever stage asks for the same one. */
#include "config/variables/variables.h"

#include "base/fs.h"
#include "doc/yaml.h"

/* ---- recording ---- */

struct str query_params(struct arena *a, const struct query *q)
{
    struct buf b = BUF(a);
    buf_lit(&b, "");
    for (size_t i = 0; i < q->param_count; i++) {
        if (i)
            buf_char(&b, ',');
        buf_add(&b, node_text(q->params[i]));
    }
    return b.p ? buf_str(&b) : (struct str){"", 0};
}

struct str recorded_text(struct resolver *r, const struct query *q)
{
    struct str params = query_params(r->arena, q);
    return params.n ? str_fmt(r->arena, "%.*s(%.*s):%.*s", STR_ARG(q->type), STR_ARG(params),
                              STR_ARG(q->address))
                    : str_fmt(r->arena, "%.*s:%.*s", STR_ARG(q->type), STR_ARG(q->address));
}

void record_absent(struct resolver *r, struct str text)
{
    r->absent = r->absent ? r->absent : node_map(r->arena);
    node_put(r->arena, r->absent, text, node_null(r->arena));
}

void record_value(struct resolver *r, const struct query *q, struct str text,
                  const struct node *value)
{
    struct arena *a = r->arena;
    if (q->secret)
        return;
    if (node_empty(value)) {
        record_absent(r, text);
        return;
    }
    bool secret = node_flags_deep(value) & NODE_SECRET;
    node_put(a, r->externals, text, secret ? node_null(a) : value);
}

void record_given(struct resolver *r, const struct query *q, struct node **map, struct str value)
{
    if (q->secret)
        return;
    *map = *map ? *map : node_map(r->arena);
    node_put(r->arena, *map, q->address, node_str(r->arena, value));
}

void record_file(struct resolver *r, struct str path, struct str text)
{
    vec_each (&r->sources, file)
        if (str_eq(file->path, path))
            return;
    vec_push(r->arena, &r->sources, (struct source_file){path, text});
}

/* ---- looking up ---- */

/* A value without the place and the flags it has in the record: neither is what the user wrote. */
static const struct node *bare(struct arena *a, const struct node *n)
{
    struct node *copy;
    if (n->kind == NODE_SEQ)
        copy = node_seq(a);
    else if (n->kind == NODE_MAP)
        copy = node_map(a);
    else
        copy = node_shallow(a, n);
    copy->flags = 0;
    copy->pos = (struct pos){0};
    copy->origin = NULL;
    node_each (item, n)
        node_push(a, copy, bare(a, item));
    member_each (m, n)
        node_put(a, copy, m->key, bare(a, m->value));
    return copy;
}

bool recorded_absent(const struct source_bundle *b, struct str text)
{
    node_each (absent, b->absent)
        if (str_eq(node_text(absent), text))
            return true;
    return false;
}

bool recorded_file_looked_for(struct resolver *r, struct str name)
{
    const struct source_bundle *b = r->options->bundle;
    if (recorded_absent(b, str_fmt(r->arena, "file(%.*s)", STR_ARG(name))))
        return true;
    if (recorded_absent(b, str_fmt(r->arena, "unrecorded(%.*s)", STR_ARG(name))))
        return false;
    node_each (absent, b->absent) {
        struct str text = node_text(absent);
        if (!str_starts(text, STR("file(")) || str_find(text, STR("<*>"), 0) < 0)
            continue;
        struct str pattern = str_sub(text, 5, text.n - 6);
        if (sibling_matches(str_replace(r->arena, pattern, STR("<*>"), (struct str){"", 1}), name))
            return true;
    }
    return false;
}

enum recorded recorded_value(struct resolver *r, const struct source_bundle *b,
                             const struct query *q, struct str text, const struct node **ret)
{
    if (!b || q->secret)
        return RECORDED_NOT;
    const struct node *value = node_get(b->externals, text);
    if (!node_empty(value)) {
        *ret = bare(r->arena, value);
        return RECORDED_VALUE;
    }
    return recorded_absent(b, text) ? RECORDED_ABSENT : RECORDED_NOT;
}

const struct node *bundle_file(const struct source_bundle *b, struct str path)
{
    return node_get(b->files, path);
}

/* ---- checking ---- */

static int damaged(struct err *err, const char *part, const char *must, const struct node *n)
{
    return err_set(err, ERR_FAILED, "the recorded source is damaged: '%s' must be %s, not %s", part,
                   must, n ? node_kind_name(n) : "missing");
}

/* NULL is fine. */
static int check_texts(const char *part, const struct node *n, enum node_kind kind, struct err *err)
{
    if (!n)
        return 0;
    if (n->kind != kind)
        return damaged(err, part, kind == NODE_MAP ? "a map" : "a list", n);
    node_each (item, n)
        if (item->kind != NODE_STRING)
            return damaged(err, part, "a list of strings", item);
    member_each (m, n)
        if (m->value->kind != NODE_STRING)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: '%.*s' of '%s' must be a string, not "
                           "%s",
                           STR_ARG(m->key), part, node_kind_name(m->value));
    return 0;
}

static int check_externals(const struct node *externals, struct err *err)
{
    if (!externals)
        return 0;
    if (externals->kind != NODE_MAP)
        return damaged(err, "externals", "a map", externals);
    member_each (m, externals)
        if ((str_starts(m->key, STR("env:")) || str_starts(m->key, STR("env("))) &&
            m->value->kind != NODE_STRING && m->value->kind != NODE_NULL)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: '%.*s' must be a string, not %s",
                           STR_ARG(m->key), node_kind_name(m->value));
    return 0;
}

int bundle_check(const struct source_bundle *b, struct err *err)
{
    if (!b->files)
        return damaged(err, "files", "a map", NULL);
    if (check_texts("files", b->files, NODE_MAP, err) < 0 ||
        check_externals(b->externals, err) < 0 ||
        check_texts("absent", b->absent, NODE_SEQ, err) < 0 ||
        check_texts("params", b->params, NODE_MAP, err) < 0 ||
        check_texts("options", b->options, NODE_MAP, err) < 0 ||
        check_texts("dotenv", b->dotenv, NODE_SEQ, err) < 0 ||
        (b->own && bundle_check(b->own, err) < 0))
        return -1;
    member_each (m, b->files)
        if (m->value->text.n > DOC_BYTES_MAX)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: file '%.*s' is too large",
                           STR_ARG(m->key));
    if (!b->main.n)
        return err_set(err, ERR_FAILED,
                       "the recorded source is damaged: it does not say which file the service is");
    if (!bundle_file(b, b->main))
        return err_set(err, ERR_FAILED,
                       "the recorded source is damaged: service file '%.*s' is not in it",
                       STR_ARG(b->main));
    return 0;
}

/* ---- the bundle of a service ---- */

static const struct node *names_of(struct arena *a, const struct node *map)
{
    struct node *list = node_seq(a);
    member_each (m, map)
        node_push(a, list, node_str(a, m->key));
    return list;
}

/* Of what a bundle has as absent. */
static bool serves_others(struct str text)
{
    return str_starts(text, STR("env(.env")) || str_starts(text, STR("unrecorded(")) ||
           str_find(text, STR("<*>"), 0) >= 0;
}

/* Of what a bundle had: all that may serve another stage still. */
static void carry_over(struct resolver *r)
{
    const struct source_bundle *b = r->options->bundle;
    struct arena *a = r->arena;
    member_each (m, b->files)
        record_file(r, m->key, m->value->text);
    member_each (m, b->externals)
        if (str_starts(m->key, STR("env")) && !node_get(r->externals, m->key))
            node_put(a, r->externals, m->key, m->value);
    node_each (text, b->absent)
        if (serves_others(node_text(text)))
            record_absent(r, node_text(text));
}

/* What `.env` says of the names that a stage's own file was asked for, or has none of: stages
 * without such a file take it from there. */
static void record_dotenv(struct resolver *r)
{
    struct map *values;
    struct str prefix = dotenv_text(r, r->dotenv_name, STR(""));
    const struct node *asked[] = {names_of(r->arena, r->externals), names_of(r->arena, r->absent)};
    cleanup_err struct err ignored = {0};
    if (!r->dotenv_name.n || str_eq(r->dotenv_name, STR(".env")) ||
        dotenv_read(r, STR(".env"), &values, &ignored) < 0 || !values)
        return;
    for (size_t i = 0; i < 2; i++)
        node_each (text, asked[i]) {
            if (!str_starts(text->text, prefix))
                continue;
            struct query q = {.type = STR("env")};
            struct str name = str_sub(text->text, prefix.n, text->text.n);
            const struct str *value = map_get(values, name);
            record_value(r, &q, dotenv_text(r, STR(".env"), name),
                         value ? node_str(r->arena, *value) : NULL);
        }
}

/* The .env files there are: for which stages there is one. */
static const struct node *dotenv_files(struct resolver *r)
{
    const struct source_bundle *b = r->options->bundle;
    struct node *list = node_seq(r->arena);
    struct str *names;
    size_t count;
    cleanup_err struct err ignored = {0};
    if (b)
        return b->dotenv ? b->dotenv : list;
    if (!r->use_dotenv || fs_list(r->arena, r->dir, &names, &count, &ignored) < 0)
        return list;
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], STR(".env")) || str_starts(names[i], STR(".env.")))
            node_push(r->arena, list, node_str(r->arena, names[i]));
    return list;
}

const struct node *service_bundle(const struct service *s)
{
    struct resolver *r = s->resolver;
    struct arena *a = r->arena;
    if (r->options->bundle) {
        carry_over(r);
    } else {
        siblings_record(r);
        record_dotenv(r);
    }
    struct node *bundle = node_map(a), *files = node_map(a);
    vec_each (&r->sources, file)
        node_put_c(a, files, str_z(a, file->path), node_str(a, file->text));
    node_put_str(a, bundle, "main", s->file);
    node_put_c(a, bundle, "files", files);
    node_put_c(a, bundle, "externals", r->externals);
    node_put_c(a, bundle, "absent", names_of(a, r->absent));
    node_put_c(a, bundle, "params", s->params);
    node_put_c(a, bundle, "options", s->options);
    node_put_c(a, bundle, "dotenv", dotenv_files(r));
    return bundle;
}
