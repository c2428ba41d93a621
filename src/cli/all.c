/* Services that belong together: one process each, as if the command had been typed in its folder.
 * So each has its own records, leases and errors, and one that crashes takes no other with it. */
#include "cli/all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "config/compose.h"
#include "doc/json.h"
#include "ui/table.h"

extern char **environ;

enum { JOBS_STANDARD = 4, LOOK_MS = 200 };

enum phase {
    WAITING,
    RUNNING,
    ASKING, /* `info` for the outputs that others need */
    OVER,
};

struct member_run {
    enum phase phase;
    struct all_result *result;
    pid_t pid;
    int out, err;               /* ends of pipes; -1: closed */
    struct buf text;            /* stdout */
    struct buf line;            /* of stderr, as far as it has come */
    bool is_told;               /* to stop */
    const struct node *outputs; /* NULL: not known */
};

struct all {
    struct cli *cli;
    struct compose compose;
    const struct command *command;
    enum command_number number;
    enum all_order order;
    const char *const *further;
    struct member_run *runs;
    char *program;
};

/* ---- what a process is told ---- */

typedef VEC(char *) words;

static void add_word(struct arena *a, words *to, struct str word)
{
    vec_push(a, to, str_z(a, word));
}

static const struct node *output_of(void *context, size_t service, struct str name)
{
    const struct all *all = context;
    return node_get(all->runs[service].outputs, name);
}

/* The params of compose's file, and those typed, which win. */
static int add_params(struct all *all, size_t i, words *to, struct err *err)
{
    struct arena *a = all->cli->arena;
    struct str stage =
        all->cli->options.arg_count ? all->cli->options.args[0] : all->cli->options.stage;
    struct map params = MAP(a);
    if (all->order == ALL_NEEDED_FIRST &&
        compose_params(a, &all->compose, i, stage, output_of, all, &params, err) < 0)
        return -1;
    const struct map *typed = &all->cli->options.params;
    for (size_t k = 0; k < typed->n; k++)
        map_put(&params, typed->entries[k].key, typed->entries[k].value);
    for (size_t k = 0; k < params.n; k++) {
        const struct str *value = params.entries[k].value;
        add_word(a, to, STR("--param"));
        add_word(a, to, str_fmt(a, "%.*s=%.*s", STR_ARG(params.entries[k].key), STR_ARG(*value)));
    }
    return 0;
}

static int words_of(struct all *all, size_t i, bool asks, words *to, struct err *err)
{
    struct arena *a = all->cli->arena;
    const struct options *o = &all->cli->options;
    enum command_number info = command_find(STR("info"));
    add_word(a, to, STR("troupe"));
    add_word(a, to, str_c(asks ? "info" : all->command->name));
    for (size_t k = 0; k < o->arg_count; k++)
        add_word(a, to, o->args[k]);
    size_t n;
    const struct str *typed = options_typed(a, o, asks ? info : all->number, &n);
    for (size_t k = 0; k < n; k++)
        add_word(a, to, typed[k]);
    if (all->compose.services[i].file.n) {
        add_word(a, to, STR("--config"));
        add_word(a, to, all->compose.services[i].file);
    }
    for (const char *const *word = asks ? (const char *const[]){"--json", "--quiet", NULL}
                                        : all->further;
         word && *word; word++)
        add_word(a, to, str_c(*word));
    if (add_params(all, i, to, err) < 0)
        return -1;
    vec_push(a, to, NULL);
    return 0;
}

/* ---- processes ---- */

static int new_pipe(int *ret_read, int *ret_write, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return err_sys(err, errno, "cannot run another troupe");
    fcntl(ends[1], F_SETFL, 0); /* the process writes, and waits while the pipe is full */
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

/* In a group of its own, so that Ctrl-C comes to this process alone, which asks each to stop once:
 * asked twice, it would stop at once. */
static int spawn(struct all *all, size_t i, char **argv, struct err *err)
{
    struct member_run *m = &all->runs[i];
    int out = -1, errors = -1;
    if (new_pipe(&m->out, &out, err) < 0)
        return -1;
    if (new_pipe(&m->err, &errors, err) < 0) {
        close(out);
        return -1;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions,
                                         str_z(all->cli->arena, all->compose.services[i].dir));
    int failed = posix_spawn(&m->pid, all->program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(out);
    close(errors);
    return failed ? err_sys(err, failed, "cannot run another troupe") : 0;
}

static void end(struct member_run *m, int code)
{
    m->result->code = code;
    m->phase = OVER;
}

/* What the process could not be given is this service's error, as if it had said it. */
static void start(struct all *all, size_t i, bool asks)
{
    struct cli *cli = all->cli;
    struct member_run *m = &all->runs[i];
    words argv = {0};
    cleanup_err struct err err = {0};
    m->text = BUF(cli->arena);
    m->line = BUF(cli->arena);
    m->phase = asks ? ASKING : RUNNING;
    m->out = m->err = -1;
    if (words_of(all, i, asks, &argv, &err) == 0 && spawn(all, i, argv.p, &err) == 0)
        return;
    struct str text = err_render(cli->arena, &err, cli->colour_err);
    fprintf(stderr, "%.*s: %.*s", STR_ARG(m->result->name), STR_ARG(text));
    end(m, exit_code(err.kind));
}

static void pass_on(const struct all *all, const struct member_run *m, struct str line)
{
    if (all->cli->options.json_progress)
        fprintf(stderr, "%.*s\n", STR_ARG(line));
    else if (m->phase == RUNNING)
        fprintf(stderr, "%.*s: %.*s\n", STR_ARG(m->result->name),
                STR_ARG(context_shown(all->cli->arena, all->cli, line, STDERR_FILENO)));
}

static void take_lines(const struct all *all, struct member_run *m, struct str part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] != '\n') {
            buf_char(&m->line, part.p[i]);
            continue;
        }
        pass_on(all, m, buf_str(&m->line));
        m->line = BUF(all->cli->arena);
    }
}

/* Read what has come; the end closes the file. */
static void read_some(const struct all *all, struct member_run *m, int *fd)
{
    char chunk[16 * 1024];
    ssize_t n;
    while (*fd >= 0 && (n = read(*fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        struct str part = {chunk, (size_t)n};
        if (fd == &m->out)
            buf_add(&m->text, part);
        else
            take_lines(all, m, part);
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int wait_for(struct member_run *m)
{
    int status = 0;
    while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- one after the other, where they need each other ---- */

/* With --detailed-exitcode 2 says that there are changes. */
static bool has_changes(const struct cli *cli, const struct all_result *r)
{
    return cli->options.detailed_exitcode && r->code == 2;
}

static bool has_failed(const struct cli *cli, const struct all_result *r)
{
    return r->code && !has_changes(cli, r);
}

static bool is_needed_by(const struct all *all, size_t i, size_t other)
{
    const struct compose_service *s = &all->compose.services[other];
    for (size_t k = 0; k < s->need_count; k++)
        if (s->needs[k] == i)
            return true;
    return false;
}

static bool comes_before(const struct all *all, size_t first, size_t then)
{
    return all->order == ALL_NEEDED_FIRST  ? is_needed_by(all, first, then)
           : all->order == ALL_NEEDED_LAST ? is_needed_by(all, then, first)
                                           : false;
}

/* Is nothing that comes before service `i` still to be done? What failed, or was not run, ends it,
 * too. */
static bool is_ready(const struct all *all, size_t i)
{
    for (size_t k = 0; k < all->compose.count; k++) {
        const struct member_run *before = &all->runs[k];
        if (!comes_before(all, k, i))
            continue;
        if (before->phase != OVER)
            return false;
        if (has_failed(all->cli, before->result) || before->result->reason) {
            all->runs[i].result->reason =
                all->order == ALL_NEEDED_FIRST ? "it needs" : "it is needed by";
            all->runs[i].result->cause = before->result->name;
        }
    }
    return true;
}

static void begin_ready(struct all *all)
{
    size_t busy = 0;
    for (size_t i = 0; i < all->compose.count; i++)
        busy += all->runs[i].phase == RUNNING || all->runs[i].phase == ASKING;
    for (size_t i = 0; i < all->compose.count; i++) {
        struct member_run *m = &all->runs[i];
        if (m->phase != WAITING || busy >= JOBS_STANDARD || !is_ready(all, i))
            continue;
        if (cancel_requested())
            m->result->reason = "it was to stop";
        if (m->result->reason)
            end(m, 0);
        else {
            start(all, i, false);
            busy++;
        }
    }
}

/* A process has ended: its outputs are asked for when others need them. */
static void finish(struct all *all, size_t i)
{
    struct member_run *m = &all->runs[i];
    cleanup_err struct err ignored = {0};
    if (m->line.n)
        take_lines(all, m, STR("\n"));
    int code = wait_for(m);
    struct str text = buf_str(&m->text);
    if (m->phase == ASKING) {
        if (code == 0)
            m->outputs =
                node_get_c(json_parse(all->cli->arena, STR("outputs"), text, &ignored), "outputs");
        end(m, m->result->code); /* services that need an output that is not there fail with that */
        return;
    }
    m->result->out = text;
    m->result->code = code;
    if (!has_failed(all->cli, m->result) && all->order == ALL_NEEDED_FIRST &&
        all->compose.services[i].is_asked)
        start(all, i, true);
    else
        end(m, code);
}

static void stop_them(struct all *all)
{
    for (size_t i = 0; i < all->compose.count; i++) {
        struct member_run *m = &all->runs[i];
        if (m->phase != RUNNING && m->phase != ASKING)
            continue;
        if (!m->is_told)
            kill(m->pid, SIGTERM);
        m->is_told = true;
    }
}

static bool look(struct all *all)
{
    struct pollfd *fds = ARENA_ARRAY(all->cli->arena, 2 * all->compose.count + 1, struct pollfd);
    size_t n = 0;
    bool any = false;
    for (size_t i = 0; i < all->compose.count; i++) {
        struct member_run *m = &all->runs[i];
        any |= m->phase != OVER;
        if (m->phase != RUNNING && m->phase != ASKING)
            continue;
        fds[n++] = (struct pollfd){.fd = m->out, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = m->err, .events = POLLIN};
    }
    if (n)
        poll(fds, n, LOOK_MS);
    for (size_t i = 0; i < all->compose.count; i++) {
        struct member_run *m = &all->runs[i];
        if (m->phase != RUNNING && m->phase != ASKING)
            continue;
        read_some(all, m, &m->out);
        read_some(all, m, &m->err);
        if (m->out < 0 && m->err < 0)
            finish(all, i);
    }
    return any;
}

int all_run(struct cli *cli, const struct command *command, enum all_order order,
            const char *const *further, struct all_result **ret, size_t *ret_n, struct err *err)
{
    struct arena *a = cli->arena;
    struct all all = {.cli = cli,
                      .command = command,
                      .number = command_find(str_c(command->name)),
                      .order = order,
                      .further = further,
                      .program = "/proc/self/exe"};
    if (compose_load(a, cli->options.config, &all.compose, err) < 0)
        return -1;
    size_t n = all.compose.count;
    all.runs = ARENA_ARRAY(a, n + 1, struct member_run);
    *ret = ARENA_ARRAY(a, n + 1, struct all_result);
    *ret_n = n;
    for (size_t i = 0; i < n; i++) {
        (*ret)[i].name = all.compose.services[i].name;
        all.runs[i].result = &(*ret)[i];
    }
    do {
        begin_ready(&all);
        if (cancel_requested())
            stop_them(&all);
    } while (look(&all));
    return 0;
}

/* ---- what came of it ---- */

static void show_json(struct cli *cli, const struct all_result *results, size_t n)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *services = node_map(a);
    for (size_t i = 0; i < n; i++) {
        cleanup_err struct err ignored = {0};
        struct node *one = node_map(a);
        node_put_c(a, one, "exit", node_int(a, results[i].code));
        node_put_c(a, one, "result", json_parse(a, STR("result"), results[i].out, &ignored));
        if (results[i].reason)
            node_put_c(a, one, "left_out",
                       node_strf(a, "%s%s%.*s", results[i].reason, results[i].cause.n ? " " : "",
                                 STR_ARG(results[i].cause)));
        node_put(a, services, results[i].name, one);
    }
    node_put_c(a, out, "services", services);
    json_write(&cli->out, out, 2);
    buf_char(&cli->out, '\n');
}

static void show_text(struct cli *cli, const struct all_result *results, size_t n)
{
    struct arena *a = cli->arena;
    struct table t = TABLE(a, 2);
    for (size_t i = 0; i < n; i++) {
        const struct all_result *r = &results[i];
        if (r->out.n)
            buf_fmt(&cli->out, "--- %.*s\n%.*s", STR_ARG(r->name), STR_ARG(r->out));
        table_cell(&t, r->name);
        if (r->reason)
            table_mark(&t, str_fmt(a, "not run: %s%s%.*s", r->reason, r->cause.n ? " " : "",
                                   STR_ARG(r->cause)));
        else if (has_changes(cli, r))
            table_mark(&t, STR("changes"));
        else if (r->code)
            table_mark(&t, str_fmt(a, "failed with exit code %d", r->code));
        else
            table_cell(&t, STR("done"));
    }
    buf_lit(&cli->out, "--- all\n");
    table_write(&t, &cli->out, cli->colour_out);
}

int all_command(struct cli *cli, const struct command *command, enum all_order order,
                struct err *err)
{
    struct all_result *results;
    size_t n;
    if (cli->options.function.n) {
        err_set(err, ERR_USAGE, "--all and --function exclude each other");
        return err_help(err, "deploy the function in its service's folder");
    }
    if (all_run(cli, command, order, NULL, &results, &n, err) < 0)
        return -1;
    if (cli->options.json)
        show_json(cli, results, n);
    else
        show_text(cli, results, n);
    int changed = 0;
    for (size_t i = 0; i < n; i++) {
        if (has_failed(cli, &results[i]))
            return results[i].code;
        changed = results[i].code ? results[i].code : changed;
    }
    if (changed)
        return changed;
    return cancel_requested() ? exit_code(ERR_CANCELLED) : 0;
}
