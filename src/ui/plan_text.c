/* Showing plans. */
#include "ui/plan_text.h"

#include "ui/table.h"

static const struct {
    const char *word, *symbol;
} actions[CHANGE_ACTION_COUNT] = {
    [CHANGE_ADD] = {"add", "+"},           [CHANGE_UPDATE] = {"update", "~"},
    [CHANGE_REPLACE] = {"replace", "-/+"}, [CHANGE_REMOVE] = {"remove", "-"},
    [CHANGE_PUBLISH] = {"publish", ">"},   [CHANGE_MOVE] = {"move", ">"},
    [CHANGE_PENDING] = {"pending", ".."},
};

static struct str place(struct arena *a, struct pos pos)
{
    if (!pos.source || !pos.line)
        return (struct str){"", 0};
    return str_fmt(a, "%.*s:%u:%u", STR_ARG(pos.source->path), pos.line, pos.column);
}

static void put_split(struct arena *a, struct node *out, struct str stack,
                      const struct split *split)
{
    struct node *nested = node_map(a);
    for (size_t i = 0; i < split->nested_count; i++)
        node_put(
            a, nested, split->nested[i].id,
            node_int(a, (int64_t)node_count(node_get_c(split->nested[i].template, "Resources"))));
    if (split->nested_count)
        node_put(a, out, stack, nested);
}

/* {stack: {nested stack: number of its resources}}. */
static const struct node *nested_json(struct arena *a, const struct plan *plan)
{
    struct node *out = node_map(a);
    put_split(a, out, plan->world.service_name, &plan->service_split);
    put_split(a, out, plan->world.stage_name, &plan->stage_split);
    return out->size ? out : NULL;
}

const struct node *plan_json(struct arena *a, const struct service *service,
                             const struct plan *plan)
{
    struct node *out = node_map(a), *changes = node_seq(a);
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *c = &plan->changes[i];
        struct node *n = node_map(a);
        node_put_str(a, n, "action", str_c(actions[c->action].word));
        node_put_str(a, n, "kind", c->kind);
        node_put_str(a, n, "name", c->name);
        node_put_str(a, n, "detail", c->detail);
        node_put_str(a, n, "reason", c->reason);
        node_put_str(a, n, "place", place(a, c->pos));
        node_put_c(a, n, "losesData", node_bool(a, c->stateful));
        node_push(a, changes, n);
    }
    node_put_str(a, out, "service", service->name);
    node_put_str(a, out, "stage", service->stage);
    node_put_c(a, out, "deployment", node_int(a, plan->world.current));
    node_put_c(a, out, "nothing", node_bool(a, plan->nothing));
    node_put_c(a, out, "changes", changes);
    node_put_c(a, out, "nestedStacks", nested_json(a, plan));
    node_put_c(a, out, "unchanged", node_int(a, (int64_t)plan->unchanged));
    return out;
}

static struct str reason_of(struct arena *a, const struct change *c)
{
    if (!c->stateful)
        return c->reason;
    const char *gap = c->reason.n ? ": " : "";
    return str_fmt(a, "%.*s%sDATA IS LOST", STR_ARG(c->reason), gap);
}

enum which { WHICH_NOW, WHICH_PENDING };

static void add_rows(struct buf *out, const struct plan *plan, enum which which, bool colour)
{
    struct arena *a = out->arena;
    struct table t = TABLE(a, 6);
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *c = &plan->changes[i];
        if ((c->action == CHANGE_PENDING) != (which == WHICH_PENDING))
            continue;
        table_cell(&t, str_fmt(a, "%5s", actions[c->action].symbol));
        table_cell(&t, c->kind);
        table_cell(&t, c->name);
        table_cell(&t, c->detail);
        if (c->stateful)
            table_mark(&t, reason_of(a, c));
        else
            table_cell(&t, c->reason);
        table_cell(&t, place(a, c->pos));
    }
    table_write(&t, out, colour);
}

static size_t count(const struct plan *plan, enum change_action from, enum change_action to)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->change_count; i++)
        n += plan->changes[i].action >= from && plan->changes[i].action <= to;
    return n;
}

static void add_split(struct buf *out, struct str stack, const struct split *split)
{
    if (!split->nested_count)
        return;
    buf_fmt(out, "stack '%.*s' has %zu nested stack%s:", STR_ARG(stack), split->nested_count,
            split->nested_count == 1 ? "" : "s");
    for (size_t i = 0; i < split->nested_count; i++)
        buf_fmt(out, "%s %.*s (%zu resources)", i ? "," : "", STR_ARG(split->nested[i].id),
                node_count(node_get_c(split->nested[i].template, "Resources")));
    buf_char(out, '\n');
}

void plan_text(struct buf *out, const struct service *service, const struct plan *plan, bool colour)
{
    size_t moving = count(plan, CHANGE_PUBLISH, CHANGE_MOVE);
    size_t resources = count(plan, CHANGE_ADD, CHANGE_REMOVE);
    size_t pending = count(plan, CHANGE_PENDING, CHANGE_PENDING);
    struct str name = service->stage.n ? service->stage : service->name;
    buf_add(out, name);
    if (plan->world.current)
        buf_fmt(out, ", now %.*s#%lld", STR_ARG(name), (long long)plan->world.current);
    else if (service->stage.n)
        buf_lit(out, ", not deployed yet");
    if (moving + resources)
        buf_lit(out, "          > move   + add   ~ update   -/+ replace   - remove");
    buf_char(out, '\n');
    add_rows(out, plan, WHICH_NOW, colour);
    if (plan->nothing)
        buf_lit(out, "nothing to do\n");
    else
        buf_fmt(out, "%zu pointer%s move, %zu resource%s change, %zu unchanged\n", moving,
                moving == 1 ? "" : "s", resources, resources == 1 ? "" : "s", plan->unchanged);
    add_split(out, plan->world.service_name, &plan->service_split);
    add_split(out, plan->world.stage_name, &plan->stage_split);
    if (!pending)
        return;
    buf_lit(out, "not applied yet, shared by all stages; apply with: troupe deploy --service\n");
    add_rows(out, plan, WHICH_PENDING, colour);
}
