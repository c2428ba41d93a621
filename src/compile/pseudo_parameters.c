/* `#{AWS::Region}` in any text of the template, as serverless-pseudo-parameters reads it: the text
 * becomes an Fn::Sub, or stays one. `#@{x}` is written as `#{x}`. The plugin goes through the whole
 * template when the user's resources are in it, and so does this. */
#include "compile/compile_internal.h"

#include "base/buf.h"
#include "config/plugins/plugins.h"

struct pseudo {
    struct arena *arena;
    bool replaces_regions, only_aws;
};

/* The regions that the plugin knows: others stay. */
static const char *const regions[] = {
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1",   "eu-central-1",   "eu-west-1",  "eu-west-2",      "eu-west-3",
    "sa-east-1",      "us-east-1",      "us-east-2",  "us-west-1",      "us-west-2"};

/* `text` with the first region in it as a reference. */
static struct str without_region(struct arena *a, struct str text)
{
    ptrdiff_t first = -1;
    size_t size = 0;
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        ptrdiff_t at = str_find(text, str_c(regions[i]), 0);
        if (at >= 0 && (first < 0 || at < first)) {
            first = at;
            size = strlen(regions[i]);
        }
    }
    return first < 0
               ? text
               : str_fmt(a, "%.*s#{AWS::Region}%.*s", STR_ARG(str_sub(text, 0, (size_t)first)),
                         STR_ARG(str_sub(text, (size_t)first + size, text.n)));
}

static bool is_aws(struct str name)
{
    if (!str_skip(&name, STR("AWS::")) || !name.n)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z')))
            return false;
    return true;
}

/* Put each `open` NAME `}` of `text` as `with` NAME `}`. False: there is none. */
static bool replace(const struct pseudo *x, struct str text, struct str open, struct str with,
                    struct str *ret)
{
    struct buf b = BUF(x->arena);
    size_t done = 0;
    bool any = false;
    for (ptrdiff_t at; (at = str_find(text, open, done)) >= 0;) {
        size_t begin = (size_t)at + open.n;
        ptrdiff_t end = str_find_char(text, '}', begin);
        if (end < 0)
            break;
        struct str name = str_sub(text, begin, (size_t)end - begin);
        bool good = name.n && (!x->only_aws || str_eq(open, STR("#@{")) || is_aws(name));
        buf_add(&b, str_sub(text, done, (good ? (size_t)at : begin) - done));
        done = good ? (size_t)end + 1 : begin;
        if (good)
            buf_fmt(&b, "%.*s%.*s}", STR_ARG(with), STR_ARG(name));
        any = any || good;
    }
    buf_add(&b, str_sub(text, done, text.n));
    *ret = buf_str(&b);
    return any;
}

static const struct node *change_text(const struct pseudo *x, struct str key, const struct node *n)
{
    struct str text = x->replaces_regions ? without_region(x->arena, n->text) : n->text, made;
    if (replace(x, text, STR("#@{"), STR("#{"), &made))
        return node_from(node_str(x->arena, made), n);
    if (!replace(x, text, STR("#{"), STR("${"), &made))
        return n;
    return str_eq(key, STR("Fn::Sub")) ? node_from(node_str(x->arena, made), n)
                                       : node_sub(x->arena, made, n);
}

static const struct node *change(void *context, struct str key, const struct node *child)
{
    const struct pseudo *x = context;
    return node_is(child, NODE_STRING) ? change_text(x, key, child)
                                       : node_change_children(x->arena, child, change, context);
}

const struct node *pseudo_parameters_replace(struct compilation *c, const struct node *template)
{
    if (!plugin_listed(c->service->root, "serverless-pseudo-parameters"))
        return template;
    const struct node *options = node_path(c->service->root, "custom.pseudoParameters");
    struct pseudo x = {.arena = c->arena,
                       .replaces_regions =
                           !node_bool_or(node_get_c(options, "skipRegionReplace"), true),
                       .only_aws = !node_bool_or(node_get_c(options, "allowReferences"), true)};
    struct node *out = node_shallow(c->arena, template);
    for (size_t i = 0; i < out->size; i++) {
        struct member *m = &out->members[i];
        if (!node_is(m->value, NODE_STRING)) /* the plugin leaves the description */
            m->value = node_change_children(c->arena, m->value, change, &x);
    }
    return out;
}
