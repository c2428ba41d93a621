/* stages: the matrix of functions and APIs by stage. */
#include "cli/all.h"

#include "doc/json.h"
#include "release/bucket/stage_address.h"
#include "release/status.h"
#include "release/world/region.h"
#include "ui/table.h"

struct matrix {
    struct stage_status *stages;
    size_t n;
};

/* A section of a record, whose keys are the rows. It has keys of functions of the stage's own,
 * too. */
struct section {
    const char *name, *prefix;
    bool api;
};
static const struct section functions_of = {"functions", "v", false};
static const struct section apis_of = {"apis", "", true};

/* Row names of one section, in the order they are met. */
static struct map rows_of(struct arena *a, const struct matrix *m, const struct section *section)
{
    struct map rows = MAP(a);
    for (size_t i = 0; i < m->n; i++) {
        const struct record_body *body = m->stages[i].record.body;
        for (size_t k = 0; body && !section->api && k < body->functions.n; k++)
            map_put(&rows, body->functions.p[k].object.key, a);
        for (size_t k = 0; body && section->api && k < body->apis.n; k++)
            map_put(&rows, body->apis.p[k].object.key, a);
    }
    return rows;
}

static bool is_own(const struct stage_status *s, const struct section *section, struct str row)
{
    return !section->api && record_function(s->record.body, row)->layout == LAYOUT_PER_STAGE;
}

/* The version of a function of the stage's own, from the stack's output:
 * "…:function:shop-dev-api:3". */
static struct str own_version(struct arena *a, const struct stage_status *s, struct str row)
{
    struct buf suffix = BUF(a);
    struct str arn;
    buf_add(&suffix, str_upper_first(a, row));
    buf_lit(&suffix, "LambdaFunctionQualifiedArn");
    arn = node_text(node_get(s->stack.outputs, buf_str(&suffix)));
    ptrdiff_t at = str_rfind_char(arn, ':');
    return at < 0 ? (struct str){"", 0} : str_sub(arn, (size_t)at + 1, arn.n);
}

/* What the record says that the stage points at. */
static struct str recorded(struct arena *a, const struct stage_status *s,
                           const struct section *section, struct str row)
{
    if (is_own(s, section, row))
        return own_version(a, s, row);
    return section->api ? record_deployment(s->record.versions, row)->deployment
                        : record_version(s->record.versions, row)->version;
}

/* What the stage points at now, when that is something else than recorded; otherwise empty. */
static struct str elsewhere(const struct stage_status *s, const struct section *section,
                            struct str row)
{
    for (size_t i = 0; i < s->drift_count; i++)
        if (!s->drifts[i].pointer->gateway == !section->api &&
            str_eq(s->drifts[i].pointer->key, row))
            return s->drifts[i].is;
    return (struct str){"", 0};
}

static struct str cell(struct arena *a, const struct stage_status *s, const struct section *section,
                       struct str row)
{
    struct str now = elsewhere(s, section, row), version = recorded(a, s, section, row);
    if (now.n)
        return now;
    if (is_own(s, section, row))
        return version.n ? str_fmt(a, "own v%.*s", STR_ARG(version)) : STR("own");
    return version.n ? str_fmt(a, "%s%.*s", section->prefix, STR_ARG(version)) : STR("-");
}

/* ---- text ---- */

static void add_rows(struct table *t, const struct matrix *m, const struct section *section)
{
    struct arena *a = t->arena;
    struct map rows = rows_of(a, m, section);
    for (size_t r = 0; r < rows.n; r++) {
        struct str row = rows.entries[r].key, first = cell(a, &m->stages[0], section, row);
        table_cell(t, row);
        for (size_t i = 0; i < m->n; i++) {
            struct str text = cell(a, &m->stages[i], section, row);
            if (str_eq(text, first))
                table_cell(t, text);
            else
                table_mark(t, text);
        }
    }
}

static struct str heading(struct arena *a, const struct stage_status *s)
{
    struct buf b = BUF(a);
    buf_add(&b, s->name);
    if (s->number)
        buf_fmt(&b, "#%lld", (long long)s->number);
    if (s->note.n)
        buf_fmt(&b, " %s", s->word);
    return buf_str(&b);
}

static bool any_differs(const struct table *t)
{
    for (size_t i = 0; i < t->marked.n; i++)
        if (t->marked.p[i])
            return true;
    return false;
}

static void show_text(struct cli *cli, const struct service *service, const struct matrix *m)
{
    struct table t = TABLE(cli->arena, m->n + 1);
    table_cell(&t, service->name);
    for (size_t i = 0; i < m->n; i++)
        table_cell(&t, heading(cli->arena, &m->stages[i]));
    add_rows(&t, m, &functions_of);
    add_rows(&t, m, &apis_of);
    table_write(&t, &cli->out, cli->colour_out);
    if (!cli->colour_out && any_differs(&t))
        buf_fmt(&cli->out, "* another one than in %.*s\n", STR_ARG(m->stages[0].name));
    for (size_t i = 0; i < m->n; i++)
        if (m->stages[i].note.n)
            buf_fmt(&cli->out, "%.*s is %s: %.*s\n", STR_ARG(m->stages[i].name), m->stages[i].word,
                    STR_ARG(m->stages[i].note));
}

/* ---- JSON ---- */

static const struct node *section_json(struct arena *a, const struct matrix *m,
                                       const struct section *section, const char *member)
{
    struct node *out = node_seq(a);
    struct map rows = rows_of(a, m, section);
    for (size_t r = 0; r < rows.n; r++) {
        struct node *row = node_map(a), *cells = node_map(a), *now = node_map(a),
                    *own = node_seq(a);
        struct str key = rows.entries[r].key;
        for (size_t i = 0; i < m->n; i++) {
            const struct stage_status *s = &m->stages[i];
            struct str value = recorded(a, s, section, key), live = elsewhere(s, section, key);
            if (value.n)
                node_put(a, cells, s->name, node_str(a, value));
            if (live.n)
                node_put(a, now, s->name, node_str(a, live));
            if (is_own(s, section, key))
                node_push(a, own, node_str(a, s->name));
        }
        node_put_str(a, row, "name", key);
        node_put_c(a, row, member, cells);
        node_put_c(a, row, "now", now);
        if (!section->api)
            node_put_c(a, row, "own", own);
        node_push(a, out, row);
    }
    return out;
}

static void show_json(struct cli *cli, const struct service *service, const struct matrix *m)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *stages = node_seq(a);
    for (size_t i = 0; i < m->n; i++) {
        const struct stage_status *s = &m->stages[i];
        struct node *n = node_map(a);
        node_put_str(a, n, "name", s->name);
        struct str region;
        address_stage(s->name, &region);
        node_put_str(a, n, "region", region.n ? region : service->home);
        node_put_c(a, n, "deployment", node_int(a, s->number));
        node_put_str(a, n, "status", str_c(s->word));
        if (s->note.n)
            node_put_str(a, n, "note", s->note);
        if (s->open.body)
            node_put_c(a, n, "open", node_int(a, s->open.number));
        node_push(a, stages, n);
    }
    node_put_str(a, out, "service", service->name);
    node_put_c(a, out, "stages", stages);
    node_put_c(a, out, "functions", section_json(a, m, &functions_of, "versions"));
    node_put_c(a, out, "apis", section_json(a, m, &apis_of, "deployments"));
    json_write(&cli->out, out, 2);
    buf_char(&cli->out, '\n');
}

static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

int stage_compare(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        size_t x = digits_at(a, i), y = digits_at(b, i);
        if (x != y)
            return x && y ? (x > y) - (x < y) : str_cmp(a, b);
        if (a.p[i] != b.p[i])
            return str_cmp(a, b);
    }
    return str_cmp(a, b);
}

static int by_name(const void *x, const void *y)
{
    const struct stage_status *a = x, *b = y;
    return stage_compare(a->name, b->name);
}

/* ---- all services ---- */

static int by_stage(const void *x, const void *y)
{
    const struct str *a = x, *b = y;
    return stage_compare(*a, *b);
}

/* "#17", with the status where something is to be said of it. */
static struct str service_cell(struct arena *a, const struct node *stages, struct str name)
{
    node_each (s, stages) {
        struct str word = node_text(node_get_c(s, "status"));
        if (str_eq(node_text(node_get_c(s, "name")), name))
            return str_fmt(a, "#%.*s%s%.*s", STR_ARG(node_text(node_get_c(s, "deployment"))),
                           node_get_c(s, "note") ? " " : "",
                           STR_ARG(node_get_c(s, "note") ? word : STR("")));
    }
    return STR("-");
}

/* What stages --json says of each service, as one matrix: a row a service. */
static void show_services(struct cli *cli, const struct all_result *results,
                          const struct node *const *documents, size_t n)
{
    struct arena *a = cli->arena;
    struct map names = MAP(a);
    VEC(struct str) sorted = {0};
    for (size_t i = 0; i < n; i++)
        node_each (s, node_get_c(documents[i], "stages"))
            if (!map_has(&names, node_text(node_get_c(s, "name")))) {
                map_put(&names, node_text(node_get_c(s, "name")), a);
                vec_push(a, &sorted, node_text(node_get_c(s, "name")));
            }
    if (sorted.n)
        qsort(sorted.p, sorted.n, sizeof *sorted.p, by_stage);
    struct table t = TABLE(a, sorted.n + 1);
    table_cell(&t, STR("service"));
    vec_each (&sorted, name)
        table_cell(&t, *name);
    for (size_t i = 0; i < n; i++) {
        table_cell(&t, results[i].name);
        vec_each (&sorted, name)
            table_cell(&t, results[i].code
                               ? STR("?")
                               : service_cell(a, node_get_c(documents[i], "stages"), *name));
    }
    table_write(&t, &cli->out, cli->colour_out);
}

static int run_all(struct cli *cli, struct err *err)
{
    static const char *const as_json[] = {"--json", NULL};
    struct arena *a = cli->arena;
    struct all_result *results;
    struct node *services = node_map(a), *out = node_map(a);
    size_t n;
    int code = 0;
    if (all_run(cli, &cmd_stages, ALL_INDEPENDENTLY, as_json, &results, &n, err) < 0)
        return -1;
    const struct node **documents = ARENA_ARRAY(a, n + 1, const struct node *);
    for (size_t i = 0; i < n; i++) {
        cleanup_err struct err ignored = {0};
        code = code ? code : results[i].code;
        documents[i] =
            results[i].code ? NULL : json_parse(a, STR("stages"), results[i].out, &ignored);
        node_put_c(a, services, str_z(a, results[i].name),
                   documents[i] ? documents[i] : node_null(a));
    }
    node_put_c(a, out, "services", services);
    if (cli->options.json) {
        json_write(&cli->out, out, 2);
        buf_char(&cli->out, '\n');
    } else {
        show_services(cli, results, documents, n);
    }
    return code;
}

static int run(struct cli *cli, struct err *err)
{
    struct matrix m = {0};
    struct release r;
    struct world w;
    if (cli->options.all)
        return run_all(cli, err);
    if (context_open(cli, SIZE_MAX, STAGE_NONE, LOAD_PLACE, &r, err) < 0)
        return -1;
    if (world_find(&r, true, &w, err) < 0)
        return -1;
    if (w.bucket.n && status_of_all(&r, &w, &m.stages, &m.n, err) < 0)
        return -1;
    if (m.n)
        qsort(m.stages, m.n, sizeof *m.stages, by_name);
    if (cli->options.json)
        show_json(cli, r.service, &m);
    else if (!w.service_exists)
        buf_fmt(&cli->out, "service '%.*s' is not deployed\n", STR_ARG(r.service->name));
    else if (!m.n)
        buf_fmt(&cli->out, "service '%.*s' has no stages\n", STR_ARG(r.service->name));
    else
        show_text(cli, r.service, &m);
    return 0;
}

const struct command cmd_stages = {
    .name = "stages",
    .arguments = "",
    .summary = "which stage serves which version",
    .details = "A row for every function and API, a column for every stage. What differs from "
               "the first column stands out. Below it: stages that are busy, shifting, "
               "interrupted or half done, and what finishes or undoes that. With --all one row for "
               "every service of serverless-compose.yml.",
    .examples = {"troupe stages", "troupe stages --json", "troupe stages --all"},
    .args_max = 0,
    .run = run,
};
