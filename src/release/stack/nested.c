/* Nested stacks of large stacks: reading and writing them. */
#include "release/stack/nested.h"

#include "base/hash.h"
#include "base/pool.h"
#include "doc/json.h"
#include "release/dispose/dispose.h"
#include "release/stack/stack.h"

#include <pthread.h>

enum { JOBS = 8 };

/* ---- reading ---- */

struct nested_reading {
    const struct release *r;
    const struct store *store;
    struct str stack;
    VEC(const struct member *) all; /* of the root's Resources */
    const struct node **nested;
};

static struct str template_key(struct arena *a, const struct store *store, struct str stack,
                               struct str file)
{
    return store_key(a, store, "parts/%.*s/%.*s", STR_ARG(stack), STR_ARG(file));
}

/* The template of a nested stack that the bucket has lost, asked of CloudFormation. */
static int ask_stack(const struct nested_reading *x, struct str id, struct arena *a,
                     struct str *ret, struct err *err)
{
    struct stack_resource *resources;
    size_t n;
    if (cloudformation_resources(a, x->r->aws, x->stack, &resources, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_eq(resources[i].logical_id, id) && resources[i].physical_id.n)
            return cloudformation_template(a, x->r->aws, resources[i].physical_id, ret, err);
    return err_set(err, ERR_FAILED, "stack '%.*s' has no nested stack '%.*s'", STR_ARG(x->stack),
                   STR_ARG(id));
}

static int read_template(size_t i, void *context, struct arena *a, struct err *err)
{
    struct nested_reading *x = context;
    const struct member *m = x->all.p[i];
    struct str url = node_text(node_path(m->value, "Properties.TemplateURL")), text;
    struct str file = str_sub(url, (size_t)(str_rfind_char(url, '/') + 1), url.n);
    bool in_bucket = x->store && x->store->bucket.n && file.n;
    int got = in_bucket ? store_get_named(a, x->store, template_key(a, x->store, x->stack, file),
                                          str_sub(file, 0, (size_t)str_find_char(file, '.', 0)),
                                          &text, err)
                        : -1;
    if (got < 0 && in_bucket && err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "template of nested stack '%.*s'", STR_ARG(m->key));
    err_clear(err);
    if (got < 0 && ask_stack(x, m->key, a, &text, err) < 0)
        return err_wrap(err, "template of nested stack '%.*s'", STR_ARG(m->key));
    x->nested[i] = json_parse(a, m->key, text, err);
    return x->nested[i] ? 0 : -1;
}

int nested_read(const struct release *r, const struct store *store, struct str name,
                const struct node **ret, struct map *ret_nesting, struct err *err)
{
    struct arena *a = r->arena;
    struct str text;
    struct nested_reading x = {.r = r, .store = store, .stack = name};
    struct map nested = MAP(a);
    if (cloudformation_template(a, r->aws, name, &text, err) < 0)
        return -1;
    const struct node *root = json_parse(a, name, text, err);
    if (!root)
        return -1;
    member_each (m, node_get_c(root, "Resources"))
        if (layout_is_nested(m->key, m->value))
            vec_push(a, &x.all, m);
    x.nested = ARENA_ARRAY(a, x.all.n + 1, const struct node *);
    if (pool_run_into(a, x.all.n, JOBS, read_template, &x, err) < 0)
        return -1;
    for (size_t i = 0; i < x.all.n; i++)
        map_put(&nested, x.all.p[i]->key, x.nested[i]);
    return layout_join(a, root, &nested, ret, ret_nesting, err);
}

/* ---- writing ---- */

struct nested_writing {
    const struct release *r;
    const struct store *store;
    struct str stack;
    const struct split *split;
    struct str *texts, *files;
};

static struct str object_url(struct arena *a, const struct store *store, struct str key)
{
    return str_fmt(a, "https://%.*s.s3.%.*s.%.*s/%.*s", STR_ARG(store->bucket),
                   STR_ARG(aws_region(store->aws)), STR_ARG(aws_url_suffix(store->aws)),
                   STR_ARG(aws_encode(a, key, true)));
}

static int write_template(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct nested_writing *x = context;
    struct str key = template_key(scratch, x->store, x->stack, x->files[i]);
    bool there;
    if (store_head(scratch, x->store, key, &there, NULL, err) < 0)
        return -1;
    if (there)
        return 0;
    struct s3_put object = {.key = key, .body = x->texts[i]};
    if (store_put(scratch, x->store, &object, NULL, err) < 0)
        return err_wrap(err, "write the template of '%.*s'", STR_ARG(x->split->nested[i].id));
    return 0;
}

static const struct node *fill_url(void *context, struct arena *a, struct str kind, struct str name)
{
    const struct nested_writing *x = context;
    for (size_t i = 0; i < x->split->nested_count && str_eq(kind, STR("Troupe::Part")); i++)
        if (str_eq(x->split->nested[i].id, name))
            return node_str(
                a, object_url(a, x->store, template_key(a, x->store, x->stack, x->files[i])));
    return NULL;
}

static void name_files(struct arena *a, struct nested_writing *x)
{
    x->texts = ARENA_ARRAY(a, x->split->nested_count + 1, struct str);
    x->files = ARENA_ARRAY(a, x->split->nested_count + 1, struct str);
    for (size_t i = 0; i < x->split->nested_count; i++) {
        x->texts[i] = json_text(a, x->split->nested[i].template, 0);
        x->files[i] = str_fmt(a, "%.*s.json", STR_ARG(sha256_hex(a, x->texts[i])));
    }
}

int nested_write(const struct release *r, const struct store *store, struct str name,
                 const struct split *split, struct str *ret_root, struct err *err)
{
    struct nested_writing x = {.r = r, .store = store, .stack = name, .split = split};
    if (split->nested_count && (!store || !store->bucket.n))
        return err_set(err, ERR_FAILED,
                       "the template has nested stacks and there is no bucket yet");
    name_files(r->arena, &x);
    if (pool_run(split->nested_count, JOBS, write_template, &x, err) < 0)
        return -1;
    *ret_root = json_text(r->arena, layout_fill(r->arena, split->root, fill_url, &x), 0);
    return 0;
}

void nested_sweep(const struct release *r, const struct store *store, struct str name,
                  const struct split *split)
{
    struct arena *a = r->arena;
    struct nested_writing x = {.stack = name, .split = split};
    struct s3_object *objects;
    struct err ignored = {0};
    size_t n = 0;
    name_files(a, &x);
    if (store_list(a, store, template_key(a, store, name, STR("")), &objects, &n, &ignored) < 0)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        bool used = false;
        for (size_t k = 0; k < x.split->nested_count; k++)
            used |= str_ends(objects[i].key, x.files[k]);
        if (!used)
            dispose_object(a, store, objects[i].key, STR(""), &ignored);
        err_clear(&ignored);
    }
    err_clear(&ignored);
}

int nested_after(struct arena *a, const struct split *split, const struct map **ret,
                 struct err *err)
{
    struct map nested = MAP(a), *nesting = ARENA_NEW(a, struct map);
    const struct node *flat;
    *nesting = MAP(a);
    for (size_t i = 0; i < split->nested_count; i++)
        map_put(&nested, split->nested[i].id, split->nested[i].template);
    if (layout_join(a, split->root, &nested, &flat, nesting, err) < 0)
        return -1;
    *ret = nesting;
    return 0;
}

/* ---- resources ---- */

int nested_resources(struct arena *a, struct aws *aws, struct str name, struct stack_resource **ret,
                     size_t *ret_n, struct err *err)
{
    VEC(struct stack_resource) all = {0};
    struct stack_resource *some;
    size_t n;
    if (cloudformation_resources(a, aws, name, &some, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        vec_push(a, &all, some[i]);
    for (size_t i = 0, root = all.n; i < root; i++) {
        struct stack_resource inner = all.p[i];
        if (!str_eq(inner.type, STR("AWS::CloudFormation::Stack")) || !inner.physical_id.n ||
            str_eq(inner.status, STR("DELETE_COMPLETE")))
            continue;
        if (cloudformation_resources(a, aws, inner.physical_id, &some, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            vec_push(a, &all, some[k]);
    }
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}

/* ---- planning ---- */

bool nested_need_bucket(struct arena *a, const struct node *template)
{
    return node_count(node_get_c(template, "Resources")) > split_limits.alone ||
           json_text(a, template, 0).n > STACK_BODY_MAX;
}
