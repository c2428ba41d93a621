/* Following records back from a stage's stack. */
#include "release/bucket/chain.h"

#include "base/hash.h"
#include "doc/json.h"
#include "release/world/region.h"

/* Another service's, or nobody's, vouches for nothing. */
static bool is_ours(const struct release *r, const struct stack *stack)
{
    return str_eq(node_text(node_get_c(stack->tags, TAG_SERVICE)), r->service->name) &&
           str_eq(node_text(node_get_c(stack->tags, TAG_STAGE)), r->service->stage);
}

static void begin_at(struct arena *a, struct chain *c, const struct stack *stack)
{
    c->exists = true;
    c->status = stack->status;
    c->current = world_deployment(stack);
    if (c->current)
        vec_push(a, &c->links,
                 (struct record){
                     .stage = c->stage, .number = c->current, .digest = world_digest(stack)});
}

int chain_begin(const struct release *r, const struct world *w, struct str stage, struct chain *ret,
                struct err *err)
{
    struct release there;
    struct stack stack;
    *ret = (struct chain){.stage = stage};
    if (str_eq(stage, r->service->address)) {
        if (w->stage_exists)
            begin_at(r->arena, ret, &w->stage);
        if (ret->links.n && w->record.body && w->record.number == ret->current)
            ret->links.p[0] = w->record; /* it was read and checked */
        return 0;
    }
    if (region_at(r, stage, &there, err) < 0)
        return -1;
    struct str name = layout_stack_name(r->arena, r->service, there.service->stage);
    if (cloudformation_describe(r->arena, there.aws, name, &stack, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "look at stack '%.*s'", STR_ARG(name));
        err_clear(err);
        return 0;
    }
    if (is_ours(&there, &stack))
        begin_at(r->arena, ret, &stack);
    return 0;
}

/* One more link, which the last one names. False: that one was the first, or nobody vouches for
 * what it says. */
static int extend(const struct release *r, const struct world *w, struct chain *c, bool *ret,
                  struct err *err)
{
    struct record *last = c->links.n ? &c->links.p[c->links.n - 1] : NULL;
    *ret = false;
    if (!last || !last->digest.n)
        return 0;
    if (record_read_more(r->arena, &w->store, 0, last, err) < 0)
        return err->kind != ERR_NOT_FOUND
                   ? -1
                   : err_wrap(err, "what was before %.*s#%lld cannot be checked", STR_ARG(c->stage),
                              (long long)last->number);
    int64_t before = last->body->before;
    if (before <= 0 || before >= last->number)
        return 0;
    *ret = true;
    vec_push(
        r->arena, &c->links,
        (struct record){.stage = c->stage, .number = before, .digest = last->body->before_digest});
    return 0;
}

static struct str why_unvouched(struct arena *a, const struct chain *c)
{
    if (!c->exists)
        return str_fmt(a, "the stack of '%.*s' is gone", STR_ARG(c->stage));
    if (!c->links.n)
        return str_fmt(a, "the stack of '%.*s' is in state %.*s", STR_ARG(c->stage),
                       STR_ARG(c->status));
    if (c->passed)
        return STR("its stack was never at it");
    return c->links.p[c->links.n - 1].digest.n ? STR("the stage was made anew since")
                                               : STR("it was deployed by an older troupe");
}

int chain_find(const struct release *r, const struct world *w, struct chain *c, int64_t number,
               struct record *ret, struct err *err)
{
    const struct record *link = NULL;
    number = number ? number : c->current;
    for (size_t i = 0;; i++) {
        bool more = i < c->links.n;
        if (!more && extend(r, w, c, &more, err) < 0)
            return -1;
        link = more ? &c->links.p[i] : NULL;
        if (!link || link->number <= number)
            break;
    }
    *ret = link && link->number == number ? *link
                                          : (struct record){.stage = c->stage, .number = number};
    c->passed = link && link->number < number && c->links.p[0].digest.n;
    if (!ret->digest.n)
        ret->unvouched =
            str_fmt(r->arena, "nothing but the bucket vouches for the record of %.*s#%lld: %.*s",
                    STR_ARG(c->stage), (long long)number, STR_ARG(why_unvouched(r->arena, c)));
    return 0;
}

void chain_check(struct arena *a, int64_t current, struct str digest, struct record *records,
                 size_t n)
{
    for (size_t i = 0; i < n && digest.n; i++) {
        struct str body, rest = digest;
        if (records[i].number != current || !records[i].body)
            continue;
        str_cut(&rest, ' ', &body);
        if (!str_eq(body, sha256_hex(a, json_canonical(a, record_body_node(a, records[i].body))))) {
            records[i].body = NULL;
            records[i].unvouched = STR("record altered");
            return; /* nor can be said what was before */
        }
        current = records[i].body->before;
        digest = records[i].body->before_digest;
    }
}
