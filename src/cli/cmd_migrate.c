/* migrate: everything that a service needs to run under troupe, in one list. */
#include "cli/cli.h"

#include "build/build.h"
#include "doc/json.h"
#include "release/adopt/adopt.h"
#include "ui/table.h"

/* What was found. */
struct migration {
    struct cli *cli;
    const struct service *service; /* NULL: it could not be read */
    struct migration_notes notes;
    struct err errors;               /* that have to be mended first */
    const struct adoption *adoption; /* NULL: see `no_adoption` */
    struct str no_adoption;          /* why there is nothing to say of addresses */
    size_t to_change;
};

static const char *const answers[] = {[PLUGIN_BUILT_IN] = "built in",
                                      [PLUGIN_REPLACED] = "replaced",
                                      [PLUGIN_NOT_NEEDED] = "not needed",
                                      [PLUGIN_BRIDGED] = "bridged"};

/* Does the item have a line: an address that changes, or what cannot be taken over? */
static bool is_shown(const struct adopt_item *item)
{
    return item->fate == ADOPT_ADDRESS || item->fate == ADOPT_REFUSED;
}

/* ---- looking ---- */

/* What of the files has to change. */
static void count(struct migration *m)
{
    for (const struct err *e = m->errors.kind ? &m->errors : NULL; e; e = e->more)
        m->to_change++;
    m->to_change += m->errors.uncounted;
}

/* What `adopt` would give new addresses, as far as AWS can be asked. Whatever fails here is no
 * fault of the service. */
static void look_at_stack(struct migration *m, struct target *target, struct err *err)
{
    struct cli *cli = m->cli;
    struct plan *plan = ARENA_NEW(cli->arena, struct plan);
    const struct node *images;
    if (context_aws(cli, m->service, err) < 0 ||
        context_images(cli, m->service, /* flat= */ false, /* look_only= */ true, &images, err) <
            0 ||
        (images && context_target(cli, m->service, images, /* unbuilt= */ true, target, err) < 0))
        return;
    struct release r = context_release(cli, m->service);
    struct goal goal = goal_adopt(target);
    r.adopts = true;
    if (plan_run(&r, &goal, plan, err) < 0)
        return;
    m->adoption = plan->target.adoption;
    m->to_change += m->adoption->refused;
}

static void look(struct migration *m)
{
    struct cli *cli = m->cli;
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    struct migration_notes said_again = {0};
    cleanup_err struct err unsaid = {0};
    cli->notes = &m->notes;
    if (context_service(cli, 0, STAGE_DEFAULT, service, &m->errors) == 0) {
        m->service = service;
        context_target(cli, service, NULL, /* unbuilt= */ true, target, &m->errors);
    }
    cli->notes = &said_again;
    count(m);
    if (m->to_change)
        m->no_adoption = STR("what has to change comes first");
    else if (build_is_needed(service))
        m->no_adoption = STR("its code has to be built first, which 'troupe adopt --plan' does");
    else if (service->remote)
        m->no_adoption = STR("the stage is not in the service's region");
    else
        look_at_stack(m, target, &unsaid);
    if (unsaid.kind)
        m->no_adoption = str_dup(cli->arena, unsaid.msg);
    cli->notes = NULL;
}

/* ---- as JSON ---- */

static struct node *place_json(struct arena *a, struct pos pos)
{
    struct node *n = node_map(a);
    if (!pos.source)
        return NULL;
    node_put_str(a, n, "file", pos.source->path);
    node_put_c(a, n, "line", node_int(a, pos.line));
    node_put_c(a, n, "column", node_int(a, pos.column));
    return n;
}

static struct node *told_json(struct arena *a, struct str text, struct str help, struct pos pos)
{
    struct node *n = node_map(a);
    node_put_str(a, n, "message", text);
    if (help.n)
        node_put_str(a, n, "help", help);
    node_put_c(a, n, "place", place_json(a, pos));
    return n;
}

static const struct node *addresses_json(struct arena *a, const struct adoption *adoption)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; adoption && i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        struct node *n = node_map(a);
        if (!is_shown(item))
            continue;
        node_put_str(a, n, "fate", str_c(adopt_fate_words[item->fate]));
        node_put_str(a, n, "id", item->id);
        node_put_str(a, n, "type", item->type);
        node_put_str(a, n, "from", item->from);
        node_put_str(a, n, "to", item->to);
        node_put_str(a, n, "reason", item->reason);
        node_push(a, list, n);
    }
    return list;
}

static const struct node *migration_json(const struct migration *m)
{
    struct arena *a = m->cli->arena;
    struct node *out = node_map(a), *plugins = node_seq(a), *warnings = node_seq(a),
                *errors = node_seq(a);
    vec_each (&m->notes.all, f) {
        struct node *n = node_map(a);
        if (!f->plugin.n) {
            node_push(a, warnings, told_json(a, f->text, f->help, f->pos));
            continue;
        }
        node_put_str(a, n, "name", f->plugin);
        node_put_str(a, n, "answer", str_c(answers[f->answer]));
        node_put_str(a, n, "says", f->text);
        node_put_c(a, n, "place", place_json(a, f->pos));
        node_push(a, plugins, n);
    }
    for (const struct err *e = m->errors.kind ? &m->errors : NULL; e; e = e->more)
        node_push(a, errors, told_json(a, e->msg, e->help, e->pos));
    if (m->service) {
        node_put_str(a, out, "service", m->service->name);
        node_put_str(a, out, "stage", m->service->stage);
    }
    node_put_c(a, out, "ready", node_bool(a, !m->to_change));
    node_put_c(a, out, "plugins", plugins);
    node_put_c(a, out, "errors", errors);
    node_put_c(a, out, "warnings", warnings);
    node_put_c(a, out, "addresses", addresses_json(a, m->adoption));
    if (m->no_adoption.n)
        node_put_str(a, out, "addressesUnknown", m->no_adoption);
    return out;
}

/* ---- as text ---- */

static struct str place_text(struct arena *a, struct pos pos)
{
    return pos.source ? str_fmt(a, "%.*s:%u:%u", STR_ARG(pos.source->path), pos.line, pos.column)
                      : STR("");
}

static void told(struct buf *out, struct str text, struct str help, struct pos pos)
{
    struct str place = place_text(out->arena, pos);
    buf_fmt(out, "  %.*s%s%.*s\n", STR_ARG(place), place.n ? "  " : "", STR_ARG(text));
    if (help.n)
        buf_fmt(out, "      %.*s\n", STR_ARG(help));
}

static void write_plugins(struct buf *out, const struct migration *m, bool colour)
{
    struct arena *a = out->arena;
    struct table t = TABLE(a, 4);
    size_t n = 0;
    vec_each (&m->notes.all, f) {
        if (!f->plugin.n)
            continue;
        n++;
        table_cell(&t, str_fmt(a, "  %.*s", STR_ARG(f->plugin)));
        table_cell(&t, str_c(answers[f->answer]));
        table_cell(&t, place_text(a, f->pos));
        table_cell(&t, f->text);
    }
    if (n)
        buf_lit(out, "plugins\n");
    table_write(&t, out, colour);
}

static void write_errors(struct buf *out, const struct migration *m)
{
    if (m->errors.kind)
        buf_lit(out, "has to change\n");
    for (const struct err *e = m->errors.kind ? &m->errors : NULL; e; e = e->more)
        told(out, e->msg, e->help, e->pos);
}

static void write_warnings(struct buf *out, const struct migration *m)
{
    size_t n = 0;
    vec_each (&m->notes.all, f) {
        if (f->plugin.n)
            continue;
        if (!n++)
            buf_lit(out, "without effect, or doubtful\n");
        told(out, f->text, f->help, f->pos);
    }
}

static void write_addresses(struct buf *out, const struct migration *m)
{
    const struct adoption *adoption = m->adoption;
    size_t n = 0;
    for (size_t i = 0; adoption && i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        if (!is_shown(item))
            continue;
        if (!n++)
            buf_lit(out, "'troupe adopt' changes\n");
        buf_fmt(out, "  %s %.*s (%.*s): ", adopt_fate_words[item->fate], STR_ARG(item->id),
                STR_ARG(item->type));
        if (item->fate == ADOPT_ADDRESS)
            buf_fmt(out, "%.*s -> %.*s\n", STR_ARG(item->from),
                    STR_ARG(item->to.n ? item->to : STR("a new one")));
        else
            buf_fmt(out, "%.*s\n", STR_ARG(item->reason));
    }
    if (m->no_adoption.n)
        buf_fmt(out, "addresses are not known: %.*s\n", STR_ARG(m->no_adoption));
}

static void write_text(struct buf *out, const struct migration *m, bool colour)
{
    write_plugins(out, m, colour);
    write_errors(out, m);
    write_warnings(out, m);
    write_addresses(out, m);
    if (m->to_change)
        buf_fmt(out, "%zu thing%s to change\n", m->to_change,
                m->to_change == 1 ? " has" : "s have");
    else
        buf_lit(out, "nothing has to change\n");
}

/* ---- the command ---- */

static int run(struct cli *cli, struct err *err)
{
    struct migration *m = ARENA_NEW(cli->arena, struct migration);
    *m = (struct migration){.cli = cli};
    look(m);
    if (m->errors.kind == ERR_CANCELLED) {
        err_move(err, &m->errors);
        return -1;
    }
    progress_clear(cli->progress);
    if (cli->options.json) {
        json_write(&cli->out, migration_json(m), 2);
        buf_char(&cli->out, '\n');
    } else {
        write_text(&cli->out, m, cli->colour_out);
    }
    err_clear(&m->errors);
    if (!m->to_change)
        return 0;
    return err_set(err, ERR_CONFIG, "the service does not run under troupe as it is");
}

const struct command cmd_migrate = {
    .name = "migrate",
    .arguments = "[STAGE]",
    .summary = "what a service needs to run under troupe; changes nothing",
    .details = "In one list: the answer to each plugin, what has to change in the files, keys "
               "without effect, and, where the stage's stack can be looked at, the addresses that "
               "'troupe adopt' changes. Exit code 2 when something has to change.",
    .examples = {"troupe migrate", "troupe migrate prod", "troupe migrate prod --json"},
    .args_max = 1,
    .run = run,
};
