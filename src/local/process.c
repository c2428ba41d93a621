/* Processes: one that outlives this program, and ones whose output is read. */
#include "local/local_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"

enum { POLL_MS = 20 };

/* What the detached process tells through a pipe: its number, then an errno if it could not run. */
struct report {
    long pid;
    int error;
};

/* exec takes its lists without const for old programs' sake, and changes nothing in them. Source:
 * POSIX, exec, "Rationale". */
static char *const *exec_list(const char *const *words)
{
    return (char *const *)(uintptr_t)words;
}

/* Become the program `argv`, in the child. Behind a fork of a program with threads only some calls
 * are safe; no others are used. */
static _Noreturn void become(const char *const *argv, const char *const *env, const char *dir,
                             int log, int report_fd)
{
    struct report report = {.pid = (long)getpid()};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ready = null >= 0 && dup2(null, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0 &&
                 chdir(dir) == 0 &&
                 write(report_fd, &report.pid, sizeof report.pid) == (ssize_t)sizeof report.pid;
    if (ready)
        execve(argv[0], exec_list(argv), exec_list(env));
    int error = errno;
    ssize_t told = write(report_fd, &error, sizeof error);
    _exit(told == (ssize_t)sizeof error ? 127 : 126);
}

/* Restore default signals: those that this program handles or blocks would reach the new one that
 * way. */
static void default_signals(void)
{
    static const int used[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        signal(used[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool read_all(int fd, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = read(fd, (char *)p + got, n - got);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        got += (size_t)k;
    }
    return true;
}

int process_start(const char *const *argv, const char *const *env, struct str dir, struct str log,
                  long *ret_pid, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const char *dir_z = str_z(a, dir);
    cleanup_fd int log_fd = open(str_z(a, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return err_sys(err, errno, "cannot write '%.*s'", STR_ARG(log));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot start '%s'", argv[0]);
    cleanup_fd int from = ends[0];
    pid_t middle = fork();
    if (middle == 0) {
        /* a second fork, so that this program need not wait for the new one, which leads its
         * session and group */
        pid_t last = fork();
        if (last == 0) {
            setsid();
            default_signals();
            become(argv, env, dir_z, log_fd, ends[1]);
        }
        _exit(last < 0);
    }
    int error = errno, status = 0;
    close(ends[1]);
    if (middle < 0)
        return err_sys(err, error, "cannot start '%s'", argv[0]);
    while (waitpid(middle, &status, 0) < 0 && errno == EINTR)
        ;
    struct report report = {0};
    bool began = read_all(from, &report.pid, sizeof report.pid);
    if (!began || read_all(from, &report.error, sizeof report.error))
        return err_sys(err, report.error ? report.error : EAGAIN, "cannot start '%s'", argv[0]);
    *ret_pid = report.pid;
    return 0;
}

/* The fields of /proc/PID/stat behind the name in parentheses, which may hold anything. */
static struct str stat_fields(struct arena *a, long pid)
{
    char text[1024];
    struct str path = str_fmt(a, "/proc/%ld/stat", pid);
    cleanup_fd int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n <= 0)
        return STR("");
    struct str all = {text, (size_t)n};
    ptrdiff_t end = str_rfind_char(all, ')');
    return str_dup(a, str_sub(all, end < 0 ? all.n : (size_t)end + 2, all.n));
}

struct str process_began(struct arena *a, long pid)
{
    enum { STATE = 0, START_TIME = 19 }; /* proc(5): fields 3 and 22 */
    if (pid <= 1 || (kill((pid_t)pid, 0) < 0 && errno != EPERM))
        return STR("");
    if (!fs_is_dir(STR("/proc/self")))
        return STR("unknown");
    struct str rest = stat_fields(a, pid), field;
    for (int i = 0; str_cut(&rest, ' ', &field); i++) {
        if (i == STATE && (str_eq(field, STR("Z")) || str_eq(field, STR("X"))))
            return STR("");
        if (i == START_TIME)
            return str_dup(a, field);
    }
    return STR("");
}

bool process_is(long pid, struct str began)
{
    cleanup_arena struct arena *a = arena_new();
    struct str now = process_began(a, pid);
    return now.n && str_eq(now, began);
}

void process_stop(long pid, struct str began, int64_t grace_ms)
{
    if (!process_is(pid, began))
        return;
    kill((pid_t)pid, SIGTERM);
    int64_t end = clock_mono_ms() + grace_ms;
    while (process_is(pid, began) && clock_mono_ms() < end)
        clock_sleep_ms(POLL_MS);
    /* processes that it started are in its group and may still run */
    kill((pid_t)-pid, SIGKILL);
    end = clock_mono_ms() + 2000;
    while (process_is(pid, began) && clock_mono_ms() < end)
        clock_sleep_ms(POLL_MS);
}

static void collect(int fd, struct buf *out)
{
    enum { CHUNK = 4096, OUTPUT_MAX = 1 << 20 };
    char chunk[CHUNK];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        if (out->n < OUTPUT_MAX)
            buf_add(out, (struct str){chunk, (size_t)n});
    }
}

/* Let the kernel end this child with the program, even when that is killed. */
static void follow(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the program has ended already */
        _exit(127);
}

int process_run(struct arena *a, const char *const *argv, const char *const *env, struct str dir,
                struct str *ret_output, struct err *err)
{
    const char *dir_z = str_z(a, dir);
    pid_t parent = getpid();
    int ends[2], failed[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot run '%s'", argv[0]);
    cleanup_fd int out = ends[0];
    if (pipe2(failed, O_CLOEXEC) < 0) {
        close(ends[1]);
        return err_sys(err, errno, "cannot run '%s'", argv[0]);
    }
    cleanup_fd int failed_out = failed[0];
    pid_t pid = fork();
    if (pid == 0) {
        default_signals();
        follow(parent);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null >= 0 && dup2(null, 0) >= 0 && dup2(ends[1], 1) >= 0 && dup2(ends[1], 2) >= 0 &&
            chdir(dir_z) == 0)
            execvpe(argv[0], exec_list(argv), exec_list(env));
        int error = errno;
        _exit(write(failed[1], &error, sizeof error) > 0 ? 127 : 126);
    }
    int error = errno, status = 0;
    close(ends[1]);
    close(failed[1]);
    if (pid < 0)
        return err_sys(err, error, "cannot run '%s'", argv[0]);
    struct buf b = BUF(a);
    collect(out, &b);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (read_all(failed_out, &error, sizeof error))
        return err_sys(err, error, "cannot run '%s'", argv[0]);
    *ret_output = buf_str(&b);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
