/* Where the local cloud's files are, and what is remembered between commands. */
#include "local/local_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "doc/json.h"

enum { STATE_BYTES_MAX = 65536, STATE_FORMAT = 1, TAIL_LINES = 12 };

/* The folder of the running program, from the kernel; empty where there is no /proc. */
static struct str program_dir(struct arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || n == (ssize_t)sizeof path)
        return STR("");
    return path_dir(a, (struct str){path, (size_t)n});
}

static struct str find_package(struct arena *a)
{
    const char *given = getenv("TROUPE_LOCALCLOUD_DIR");
    if (given && *given)
        return path_absolute(a, str_c(given));
    /* in the build tree; where it is installed */
    static const char *const places[] = {"../localcloud", "../share/troupe/localcloud"};
    struct str program = program_dir(a);
    for (size_t i = 0; program.n && i < sizeof places / sizeof *places; i++) {
        struct str dir = path_clean(a, path_join(a, program, str_c(places[i])));
        if (fs_is_file(path_join(a, dir, STR("requirements.txt"))))
            return dir;
    }
    return STR("");
}

struct local_paths local_paths(struct arena *a)
{
    const char *given = getenv("TROUPE_LOCAL_DIR");
    struct str dir = given && *given ? path_absolute(a, str_c(given))
                                     : path_join(a, path_cache(a), STR("local"));
    return (struct local_paths){.dir = dir,
                                .state = path_join(a, dir, STR("state.json")),
                                .log = path_join(a, dir, STR("log")),
                                .lock = path_join(a, dir, STR("lock")),
                                .scratch = path_join(a, dir, STR("tmp")),
                                .data = path_join(a, dir, STR("data")),
                                .package = find_package(a)};
}

struct local_state state_read(struct arena *a, const struct local_paths *paths)
{
    struct local_state state = {0};
    cleanup_err struct err err = {0};
    struct str text;
    if (fs_read(a, paths->state, STATE_BYTES_MAX, &text, &err) < 0)
        return state;
    const struct node *n = json_parse(a, paths->state, text, &err);
    if (node_int_or(node_get_c(n, "format"), 0) != STATE_FORMAT)
        return state;
    state.pid = (long)node_int_or(node_get_c(n, "pid"), 0);
    state.process_start = node_text(node_get_c(n, "processStart"));
    state.port = (int)node_int_or(node_get_c(n, "port"), 0);
    state.persist = node_bool_or(node_get_c(n, "persist"), false);
    state.secret = node_text(node_get_c(n, "secret"));
    state.since_ms = node_int_or(node_get_c(n, "sinceMs"), 0);
    return state;
}

int state_write(const struct local_paths *paths, const struct local_state *state, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct node *n = node_map(a);
    node_put_c(a, n, "format", node_int(a, STATE_FORMAT));
    node_put_c(a, n, "pid", node_int(a, state->pid));
    node_put_str(a, n, "processStart", state->process_start);
    node_put_c(a, n, "port", node_int(a, state->port));
    node_put_c(a, n, "persist", node_bool(a, state->persist));
    node_put_str(a, n, "secret", state->secret);
    node_put_c(a, n, "sinceMs", node_int(a, state->since_ms));
    return fs_write(paths->state, json_text(a, n, 2), 0600, err);
}

int lock_wait(struct str path, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    int fd = open(str_z(a, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, errno, "cannot open '%.*s'", STR_ARG(path));
    while (flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR && !cancel_requested())
            continue;
        int error = errno;
        close(fd);
        return err_sys(err, error, "cannot lock '%.*s'", STR_ARG(path));
    }
    return fd;
}

void note_tail(struct err *err, struct str text)
{
    text = str_trim(text);
    size_t start = text.n;
    for (size_t lines = 0; start > 0; start--)
        if (text.p[start - 1] == '\n' && ++lines == TAIL_LINES)
            break;
    struct str rest = str_sub(text, start, text.n), line;
    while (str_cut(&rest, '\n', &line))
        if (str_trim(line).n)
            err_note(err, (struct pos){0}, "%.*s", STR_ARG(line));
}
