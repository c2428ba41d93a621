/* One builder's process, with all that it starts. */
#include "build/build_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/spawn.h"

enum {
    LOOK_MS = 50,            /* how often the wish to stop is looked at */
    LEAVE_MS = 1000,         /* that a builder may take to end when it is asked to */
    OUTPUT_MAX = 128 * 1024, /* of the end of its output that is kept */
    LINES_SHOWN = 20,
    LINE_SHOWN = 300,
};

extern char **environ;

struct process {
    pid_t pid;
    int output;
    int status;
    struct buf kept;
};

/* ---- start ---- */

/* The environment of this process with what `more` says in place of it. */
static char **environment(struct arena *a, const struct node *more)
{
    VEC(char *) list = {0};
    for (char **e = environ; *e; e++) {
        struct str name = str_c(*e);
        ptrdiff_t equals = str_find_char(name, '=', 0);
        if (equals < 0 || !node_get(more, str_sub(name, 0, (size_t)equals)))
            vec_push(a, &list, *e);
    }
    member_each (m, more)
        vec_push(a, &list,
                 str_z(a, str_fmt(a, "%.*s=%.*s", STR_ARG(m->key), STR_ARG(node_text(m->value)))));
    vec_push(a, &list, NULL);
    return list.p;
}

static int spawn(struct arena *a, const struct command_line *c, int input, int output, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, str_z(a, c->dir));
    spawn_own_group(&attributes);
    char **argv = ARENA_ARRAY(a, node_count(c->words) + 1, char *);
    for (size_t i = 0; i < node_count(c->words); i++)
        argv[i] = str_z(a, node_text(c->words->items[i]));
    int failed =
        posix_spawnp(ret, argv[0], &actions, &attributes, argv, environment(a, c->environment));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int start(struct arena *a, const struct command_line *c, struct process *p, struct err *err)
{
    struct str program = node_text(c->words->items[0]);
    int ends[2];
    cleanup_fd int input = fs_input(c->input, err);
    if (input < 0)
        return err_wrap(err, "run '%.*s'", STR_ARG(program));
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot run '%.*s'", STR_ARG(program));
    int failed = spawn(a, c, input, ends[1], &p->pid);
    close(ends[1]);
    p->output = ends[0];
    fcntl(p->output, F_SETFL, O_NONBLOCK);
    if (!failed)
        return 0;
    close(p->output);
    err_sys(err, failed, "cannot run '%.*s'", STR_ARG(program));
    err->kind = ERR_CONFIG;
    return -1;
}

/* ---- end ---- */

/* Read what is there. False: nothing will come any more. */
static bool read_output(struct process *p)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(p->output, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        if (p->kept.n + (size_t)n > 2 * OUTPUT_MAX) {
            memmove(p->kept.p, p->kept.p + p->kept.n - OUTPUT_MAX, OUTPUT_MAX);
            p->kept.n = OUTPUT_MAX;
        }
        buf_add(&p->kept, (struct str){chunk, (size_t)n});
        if (cancel_requested()) /* it may write for ever */
            return true;
    }
}

/* Its number stays taken until end_group, which needs it. */
static bool look_ended(const struct process *p)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == p->pid;
}

/* End the whole group: first ask, then do not. What the builder left behind goes, too. */
static void end_group(struct process *p, bool ask)
{
    int64_t end = clock_mono_ms() + LEAVE_MS;
    if (ask && kill(-p->pid, SIGTERM) == 0)
        while (!look_ended(p) && clock_mono_ms() < end)
            usleep(5000);
    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
        ;
    close(p->output);
}

static void add_last_lines(const struct process *p, struct err *err)
{
    struct str rest = str_trim(buf_str(&p->kept)), lines[LINES_SHOWN], line;
    size_t n = 0;
    while (rest.n && str_cut(&rest, '\n', &line)) {
        if (str_trim(line).n)
            lines[n++ % LINES_SHOWN] = str_sub(str_trim(line), 0, LINE_SHOWN);
    }
    for (size_t i = n > LINES_SHOWN ? n - LINES_SHOWN : 0; i < n; i++)
        err_note(err, (struct pos){0}, "%.*s", STR_ARG(lines[i % LINES_SHOWN]));
}

static int failed(const struct process *p, struct err *err)
{
    if (WIFSIGNALED(p->status))
        err_set(err, ERR_CONFIG, "it was ended by signal %d", WTERMSIG(p->status));
    else
        err_set(err, ERR_CONFIG, "it ended with exit code %d", WEXITSTATUS(p->status));
    add_last_lines(p, err);
    return -1;
}

int process_group_run(struct arena *a, const struct command_line *c, struct str *ret_output,
                      struct err *err)
{
    struct process p = {.kept = BUF(a)};
    if (cancel_requested())
        return err_set(err, ERR_CANCELLED, "stopped before it was built");
    if (start(a, c, &p, err) < 0)
        return -1;
    int64_t end = c->limit_ms ? clock_mono_ms() + c->limit_ms : INT64_MAX;
    for (bool more = true;;) {
        struct pollfd look = {p.output, POLLIN, 0};
        if (more)
            poll(&look, 1, LOOK_MS);
        else
            usleep(5000);
        more = more && read_output(&p);
        /* what it left running may hold its output open */
        if (look_ended(&p)) {
            read_output(&p);
            break;
        }
        bool cancelled = cancel_requested();
        if (!cancelled && clock_mono_ms() < end)
            continue;
        end_group(&p, true);
        if (cancelled)
            return err_set(err, ERR_CANCELLED, "stopped while it was built");
        err_set(err, ERR_CONFIG, "it has taken more than %.*s", STR_ARG(c->limit));
        add_last_lines(&p, err);
        return -1;
    }
    end_group(&p, false);
    if (!WIFEXITED(p.status) || WEXITSTATUS(p.status) != 0)
        return failed(&p, err);
    *ret_output = buf_str(&p.kept);
    return 0;
}
