/* Running the user's command that judges a step of a shift. */
#include "release/deploy/verify.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"

extern char **environ;

/* Ours instead of what has these names already. */
static char **environment(struct arena *a, const struct verification *v)
{
    const struct {
        const char *name;
        struct str value;
    } ours[] = {
        {"TROUPE_SERVICE", v->service},
        {"TROUPE_STAGE", v->stage},
        {"TROUPE_REGION", v->region},
        {"TROUPE_DEPLOYMENT", str_fmt(a, "%lld", (long long)v->deployment)},
        {"TROUPE_WEIGHT", str_fmt(a, "%u", v->percent)},
    };
    enum { OURS = sizeof ours / sizeof *ours };
    VEC(char *) all = {0};
    for (char **e = environ; *e; e++) {
        struct str rest = str_c(*e), name;
        bool is_ours = false;
        str_cut(&rest, '=', &name);
        for (size_t i = 0; i < OURS; i++)
            is_ours |= str_eq(name, str_c(ours[i].name));
        if (!is_ours)
            vec_push(a, &all, *e);
    }
    for (size_t i = 0; i < OURS; i++)
        vec_push(a, &all, str_z(a, str_fmt(a, "%s=%.*s", ours[i].name, STR_ARG(ours[i].value))));
    vec_push(a, &all, NULL);
    return all.p;
}

static int start(struct arena *a, const struct verification *v, pid_t *ret, struct err *err)
{
    char *argv[] = {"/bin/sh", "-c", str_z(a, v->command), NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int failed = posix_spawn(ret, argv[0], &actions, NULL, argv, environment(a, v));
    posix_spawn_file_actions_destroy(&actions);
    return failed ? err_set(err, ERR_FAILED, "cannot run '%.*s': %s", STR_ARG(v->command),
                            strerror(failed))
                  : 0;
}

int verify_run(struct arena *a, const struct verification *v, struct err *err)
{
    pid_t pid;
    int status;
    bool told = false;
    if (start(a, v, &pid, err) < 0)
        return -1;
    for (pid_t done; (done = waitpid(pid, &status, WNOHANG)) != pid;) {
        if (done < 0)
            return err_set(err, ERR_FAILED, "cannot wait for '%.*s': %s", STR_ARG(v->command),
                           strerror(errno));
        if (clock_sleep_ms(20) < 0) {
            if (!told)
                kill(pid, SIGTERM);
            told = true;
            usleep(20000); /* sleeping is over at once now */
        }
    }
    if (told)
        return err_set(err, ERR_CANCELLED, "stopped while verifying");
    if (WIFSIGNALED(status))
        return err_set(err, ERR_FAILED, "verification '%.*s' was killed by signal %d",
                       STR_ARG(v->command), WTERMSIG(status));
    if (WEXITSTATUS(status))
        return err_set(err, ERR_FAILED, "verification '%.*s' failed: exit %d", STR_ARG(v->command),
                       WEXITSTATUS(status));
    return 0;
}
