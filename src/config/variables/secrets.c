/* Which values that a service file asks AWS for are secret. */
#include "config/variables/variables.h"

struct asking {
    struct resolver *r;
    struct secrets *found;
    struct map seen; /* recorded texts */
    struct err *err;
};

/* The texts in `value`, each by the variable, and the keys behind it, that gives it. */
static void take(struct asking *x, const struct node *value, struct str variable, struct str path)
{
    struct arena *a = x->r->arena;
    if (value->kind == NODE_STRING && value->text.n) {
        struct secret one = {value->text, variable, path};
        vec_push(a, x->found, one);
    }
    member_each (m, value)
        take(x, m->value, variable,
             path.n ? str_fmt(a, "%.*s.%.*s", STR_ARG(path), STR_ARG(m->key)) : m->key);
}

static void warn(const struct resolver *r, const struct node *host, struct str why)
{
    const struct config_options *o = r->options;
    if (o->warn)
        o->warn(o->warn_context, host->pos,
                str_fmt(r->arena,
                        "whether it is secret cannot be known, so what the framework made of it is "
                        "recorded in the clear: %.*s",
                        STR_ARG(why)),
                (struct str){0});
}

static int ask(struct asking *x, const struct node *host, const struct variable_source *s)
{
    struct resolver *r = x->r;
    struct query q;
    struct answer answer = {0};
    unsigned flags = 0;
    if (!str_eq(s->type, STR("ssm")))
        return 0;
    cleanup_err struct err unknown = {0};
    if (query_make(r, host, s, &q, &flags, &unknown) < 0)
        return warn(r, host, unknown.msg), 0;
    struct str text = recorded_text(r, &q);
    if (map_has(&x->seen, text))
        return 0;
    map_put(&x->seen, text, "");
    if (source_remote(r, &q, &answer, x->err) < 0)
        return -1;
    if (!node_empty(answer.value) && ((answer.flags | node_flags_deep(answer.value)) & NODE_SECRET))
        take(x, answer.value, text, STR(""));
    return 0;
}

static int walk(struct asking *x, const struct node *n)
{
    struct template t;
    struct template_error ignored;
    if (n->kind == NODE_STRING && str_find(n->text, STR("ssm"), 0) >= 0 &&
        template_read(x->r->arena, n->text, &t, &ignored))
        for (size_t i = 0; i < t.variable_count; i++)
            for (size_t k = 0; k < t.variables[i].source_count; k++)
                if (ask(x, n, &t.variables[i].sources[k]) < 0)
                    return -1;
    node_each (item, n)
        if (walk(x, item) < 0)
            return -1;
    member_each (m, n)
        if (walk(x, m->value) < 0)
            return -1;
    return 0;
}

int service_secrets(const struct service *s, struct secrets *ret, struct err *err)
{
    struct resolver *r = s->resolver;
    struct asking x = {.r = r, .found = ret, .seen = MAP(r->arena), .err = err};
    *ret = (struct secrets){0};
    r->probing = true; /* no script is run any more */
    int done = walk(&x, r->root);
    r->probing = false;
    return done;
}
