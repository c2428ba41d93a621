/* Names: the dialect's rules for logical ids and the names of functions.
 *
 * Logical ids are the contract between a template and the resources that exist, so they follow the
 * reference byte by byte. Function names do in NAMING_FLAT; in NAMING_SHARED a shared function is
 * called `<service>-<key>`, capped where Lambda's 64 characters would be passed. */
#include "compile/compile_internal.h"

#include "base/buf.h"
#include "base/hash.h"
#include "config/sharing.h"

static bool is_alphanumeric(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

struct str name_normalize(struct arena *a, struct str function_key)
{
    struct str s = str_replace(a, function_key, STR("-"), STR("Dash"));
    return str_upper_first(a, str_replace(a, s, STR("_"), STR("Underscore")));
}

struct str name_alphanumeric(struct arena *a, struct str s)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n; i++)
        if (is_alphanumeric(s.p[i]))
            buf_char(&b, s.p[i]);
    return str_upper_first(a, buf_str(&b));
}

/* One segment of a path: "{userId}" -> "UseridVar", "a-b" -> "ADashb". A placeholder reaches from
 * the first `{` to the last `}`. */
static struct str path_part(struct arena *a, struct str part)
{
    struct str s = str_replace(a, str_lower(a, part), STR("-"), STR("Dash"));
    ptrdiff_t open = str_find_char(s, '{', 0), close = str_rfind_char(s, '}');
    if (open >= 0 && close > open)
        s = str_fmt(a, "%.*s%.*sVar%.*s", STR_ARG(str_sub(s, 0, (size_t)open)),
                    STR_ARG(str_sub(s, (size_t)open + 1, (size_t)(close - open - 1))),
                    STR_ARG(str_sub(s, (size_t)close + 1, s.n)));
    return name_alphanumeric(a, s);
}

struct str name_path(struct arena *a, struct str path)
{
    struct buf b = BUF(a);
    struct str rest = path, part;
    while (str_cut(&rest, '/', &part))
        buf_add(&b, path_part(a, part));
    return buf_str(&b);
}

struct str name_function_id(struct compilation *c, const struct function *f)
{
    return name_with(c, f, "LambdaFunction");
}

struct str name_with(struct compilation *c, const struct function *f, const char *suffix)
{
    return str_concat(c->arena, name_normalize(c->arena, f->key), str_c(suffix));
}

struct str name_prefix(struct compilation *c)
{
    return str_fmt(c->arena, "%.*s-%.*s", STR_ARG(c->service->name), STR_ARG(c->service->stage));
}

bool name_is_shared(struct compilation *c, const struct function *f)
{
    return c->options->naming == NAMING_SHARED && !sharing_is_per_stage(c->service, f);
}

/* `name`, or its beginning and a hash of the whole when Lambda would not take it. */
static struct str capped(struct arena *a, struct str name)
{
    enum { HASH_DIGITS = 8 };
    if (name.n <= FUNCTION_NAME_MAX)
        return name;
    struct str hash = str_sub(sha256_hex(a, name), 0, HASH_DIGITS);
    return str_fmt(a, "%.*s-%.*s", STR_ARG(str_sub(name, 0, FUNCTION_NAME_MAX - HASH_DIGITS - 1)),
                   STR_ARG(hash));
}

const struct node *name_function(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    if (f->name_explicit)
        return node_from(node_str(a, f->name), node_get_c(f->node, "name"));
    if (name_is_shared(c, f)) {
        struct node *shared = node_str(
            a, capped(a, str_fmt(a, "%.*s-%.*s", STR_ARG(c->service->name), STR_ARG(f->key))));
        shared->pos = f->pos;
        return shared;
    }
    struct node *n = node_staged(c, f->name);
    n->pos = f->pos;
    return n;
}

const struct node *name_log_group(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    const struct node *name = name_function(c, f);
    struct str prefix = str_concat(a, c->service->name, STR("-")), stage = c->service->stage;
    if (!name_is_shared(c, f) || !c->service->settings.logs_per_stage)
        return node_from(node_strf(a, "/aws/lambda/%.*s", STR_ARG(node_text(name))), name);
    struct node *n = f->name_explicit
                         ? node_staged(c, str_fmt(a, "/aws/lambda/%.*s-%.*s",
                                                  STR_ARG(node_text(name)), STR_ARG(stage)))
                         : node_staged(c, str_fmt(a, "/aws/lambda/%.*s%.*s-%.*s", STR_ARG(prefix),
                                                  STR_ARG(stage), STR_ARG(f->key)));
    n->pos = f->pos;
    return n;
}

struct node *node_staged(struct compilation *c, struct str text)
{
    struct node *n = node_str(c->arena, text);
    n->flags |= NODE_STAGE;
    return n;
}
