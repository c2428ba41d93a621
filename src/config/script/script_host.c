/* The node process that runs a service's scripts; see script.h. */
#include "config/script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "doc/json.h"

enum {
    LIMIT_MS = 5 * 60 * 1000,
    MESSAGE_BYTES_MAX = 64 * 1024 * 1024,
    LOOK_MS = 100,  /* how often the wish to stop is looked at */
    LEAVE_MS = 2000 /* that node may take to end */
};

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* main() ignores SIGPIPE */
#endif

extern char **environ;
extern const char script_driver[]; /* driver.js */

struct script_host {
    struct arena *arena;
    struct str dir;
    const struct node *argv, *options;
    pid_t pid; /* 0: node does not run */
    int fd;
    struct buf in;
    int64_t limit_ms;
};

struct script_host *script_host_new(struct arena *a, struct str dir, const struct node *argv,
                                    const struct node *options)
{
    const char *limit = getenv("TROUPE_SCRIPT_LIMIT");
    struct script_host *host = ARENA_NEW(a, struct script_host);
    *host = (struct script_host){
        .arena = a, .dir = dir, .argv = argv, .options = options, .limit_ms = LIMIT_MS};
    if (limit)
        duration_parse(str_c(limit), &host->limit_ms);
    return host;
}

/* ---- start and end ---- */

static int spawn_node(int end, pid_t *ret)
{
    char *argv[] = {"node", "--input-type=commonjs", "-e", (char *)(uintptr_t)script_driver, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, end, STDERR_FILENO + 1);
    spawn_own_group(&attributes);
    int failed = posix_spawnp(ret, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int start(struct script_host *host, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, errno, "cannot run node");
    /* not 3 itself, which would then be closed again */
    int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 2);
    int failed = theirs < 0 ? errno : spawn_node(theirs, &host->pid);
    close(ends[1]);
    if (theirs >= 0)
        close(theirs);
    if (failed) {
        close(ends[0]);
        host->pid = 0;
        return err_sys(err, failed, "cannot run node");
    }
    host->fd = ends[0];
    host->in = BUF(host->arena);
    return 0;
}

/* How node has ended. */
static int ended(struct script_host *host, struct err *err)
{
    int status = 0;
    pid_t pid = host->pid;
    close(host->fd);
    host->pid = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        return err_set(err, ERR_CONFIG, "node was ended by signal %d", WTERMSIG(status));
    return err_set(err, ERR_CONFIG, "node has ended, with exit code %d", WEXITSTATUS(status));
}

static void kill_node(struct script_host *host)
{
    cleanup_err struct err ignored = {0};
    kill(-host->pid, SIGKILL);
    ended(host, &ignored);
}

void script_close(struct script_host *host)
{
    if (!host || !host->pid)
        return;
    shutdown(host->fd, SHUT_WR);
    for (int64_t end = clock_mono_ms() + LEAVE_MS; clock_mono_ms() < end;) {
        pid_t done = waitpid(host->pid, NULL, WNOHANG);
        if (done != 0 && !(done < 0 && errno == EINTR)) {
            close(host->fd);
            host->pid = 0;
            return;
        }
        usleep(2000);
    }
    kill_node(host);
}

/* ---- messages ---- */

/* Wait until the socket is ready for `events`. */
static int wait_for(struct script_host *host, short events, int64_t end, struct err *err)
{
    for (;;) {
        struct pollfd p = {host->fd, events, 0};
        int ready = poll(&p, 1, LOOK_MS);
        if (cancel_requested()) {
            kill_node(host);
            return err_set(err, ERR_CANCELLED, "stopped while scripts of the service ran");
        }
        if (ready > 0)
            return 0;
        if (clock_mono_ms() > end) {
            kill_node(host);
            err_set(err, ERR_CONFIG, "it has taken more than %lld seconds",
                    (long long)host->limit_ms / 1000);
            return err_help(err, "where that is right, allow more: TROUPE_SCRIPT_LIMIT=30m");
        }
    }
}

static int send_all(struct script_host *host, struct str text, struct err *err)
{
    int64_t end = clock_mono_ms() + host->limit_ms;
    while (text.n) {
        ssize_t n = send(host->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return ended(host, err);
        text = str_sub(text, n < 0 ? 0 : (size_t)n, text.n);
        if (text.n && wait_for(host, POLLOUT, end, err) < 0)
            return -1;
    }
    return 0;
}

static int send_node(struct script_host *host, const struct node *message, struct err *err)
{
    struct buf b = BUF(host->arena);
    json_write(&b, message, 0);
    buf_char(&b, '\n');
    return send_all(host, buf_str(&b), err);
}

int script_send(struct script_host *host, const struct node *message, struct err *err)
{
    if (host->pid)
        return send_node(host, message, err);
    struct node *first = node_map(host->arena), *start_of = node_map(host->arena);
    node_put_str(host->arena, start_of, "dir", host->dir);
    node_put_c(host->arena, start_of, "argv", host->argv);
    node_put_c(host->arena, start_of, "options", host->options);
    node_put_c(host->arena, first, "start", start_of);
    return start(host, err) < 0 || send_node(host, first, err) < 0 ? -1
                                                                   : send_node(host, message, err);
}

/* Take the first line of what has come. */
static bool take_line(struct script_host *host, size_t from, struct str *ret)
{
    struct str all = buf_str(&host->in);
    ptrdiff_t end = host->in.n ? str_find_char(all, '\n', from) : -1;
    if (end < 0)
        return false;
    *ret = str_dup(host->arena, str_sub(all, 0, (size_t)end));
    memmove(host->in.p, host->in.p + end + 1, host->in.n - (size_t)end - 1);
    host->in.n -= (size_t)end + 1;
    return true;
}

int script_receive(struct script_host *host, const struct node **ret, struct err *err)
{
    int64_t end = clock_mono_ms() + host->limit_ms;
    struct str line;
    char chunk[65536];
    for (size_t seen = 0; !take_line(host, seen, &line);) {
        seen = host->in.n;
        if (wait_for(host, POLLIN, end, err) < 0)
            return -1;
        ssize_t n = read(host->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ended(host, err);
        if (host->in.n + (size_t)n > MESSAGE_BYTES_MAX) {
            kill_node(host);
            return err_set(err, ERR_CONFIG, "it gives more than %d MiB", MESSAGE_BYTES_MAX >> 20);
        }
        buf_add(&host->in, (struct str){chunk, (size_t)n});
    }
    *ret = json_parse(host->arena, STR("node's answer"), line, err);
    return *ret ? 0 : -1;
}
