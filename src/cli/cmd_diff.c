/* diff: what differs between two stages or deployments. */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/bucket/stage_address.h"
#include "release/diff.h"
#include "release/goal/from_record.h"
#include "release/world/region.h"
#include "ui/table.h"

/* ---- finding the two ---- */

struct side {
    struct str stage;
    int64_t number;
    bool pruned;
    struct diff_side side;
};

static int say_none(const struct side *s, bool known, struct err *err)
{
    struct str stage = s->stage;
    if (!known) {
        err_set(err, ERR_NOT_FOUND, "there is no stage '%.*s'", STR_ARG(stage));
        return err_help(err, "which there are: troupe stages");
    }
    if (s->number)
        err_set(err, ERR_NOT_FOUND, "there is no deployment %.*s#%lld", STR_ARG(stage),
                (long long)s->number);
    else
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is at no deployment now", STR_ARG(stage));
    return err_help(err, "name one of its deployments: troupe history %.*s", STR_ARG(stage));
}

static int find_number(const struct release *r, const struct world *w, struct side *s,
                       struct err *err)
{
    struct release own;
    struct world stage = {0};
    bool known = false, listed = false;
    s->stage = region_address(r, s->stage);
    if (!s->number) {
        if (region_at(r, s->stage, &own, err) < 0 || world_find(&own, true, &stage, err) < 0)
            return -1;
        known = stage.stage_exists;
        if (world_served(&own, false, &stage, err) < 0 && err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        s->number = stage.current;
    }
    for (size_t i = 0; i < w->record_count; i++) {
        if (!str_eq(w->records[i].stage, s->stage))
            continue;
        known = true;
        if (w->records[i].number != s->number)
            continue;
        listed = true;
        s->pruned = w->records[i].pruned;
    }
    return s->number && listed ? 0 : say_none(s, known, err);
}

static int read_side(const struct release *r, struct world *w, struct side *s, struct err *err)
{
    struct record *record = &s->side.record;
    struct chain chain;
    if (find_number(r, w, s, err) < 0)
        return -1;
    if (chain_begin(r, w, s->stage, &chain, err) < 0 ||
        chain_find(r, w, &chain, s->number, record, err) < 0 ||
        record_read_more(r->arena, &w->store, RECORD_VERSIONS, record, err) < 0)
        return -1;
    if (record_is_removal(record)) {
        err_set(err, ERR_REFUSED, "%.*s#%lld was a removal: there is nothing to compare",
                STR_ARG(s->stage), (long long)s->number);
        return err_help(err, "which there are: troupe history %.*s", STR_ARG(s->stage));
    }
    return recorded_template(r, w, record, &s->side.template, err);
}

/* ---- text ---- */

static struct str name_of(struct arena *a, const struct side *s)
{
    return str_fmt(a, "%.*s#%lld", STR_ARG(s->stage), (long long)s->number);
}

static struct str symbol(enum diff_where where)
{
    return where == DIFF_BOTH ? STR("  ~") : where == DIFF_ONLY_A ? STR("  -") : STR("  +");
}

static struct str only(struct arena *a, const struct side *sides, enum diff_where where)
{
    return str_fmt(a, "only in %.*s", STR_ARG(name_of(a, &sides[where == DIFF_ONLY_B])));
}

/* "v3", or "own" for a function of the stage's stack. */
static struct str version_text(struct arena *a, const struct diff_function *f, int side)
{
    if (f->version[side].n)
        return str_fmt(a, "v%.*s", STR_ARG(f->version[side]));
    return f->layout[side] == LAYOUT_PER_STAGE ? STR("own") : STR("?");
}

static struct str function_text(struct arena *a, const struct diff_function *f)
{
    struct buf b = BUF(a);
    if (f->layout[0] != f->layout[1])
        buf_fmt(&b, "%s -> %s", f->layout[0] == LAYOUT_SHARED ? "shared" : "per stage",
                f->layout[1] == LAYOUT_SHARED ? "shared" : "per stage");
    if (f->code)
        buf_fmt(&b, "%scode", b.n ? ", " : "");
    for (size_t i = 0; i < f->part_count; i++)
        buf_fmt(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(f->parts[i]));
    if (!b.n)
        buf_lit(&b, "configuration");
    return buf_str(&b);
}

static void show_functions(struct cli *cli, const struct side *sides, const struct diff *d)
{
    struct arena *a = cli->arena;
    struct table t = TABLE(a, 4);
    for (size_t i = 0; i < d->function_count; i++) {
        const struct diff_function *f = &d->functions[i];
        int side = f->where == DIFF_ONLY_B;
        table_cell(&t, symbol(f->where));
        table_cell(&t, f->key);
        table_cell(&t, f->where != DIFF_BOTH
                           ? version_text(a, f, side)
                           : str_fmt(a, "%.*s -> %.*s", STR_ARG(version_text(a, f, 0)),
                                     STR_ARG(version_text(a, f, 1))));
        table_cell(&t, f->where == DIFF_BOTH ? function_text(a, f) : only(a, sides, f->where));
    }
    if (d->function_count)
        buf_lit(&cli->out, "functions\n");
    table_write(&t, &cli->out, cli->colour_out);
}

static void show_apis(struct cli *cli, const struct side *sides, const struct diff *d)
{
    struct arena *a = cli->arena;
    struct table t = TABLE(a, 3);
    for (size_t i = 0; i < d->api_count; i++) {
        const struct diff_api *x = &d->apis[i];
        table_cell(&t, symbol(x->where));
        table_cell(&t, x->id);
        table_cell(&t, x->where != DIFF_BOTH ? only(a, sides, x->where)
                                             : str_fmt(a, "%.*s -> %.*s", STR_ARG(x->deployment[0]),
                                                       STR_ARG(x->deployment[1])));
    }
    if (d->api_count)
        buf_lit(&cli->out, "apis\n");
    table_write(&t, &cli->out, cli->colour_out);
}

/* The value in one line, cut when it is long. */
static struct str value_text(struct arena *a, const struct node *value)
{
    enum { LONG = 60 };
    if (!value)
        return STR("none");
    struct str text = json_text(a, node_masked(a, value), 0);
    if (text.n <= LONG)
        return text;
    size_t n = LONG;
    while (n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return str_fmt(a, "%.*s…", (int)n, text.p);
}

static void show_resources(struct cli *cli, const struct side *sides, const struct diff *d)
{
    struct arena *a = cli->arena;
    struct buf *out = &cli->out;
    if (d->resource_count)
        buf_lit(out, "resources\n");
    for (size_t i = 0; i < d->resource_count; i++) {
        const struct diff_resource *x = &d->resources[i];
        buf_fmt(out, "%.*s  %.*s  %.*s", STR_ARG(symbol(x->where)), STR_ARG(x->id),
                STR_ARG(x->type));
        if (x->where != DIFF_BOTH)
            buf_fmt(out, "  %.*s", STR_ARG(only(a, sides, x->where)));
        buf_char(out, '\n');
        for (size_t k = 0; k < x->change_count; k++)
            buf_fmt(out, "       %.*s: %.*s -> %.*s\n", STR_ARG(x->changes[k].path),
                    STR_ARG(value_text(a, x->changes[k].before)),
                    STR_ARG(value_text(a, x->changes[k].after)));
    }
}

static void show_text(struct cli *cli, const struct side *sides, const struct diff *d)
{
    struct arena *a = cli->arena;
    struct buf *out = &cli->out;
    bool nothing = !d->function_count && !d->api_count && !d->resource_count;
    buf_fmt(out, "%.*s -> %.*s", STR_ARG(name_of(a, &sides[0])), STR_ARG(name_of(a, &sides[1])));
    buf_fmt(out, "%s\n", nothing ? ": nothing differs" : "");
    show_functions(cli, sides, d);
    show_apis(cli, sides, d);
    show_resources(cli, sides, d);
    buf_fmt(out, "the same: %zu function%s, %zu API%s", d->same_functions,
            d->same_functions == 1 ? "" : "s", d->same_apis, d->same_apis == 1 ? "" : "s");
    if (d->templates)
        buf_fmt(out, ", %zu resource%s", d->same_resources, d->same_resources == 1 ? "" : "s");
    buf_char(out, '\n');
    if (d->named_functions + d->named_resources)
        buf_fmt(out, "different by the stage's name only: %zu function%s, %zu resource%s\n",
                d->named_functions, d->named_functions == 1 ? "" : "s", d->named_resources,
                d->named_resources == 1 ? "" : "s");
    for (int i = 0; i < 2; i++) {
        if (!sides[i].side.template)
            buf_fmt(out, "resources were not compared: the template of %.*s was not kept\n",
                    STR_ARG(name_of(a, &sides[i])));
        if (sides[i].pruned)
            buf_fmt(out, "the versions of %.*s were pruned\n", STR_ARG(name_of(a, &sides[i])));
    }
}

/* ---- JSON ---- */

static const char *const where_words[] = {
    [DIFF_BOTH] = "both", [DIFF_ONLY_A] = "a", [DIFF_ONLY_B] = "b"};

static const struct node *side_json(struct arena *a, const struct side *s)
{
    struct node *n = node_map(a);
    node_put_str(a, n, "stage", s->stage);
    node_put_c(a, n, "deployment", node_int(a, s->number));
    node_put_c(a, n, "pruned", node_bool(a, s->pruned));
    return n;
}

/* [value of A, value of B], null where there is none. */
static const struct node *pair(struct arena *a, const struct str *values)
{
    struct node *n = node_seq(a);
    for (int i = 0; i < 2; i++)
        node_push(a, n, values[i].n ? node_str(a, values[i]) : node_null(a));
    return n;
}

static const struct node *functions_json(struct arena *a, const struct diff *d)
{
    struct node *all = node_seq(a);
    for (size_t i = 0; i < d->function_count; i++) {
        const struct diff_function *f = &d->functions[i];
        struct node *n = node_map(a), *parts = node_seq(a);
        for (size_t k = 0; k < f->part_count; k++)
            node_push(a, parts, node_str(a, f->parts[k]));
        node_put_str(a, n, "name", f->key);
        node_put_str(a, n, "in", str_c(where_words[f->where]));
        node_put_c(a, n, "code", node_bool(a, f->code));
        node_put_c(a, n, "configuration", parts);
        struct str layouts[2] = {record_layout_word(f->layout[0]),
                                 record_layout_word(f->layout[1])};
        node_put_c(a, n, "layout", pair(a, layouts));
        node_put_c(a, n, "version", pair(a, f->version));
        node_push(a, all, n);
    }
    return all;
}

static const struct node *apis_json(struct arena *a, const struct diff *d)
{
    struct node *all = node_seq(a);
    for (size_t i = 0; i < d->api_count; i++) {
        struct node *n = node_map(a);
        node_put_str(a, n, "name", d->apis[i].id);
        node_put_str(a, n, "in", str_c(where_words[d->apis[i].where]));
        node_put_c(a, n, "deployment", pair(a, d->apis[i].deployment));
        node_push(a, all, n);
    }
    return all;
}

static const struct node *resources_json(struct arena *a, const struct diff *d)
{
    struct node *all = node_seq(a);
    for (size_t i = 0; i < d->resource_count; i++) {
        const struct diff_resource *x = &d->resources[i];
        struct node *n = node_map(a), *changes = node_seq(a);
        for (size_t k = 0; k < x->change_count; k++) {
            struct node *c = node_map(a);
            node_put_str(a, c, "path", x->changes[k].path);
            node_put_c(a, c, "a", node_masked(a, x->changes[k].before));
            node_put_c(a, c, "b", node_masked(a, x->changes[k].after));
            node_push(a, changes, c);
        }
        node_put_str(a, n, "name", x->id);
        node_put_str(a, n, "type", x->type);
        node_put_str(a, n, "in", str_c(where_words[x->where]));
        node_put_c(a, n, "changes", changes);
        node_push(a, all, n);
    }
    return all;
}

static void show_json(struct cli *cli, const struct service *service, const struct side *sides,
                      const struct diff *d)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a);
    bool nothing = !d->function_count && !d->api_count && !d->resource_count;
    node_put_str(a, out, "service", service->name);
    node_put_c(a, out, "a", side_json(a, &sides[0]));
    node_put_c(a, out, "b", side_json(a, &sides[1]));
    node_put_c(a, out, "nothing", node_bool(a, nothing));
    node_put_c(a, out, "functions", functions_json(a, d));
    node_put_c(a, out, "apis", apis_json(a, d));
    node_put_c(a, out, "resources", resources_json(a, d));
    node_put_c(a, out, "resourcesCompared", node_bool(a, d->templates));
    node_put_c(a, out, "sameFunctions", node_int(a, (int64_t)d->same_functions));
    node_put_c(a, out, "sameApis", node_int(a, (int64_t)d->same_apis));
    node_put_c(a, out, "sameResources", node_int(a, (int64_t)d->same_resources));
    node_put_c(a, out, "renamedFunctions", node_int(a, (int64_t)d->named_functions));
    node_put_c(a, out, "renamedResources", node_int(a, (int64_t)d->named_resources));
    json_write(&cli->out, out, 2);
    buf_char(&cli->out, '\n');
}

/* Read the configurations of functions that differ, because their settings may differ only by the
 * stage's name. A version that was pruned has none to compare. */
static int read_configurations(struct cli *cli, struct side *sides, const struct diff *d,
                               struct err *err)
{
    struct arena *a = cli->arena;
    struct node *all[2] = {node_map(a), node_map(a)};
    for (size_t i = 0; i < d->function_count; i++) {
        const struct diff_function *f = &d->functions[i];
        for (int k = 0; k < 2 && f->part_count && f->version[0].n && f->version[1].n; k++) {
            struct lambda_function got;
            struct str name = record_function(sides[k].side.record.body, f->key)->name;
            if (lambda_get(a, cli->aws, name, f->version[k], &got, err) == 0)
                node_put(a, all[k], f->key, got.configuration);
            else if (err->kind != ERR_NOT_FOUND)
                return err_wrap(err, "look at function '%.*s'", STR_ARG(f->key));
            err_clear(err);
        }
    }
    for (int k = 0; k < 2; k++)
        sides[k].side.configurations = all[k];
    return 0;
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct side sides[2] = {0};
    struct world w;
    struct diff diff;
    if (cli->options.arg_count != 2) {
        err_set(err, ERR_USAGE, "diff needs two stages or deployments");
        return err_help(err, "troupe diff dev prod, or: troupe diff prod#11 prod#12");
    }
    for (int i = 0; i < 2; i++)
        if (record_address(cli->options.args[i], &sides[i].stage, &sides[i].number, err) < 0)
            return -1;
    if (context_open(cli, SIZE_MAX, STAGE_NONE, LOAD_PLACE, &r, err) < 0)
        return -1;
    if (world_find(&r, false, &w, err) < 0)
        return -1;
    if (w.bucket.n && records_list(cli->arena, &w.store, &w.records, &w.record_count, err) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (read_side(&r, &w, &sides[i], err) < 0)
            return -1;
    diff_make(cli->arena, &sides[0].side, &sides[1].side, &diff);
    if (!str_eq(sides[0].stage, sides[1].stage)) {
        if (read_configurations(cli, sides, &diff, err) < 0)
            return -1;
        diff_make(cli->arena, &sides[0].side, &sides[1].side, &diff);
    }
    if (cli->options.json)
        show_json(cli, r.service, sides, &diff);
    else
        show_text(cli, sides, &diff);
    return 0;
}

const struct command cmd_diff = {
    .name = "diff",
    .arguments = "A[#N] B[#M]",
    .summary = "what differs between two stages or deployments",
    .details = "Functions (code, settings, layout), APIs and resources of the stages' stacks. "
               "Without #N what the stage is at now. What differs by the stage's name only is "
               "counted and left out.",
    .examples = {"troupe diff dev prod", "troupe diff prod#11 prod#12",
                 "troupe diff dev prod --json"},
    .args_max = 2,
    .run = run,
};
