/* The end of the compilation of a bridged service: what plugins changed in the template, and names
 * of functions that stand in texts. */
#include "compile/compile_internal.h"

#include <ctype.h>

#include "base/buf.h"
#include "compile/patches.h"

/* ---- names in texts ---- */

/* What a shared function is called in the framework's package, and by which its texts name it. */
struct flat_name {
    struct str name;      /* shop-dev-hello */
    struct str id;        /* HelloLambdaFunction */
    struct str log_group; /* its log group's id, or empty */
};

struct naming_change {
    struct arena *arena;
    struct flat_name *names;
    size_t count;
};

static bool is_of_name(char ch)
{
    return isalnum((unsigned char)ch) || ch == '-' || ch == '_';
}

/* Where `text` names the function: as a whole, in an ARN, or its log group. `*ret_id`: the resource
 * whose Ref stands for the bytes from `*from` to `*end`. */
static bool names_function(struct str text, const struct flat_name *f, size_t *from, size_t *end,
                           struct str *ret_id)
{
    static const struct str arn = {":function:", 10}, group = {"/aws/lambda/", 12};
    for (size_t at = 0;; at++) {
        ptrdiff_t found = str_find(text, f->name, at);
        if (found < 0)
            return false;
        at = (size_t)found;
        *from = at;
        *end = at + f->name.n;
        if (*end < text.n && is_of_name(text.p[*end]))
            continue;
        *ret_id = f->id;
        if (text.n == f->name.n || str_ends(str_sub(text, 0, at), arn))
            return true;
        if (f->log_group.n && str_ends(str_sub(text, 0, at), group)) {
            *from = at - group.n;
            *ret_id = f->log_group;
            return true;
        }
    }
}

static const struct node *without_names(struct naming_change *x, const struct node *n, bool in_sub)
{
    struct arena *a = x->arena;
    struct str text = n->text, id;
    size_t from, end;
    for (size_t i = 0; i < x->count; i++) {
        if (!names_function(text, &x->names[i], &from, &end, &id))
            continue;
        struct str before = str_sub(text, 0, from), after = str_sub(text, end, text.n);
        if (in_sub)
            return node_from(
                node_strf(a, "%.*s${%.*s}%.*s", STR_ARG(before), STR_ARG(id), STR_ARG(after)), n);
        if (!before.n && !after.n)
            return node_from(node_ref(a, id), n);
        return node_from(node_join(a, "",
                                   NODE_LIST(a, before.n ? node_str(a, before) : NULL,
                                             node_ref(a, id), after.n ? node_str(a, after) : NULL)),
                         n);
    }
    return n;
}

/* Keys of templates under which no expression may stand, or none that depends on resources. */
static bool is_literal(struct str key)
{
    static const char *const keys[] = {"DependsOn", "Type",       "Description", "Metadata",
                                       "Ref",       "Fn::GetAtt", "Condition"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_eq(key, str_c(keys[i])))
            return true;
    return false;
}

static const struct node *change_names(void *context, struct str key, const struct node *n)
{
    struct naming_change *x = context;
    if (is_literal(key))
        return n;
    if (n->kind == NODE_STRING)
        return without_names(x, n, str_eq(key, STR("Fn::Sub")));
    if (str_eq(key, STR("Fn::Sub")) && node_is(n, NODE_SEQ) && n->count == 2) {
        struct node *out = node_shallow(x->arena, n);
        if (node_is(n->items[0], NODE_STRING))
            out->items[0] = without_names(x, n->items[0], true);
        out->items[1] = change_names(context, STR(""), n->items[1]);
        return out;
    }
    return node_change_children(x->arena, n, change_names, context);
}

/* Texts that name a shared function as the framework does, by the stage, mean this stage's: they
 * become references, which are the alias. */
static const struct node *refer_to_functions(struct compilation *c, const struct node *template)
{
    struct naming_change x = {.arena = c->arena};
    x.names = ARENA_ARRAY(c->arena, c->out->function_count + 1, struct flat_name);
    for (size_t i = 0; i < c->out->function_count; i++) {
        const struct compiled_function *f = &c->out->functions[i];
        struct flat_name one = {f->function->name, f->logical_id, f->log_group_id};
        if (c->service->settings.logs_per_stage) /* the groups have the framework's names */
            one.log_group = (struct str){"", 0};
        if (!f->function->name_explicit && name_is_shared(c, f->function))
            x.names[x.count++] = one;
    }
    const struct node *resources = node_get_c(template, "Resources");
    const struct node *outputs = node_get_c(template, "Outputs");
    struct node *out = node_shallow(c->arena, template);
    node_put_c(c->arena, out, "Resources", change_names(&x, STR(""), resources));
    node_put_c(c->arena, out, "Outputs", outputs ? change_names(&x, STR(""), outputs) : NULL);
    return out;
}

/* ---- all of it ---- */

static int taken_out(struct str id, const char *what, struct err *err)
{
    err_set(err, ERR_CONFIG, "a plugin takes %s'%.*s' out of the template", what, STR_ARG(id));
    return err_help(err, "troupe lays it out for stages, so it has to be there: take it out of the "
                         "service file instead");
}

static int check_one(const struct node *template, struct str id, struct err *err)
{
    return !id.n || node_get(node_get_c(template, "Resources"), id) ? 0 : taken_out(id, "", err);
}

/* What is laid out by troupe itself is still there, and has properties if it had. */
static int check_made(struct compilation *c, const struct node *before, const struct node *template,
                      struct err *err)
{
    member_each (m, node_get_c(before, "Resources")) {
        const struct node *now = node_get(node_get_c(template, "Resources"), m->key);
        if (now && node_is(node_get_c(m->value, "Properties"), NODE_MAP) &&
            !node_is(node_get_c(now, "Properties"), NODE_MAP))
            return taken_out(m->key, "the properties of ", err);
    }
    const struct compiled *made = c->out;
    struct str apis[] = {made->rest_api_id, made->rest_deployment_id, made->http_api_id,
                         made->websocket_deployment_id};
    for (size_t i = 0; i < sizeof apis / sizeof *apis; i++)
        if (check_one(template, apis[i], err) < 0)
            return -1;
    for (size_t i = 0; i < made->layer_count; i++)
        if (check_one(template, made->layers[i].logical_id, err) < 0)
            return -1;
    for (size_t i = 0; i < made->function_count; i++)
        if (check_one(template, made->functions[i].logical_id, err) < 0)
            return -1;
    return 0;
}

const struct node *bridged_finish(struct compilation *c, const struct node *template,
                                  struct err *err)
{
    const struct node *names, *before = template, *patches = c->service->patches;
    if (!patches)
        return template;
    template = patches_steady(c->arena, template, &names);
    member_each (m, patches) {
        struct err one = {0};
        const struct node *patched = patch_apply(c->arena, template, m->value, &one);
        template = patched ? patched : template;
        err_also(err, &one);
    }
    if (err->kind)
        return NULL;
    template = patches_rename(c->arena, template, names);
    if (c->options->naming == NAMING_FLAT)
        return template;
    return check_made(c, before, template, err) < 0 ? NULL : refer_to_functions(c, template);
}
