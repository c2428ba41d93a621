/* stages: the matrix of functions and APIs by stage. */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/stack.h"
#include "ui/table.h"

struct matrix {
    struct str *names;
    struct stack *stacks;
    const struct node **versions; /* of each stage's current record, NULL: none */
    struct str *status;
    size_t n;
};

/* "ready", "busy", or CloudFormation's word for what is wrong. */
static struct str status_of(const struct stack *stack)
{
    enum stack_condition condition = stack_condition(stack->status);
    return condition == STACK_READY  ? STR("ready")
           : condition == STACK_BUSY ? STR("busy")
                                     : stack->status;
}

static int read_matrix(const struct release *r, const struct world *w, struct matrix *m,
                       struct err *err)
{
    struct arena *a = r->arena;
    if (stages_find(r, &m->names, &m->stacks, &m->n, err) < 0)
        return -1;
    m->versions = ARENA_ARRAY(a, m->n + 1, const struct node *);
    m->status = ARENA_ARRAY(a, m->n + 1, struct str);
    for (size_t i = 0; i < m->n; i++) {
        struct record record;
        int64_t number = world_deployment(&m->stacks[i]);
        m->status[i] = status_of(&m->stacks[i]);
        if (!number)
            continue;
        if (record_read(a, &w->store, m->names[i], number, true, false, &record, err) < 0)
            return -1;
        m->versions[i] = record.versions;
    }
    return 0;
}

/* Row names of one section, in the order they are met. */
static struct map rows_of(struct arena *a, const struct matrix *m, const char *section)
{
    struct map rows = MAP(a);
    for (size_t i = 0; i < m->n; i++)
        member_each (f, node_get_c(m->versions[i], section))
            map_put(&rows, f->key, (void *)f);
    return rows;
}

static struct str cell(const struct matrix *m, size_t stage, const char *section, struct str row,
                       const char *what)
{
    return node_text(node_get_c(node_get(node_get_c(m->versions[stage], section), row), what));
}

static void add_rows(struct table *t, const struct matrix *m, const char *section, const char *what,
                     const char *prefix)
{
    struct map rows = rows_of(t->arena, m, section);
    for (size_t r = 0; r < rows.n; r++) {
        struct str row = rows.entries[r].key, first = cell(m, 0, section, row, what);
        table_cell(t, row);
        for (size_t i = 0; i < m->n; i++) {
            struct str value = cell(m, i, section, row, what);
            struct str text =
                value.n ? str_fmt(t->arena, "%s%.*s", prefix, STR_ARG(value)) : STR("-");
            if (str_eq(value, first))
                table_cell(t, text);
            else
                table_mark(t, text);
        }
    }
}

static void show_text(struct cli *cli, const struct service *service, const struct matrix *m)
{
    struct table t = TABLE(cli->arena, m->n + 1);
    table_cell(&t, service->name);
    for (size_t i = 0; i < m->n; i++)
        table_cell(&t, str_fmt(cli->arena, "%.*s#%lld%s%.*s", STR_ARG(m->names[i]),
                               (long long)world_deployment(&m->stacks[i]),
                               str_eq(m->status[i], STR("ready")) ? "" : " ",
                               str_eq(m->status[i], STR("ready")) ? 0 : (int)m->status[i].n,
                               m->status[i].p));
    add_rows(&t, m, "functions", "version", "v");
    add_rows(&t, m, "apis", "deployment", "");
    table_write(&t, &cli->out, cli->colour_out);
}

static const struct node *section_json(struct arena *a, const struct matrix *m, const char *section,
                                       const char *what, const char *member)
{
    struct node *out = node_seq(a);
    struct map rows = rows_of(a, m, section);
    for (size_t r = 0; r < rows.n; r++) {
        struct node *row = node_map(a), *cells = node_map(a);
        node_put_str(a, row, "name", rows.entries[r].key);
        for (size_t i = 0; i < m->n; i++) {
            struct str value = cell(m, i, section, rows.entries[r].key, what);
            if (value.n)
                node_put(a, cells, m->names[i], node_str(a, value));
        }
        node_put_c(a, row, member, cells);
        node_push(a, out, row);
    }
    return out;
}

static void show_json(struct cli *cli, const struct service *service, const struct matrix *m)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *stages = node_seq(a);
    for (size_t i = 0; i < m->n; i++) {
        struct node *n = node_map(a);
        node_put_str(a, n, "name", m->names[i]);
        node_put_str(a, n, "region", aws_region(cli->aws));
        node_put_c(a, n, "deployment", node_int(a, world_deployment(&m->stacks[i])));
        node_put_str(a, n, "status", m->status[i]);
        node_push(a, stages, n);
    }
    node_put_str(a, out, "service", service->name);
    node_put_c(a, out, "stages", stages);
    node_put_c(a, out, "functions", section_json(a, m, "functions", "version", "versions"));
    node_put_c(a, out, "apis", section_json(a, m, "apis", "deployment", "deployments"));
    json_write(&cli->out, out, 2);
    buf_char(&cli->out, '\n');
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct matrix m = {0};
    struct world w;
    if (context_service(cli, SIZE_MAX, STAGE_OPTIONAL, service, err) < 0 ||
        context_aws(cli, service, err) < 0)
        return -1;
    service->stage = (struct str){"", 0};
    struct release r = context_release(cli, service);
    if (context_world(cli, &r, &w, err) < 0)
        return -1;
    if (w.bucket.n && read_matrix(&r, &w, &m, err) < 0)
        return -1;
    if (cli->options.json)
        show_json(cli, service, &m);
    else if (!w.service_exists)
        buf_fmt(&cli->out, "service '%.*s' is not deployed\n", STR_ARG(service->name));
    else if (!m.n)
        buf_fmt(&cli->out, "service '%.*s' has no stages\n", STR_ARG(service->name));
    else
        show_text(cli, service, &m);
    return 0;
}

const struct command cmd_stages = {
    .name = "stages",
    .arguments = "",
    .summary = "which stage serves which version",
    .details = "A row for every function and API, a column for every stage. What differs from the "
               "first column\n"
               "stands out.",
    .args_max = 0,
    .run = run,
};
