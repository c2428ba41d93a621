/* What a source bundle has, looked up while a recorded service is resolved again. */
#include "config/variables/variables.h"

#include "doc/yaml.h"

/* Does the bundle name `text` as absent? */
static bool is_absent(const struct source_bundle *b, struct str text)
{
    node_each (absent, b->absent)
        if (str_eq(node_text(absent), text))
            return true;
    return false;
}

bool recorded_file_looked_for(struct resolver *r, struct str name)
{
    const struct source_bundle *b = r->options->bundle;
    if (is_absent(b, str_fmt(r->arena, "file(%.*s)", STR_ARG(name))))
        return true;
    if (is_absent(b, str_fmt(r->arena, "unrecorded(%.*s)", STR_ARG(name))))
        return false;
    node_each (absent, b->absent) {
        struct str pattern = node_text(absent);
        if (!str_skip(&pattern, STR("file(")) || !str_strip(&pattern, STR(")")) ||
            str_find(pattern, STR("<*>"), 0) < 0)
            continue;
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
        *ret = node_placed(r->arena, value, (struct pos){0}); /* the record's is not the user's */
        return RECORDED_VALUE;
    }
    return is_absent(b, text) ? RECORDED_ABSENT : RECORDED_NOT;
}

const struct node *bundle_file(const struct source_bundle *b, struct str path)
{
    return node_get(b->files, path);
}

static int check_externals(const struct node *externals, struct err *err)
{
    member_each (m, externals)
        if ((str_starts(m->key, STR("env:")) || str_starts(m->key, STR("env("))) &&
            m->value->kind != NODE_STRING && m->value->kind != NODE_NULL)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: '%.*s' must be a string, not %s",
                           STR_ARG(m->key), node_kind_name(m->value));
    return 0;
}

/* Each is a map, and so are the hashes of what it loaded. */
static int check_scripts(const struct node *scripts, struct err *err)
{
    member_each (m, scripts) {
        const struct node *modules = node_get_c(m->value, "modules");
        bool good = m->value->kind == NODE_MAP && (!modules || modules->kind == NODE_MAP);
        member_each (hash, modules)
            good = good && hash->value->kind == NODE_STRING;
        if (!good)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: what '%.*s' of 'scripts' says is not "
                           "what a script gives",
                           STR_ARG(m->key));
    }
    return 0;
}

int bundle_check(const struct source_bundle *b, struct err *err)
{
    if (check_externals(b->externals, err) < 0 || check_scripts(b->scripts, err) < 0 ||
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

static bool piece_matches(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, from = 0;
    if (pattern.n && !pattern.p[0] && name.n && name.p[0] == '.')
        return false; /* '*' stands for no hidden file, as in a shell */
    while (n < name.n) {
        if (p < pattern.n && !pattern.p[p]) {
            star = p++;
            from = ++n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    return p == pattern.n;
}

bool sibling_matches(struct str pattern, struct str name)
{
    struct str p, n;
    for (;;) {
        bool more = str_cut(&pattern, '/', &p);
        if (more != str_cut(&name, '/', &n))
            return false;
        if (!more)
            return true;
        if (!piece_matches(p, n))
            return false;
    }
}
