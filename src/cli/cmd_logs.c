/* logs: what the versions that a stage points at have written. */
#include "cli/cli.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "doc/json.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    SINCE_MS = 10 * 60 * 1000,
    TAIL_SINCE_MS = 10 * 1000,
    POLL_MS = 2000,
    /* a line may be written later than lines that were logged after it, by this much */
    LATE_MS = 15 * 1000,
};

/* A version, and where it writes its lines. */
struct writer {
    struct str version, group, stream; /* `stream`: "function[version]", without its date */
    int64_t until_ms;                  /* until when the stage points at the version; 0: it does */
};

struct logs {
    struct cli *cli;
    struct str stage;
    struct deployed_function function;
    VEC(struct writer) writers;
    struct map seen; /* ids of the events that the last look has shown */
    struct arena *seen_arena;
};

/* ---- the versions and their streams ---- */

/* Source: Lambda developer guide, "Configuring CloudWatch log groups": in a group of its own choice
 * a function puts its name into the streams'. */
static int add_writer(struct logs *l, struct str version, struct err *err)
{
    struct arena *a = l->cli->arena;
    struct lambda_function f;
    struct str name = l->function.name, own = str_concat(a, STR("/aws/lambda/"), name);
    if (lambda_get(a, l->cli->aws, name, version, &f, err) < 0)
        return -1;
    struct str group = node_text(node_path(f.configuration, "LoggingConfig.LogGroup"));
    bool other = group.n && !str_eq(group, own);
    struct str stream = str_fmt(a, "%.*s[%.*s]", other ? (int)name.n : 0, name.p, STR_ARG(version));
    vec_push(a, &l->writers,
             (struct writer){str_dup(a, version), group.n ? group : own, stream, 0});
    return 0;
}

/* Say which other stages point at the versions, when the lines of all are in one group. */
static int say_shared(struct logs *l, struct err *err)
{
    struct arena *a = l->cli->arena;
    struct lambda_alias *aliases;
    struct buf names = BUF(a);
    size_t n;
    if (l->function.per_stage)
        return 0;
    if (lambda_aliases(a, l->cli->aws, l->function.name, &aliases, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool same = false;
        vec_each (&l->writers, w)
            same |= !w->until_ms && (str_eq(aliases[i].version, w->version) ||
                                     str_eq(aliases[i].weighted_version, w->version));
        if (same && !str_eq(aliases[i].name, l->stage))
            buf_fmt(&names, "%s'%.*s'", names.n ? ", " : "", STR_ARG(aliases[i].name));
    }
    if (names.n)
        context_warn(l->cli, (struct pos){0},
                     str_fmt(a, "lines of %.*s are among these: it points at the same version",
                             STR_ARG(buf_str(&names))),
                     STR("custom.troupe.logs: stage keeps the lines of stages apart"));
    return 0;
}

static struct writer *find_writer(struct logs *l, struct str version)
{
    vec_each (&l->writers, w)
        if (str_eq(w->version, version))
            return w;
    return NULL;
}

/* Read what the stage's alias points at: it may have moved since the last look. The version that it
 * left stays among the writers until its last lines have come. */
static int read_pointers(struct logs *l, bool *ret_moved, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct lambda_alias alias;
    *ret_moved = false;
    if (lambda_alias_get(a, l->cli->aws, l->function.name, l->stage, &alias, err) < 0)
        return -1;
    struct str versions[] = {alias.version, alias.weighted_version,
                             /* those who cannot name an alias call $LATEST */
                             l->function.per_stage ? STR("$LATEST") : (struct str){"", 0}};
    int64_t now = clock_wall_ms();
    vec_each (&l->writers, w)
        w->until_ms = w->until_ms ? w->until_ms : now + LATE_MS;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct writer *known = versions[i].n ? find_writer(l, versions[i]) : NULL;
        if (known)
            known->until_ms = 0;
        else if (versions[i].n && add_writer(l, versions[i], err) < 0)
            return -1;
        *ret_moved |= versions[i].n && !known;
    }
    return *ret_moved ? say_shared(l, err) : 0;
}

/* ---- lines ---- */

/* Lines of one millisecond stay as they were written: CloudWatch Logs answers in that order. */
static int by_time(const void *x, const void *y)
{
    const struct log_event *a = x, *b = y;
    return a->time_ms != b->time_ms ? (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms)
                                    : (a->order > b->order) - (a->order < b->order);
}

/* Read the lines since `since_ms`. A stream is named after the day on which its process began, and
 * a process may live for hours. */
static int read_lines(struct logs *l, struct arena *a, int64_t since_ms, struct log_events *ret,
                      struct err *err)
{
    int64_t now = clock_wall_ms();
    vec_each (&l->writers, w) {
        if (w->until_ms && w->until_ms < now)
            continue;
        for (int64_t day = since_ms / DAY_MS - 1; day <= now / DAY_MS; day++) {
            struct str date =
                str_replace(a, str_sub(time_iso(a, day * DAY_MS), 0, 10), STR("-"), STR("/"));
            struct log_filter filter = {
                .group = w->group,
                .prefix = str_fmt(a, "%.*s/%.*s", STR_ARG(date), STR_ARG(w->stream)),
                .pattern = l->cli->options.filter,
                .start_ms = since_ms};
            if (logs_filter(a, l->cli->aws, &filter, ret, err) == 0)
                continue;
            if (err->kind != ERR_NOT_FOUND)
                return err_wrap(err, "read log group '%.*s'", STR_ARG(w->group));
            err_clear(err); /* it has written nothing so far */
            break;
        }
    }
    if (ret->n)
        qsort(ret->p, ret->n, sizeof *ret->p, by_time);
    return 0;
}

static const struct node *line_json(struct arena *a, const struct log_event *e, struct str time)
{
    struct node *n = node_map(a);
    node_put_str(a, n, "time", time);
    node_put_str(a, n, "stream", e->stream);
    node_put_str(a, n, "message", e->message);
    return n;
}

static struct str time_text(struct arena *a, int64_t ms)
{
    struct str iso = time_iso(a, ms);
    return str_fmt(a, "%.*s.%03dZ", (int)iso.n - 1, iso.p, (int)(ms % 1000));
}

static void add_line(const struct logs *l, struct buf *out, struct arena *a,
                     const struct log_event *e)
{
    struct str time = time_text(a, e->time_ms);
    if (l->cli->options.json) {
        json_write(out, line_json(a, e, time), 0);
        buf_char(out, '\n');
    } else if (l->cli->colour_out) {
        buf_fmt(out, "\033[2m%.*s\033[0m  %.*s\n", STR_ARG(time), STR_ARG(e->message));
    } else {
        buf_fmt(out, "%.*s  %.*s\n", STR_ARG(time), STR_ARG(e->message));
    }
}

static int show(struct logs *l, int64_t since_ms, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct log_events events = {0};
    struct buf out = BUF(a);
    if (read_lines(l, a, since_ms, &events, err) < 0)
        return -1;
    struct arena *ids = arena_new();
    struct map seen = MAP(ids);
    for (size_t i = 0; i < events.n; i++) {
        const struct log_event *e = &events.p[i];
        if (!map_has(&l->seen, e->id) && !map_has(&seen, e->id))
            add_line(l, &out, a, e);
        map_put(&seen, str_dup(ids, e->id), l);
    }
    arena_free(l->seen_arena);
    l->seen_arena = ids;
    l->seen = seen;
    if (!out.n)
        return 0;
    progress_clear(l->cli->progress);
    struct str text = context_shown(a, l->cli, buf_str(&out), STDOUT_FILENO);
    fwrite(text.p, 1, text.n, stdout);
    return fflush(stdout) == 0 ? 0 : err_set(err, ERR_FAILED, "cannot write to stdout");
}

/* ---- the command ---- */

static int read_since(const struct options *o, int64_t *ret_ms, struct err *err)
{
    int64_t ms = o->tail ? TAIL_SINCE_MS : SINCE_MS;
    if (o->since.n && time_parse(o->since, ret_ms))
        return 0;
    if (o->since.n && !duration_parse(o->since, &ms)) {
        err_set(err, ERR_USAGE, "'--since' needs a time, not '%.*s'", STR_ARG(o->since));
        return err_help(err, "for example 90s, 5m, 12h, 7d or 2026-01-31T12:00:00Z");
    }
    *ret_ms = clock_wall_ms() - ms;
    return 0;
}

/* Show new lines until the user stops it. When the stage is deployed meanwhile, the lines of the
 * new version follow. */
static int follow(struct logs *l, int64_t since_ms, struct err *err)
{
    while (clock_sleep_ms(POLL_MS) == 0) {
        int64_t from = clock_wall_ms() - LATE_MS;
        bool moved;
        if (read_pointers(l, &moved, err) < 0 ||
            show(l, from > since_ms ? from : since_ms, err) < 0)
            return err->kind == ERR_CANCELLED ? (err_clear(err), 0) : -1;
        if (moved && !l->cli->options.quiet)
            fprintf(stderr, "stage '%.*s' points at version %.*s now\n", STR_ARG(l->stage),
                    STR_ARG(l->writers.p[l->writers.n - 1].version));
    }
    return 0;
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct logs l = {.cli = cli, .seen_arena = arena_new()};
    int64_t since_ms;
    bool moved;
    l.seen = MAP(l.seen_arena);
    int done = read_since(&cli->options, &since_ms, err);
    if (done == 0)
        done = context_function(cli, "logs", service, &l.function, err);
    l.stage = service->stage;
    if (done == 0 && read_pointers(&l, &moved, err) < 0)
        done = err_wrap(err, "look at '%.*s'", STR_ARG(l.function.key));
    if (done == 0)
        done = show(&l, since_ms, err);
    if (done == 0 && cli->options.tail)
        done = follow(&l, since_ms, err);
    arena_free(l.seen_arena);
    return done;
}

const struct command cmd_logs = {
    .name = "logs",
    .arguments = "[STAGE] FUNCTION",
    .summary = "what a function of a stage has written to its log",
    .details = "The lines of the versions that the stage points at, oldest first, of the last "
               "ten minutes or --since TIME. --tail goes on until it is stopped, across "
               "deployments. --filter takes CloudWatch Logs' patterns. With --json, one JSON "
               "object a line. Stages that point at the same version share its lines, unless "
               "custom.troupe.logs is stage.",
    .examples = {"troupe logs prod hello --tail",
                 "troupe logs prod hello --since 2h --filter ERROR",
                 "troupe logs prod hello --json"},
    .args_max = 2,
    .run = run,
};
