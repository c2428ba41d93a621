/* The program that builds and pushes images: docker, or what takes the same commands. */
#include "release/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"

extern char **environ;

static const char *const builders[] = {"docker", "podman", "buildah"};

static bool is_program(struct arena *a, struct str path)
{
    return fs_is_file(path) && access(str_z(a, path), X_OK) == 0;
}

int builder_find(struct arena *a, struct str *ret, struct err *err)
{
    const char *path = getenv("PATH");
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        struct str rest = str_c(path ? path : ""), dir;
        while (str_cut(&rest, ':', &dir))
            if (dir.n && is_program(a, path_join(a, dir, str_c(builders[i])))) {
                *ret = path_join(a, dir, str_c(builders[i]));
                return 0;
            }
    }
    err_set(err, ERR_FAILED,
            "there is nothing to build images with: no docker, podman or buildah "
            "in the PATH");
    return err_help(err, "install one of them, or build and push the image elsewhere and name its "
                         "'uri'");
}

/* Without the values of build arguments: they may be secret. */
static struct str shown(struct arena *a, const struct node *words)
{
    struct buf b = BUF(a);
    bool is_value = false;
    node_each (word, words) {
        struct str text = node_text(word);
        ptrdiff_t equals = is_value ? str_find_char(text, '=', 0) : -1;
        buf_fmt(&b, "%s%.*s%s", b.n ? " " : "",
                STR_ARG(equals < 0 ? text : str_sub(text, 0, (size_t)equals)),
                equals < 0 ? "" : "=…");
        is_value = str_eq(text, STR("--build-arg"));
    }
    return buf_str(&b);
}

static int start(struct arena *a, struct str dir, char *const *argv, int input, pid_t *ret,
                 struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, str_z(a, dir));
    int failed = posix_spawn(ret, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed ? err_set(err, ERR_FAILED, "cannot run '%s': %s", argv[0], strerror(failed)) : 0;
}

int builder_run(struct arena *a, struct str dir, const struct node *words, struct str input,
                struct err *err)
{
    cleanup_fd int fd = fs_input(input, err);
    char **argv = ARENA_ARRAY(a, words->count + 1, char *);
    pid_t pid;
    int status = 0;
    for (size_t i = 0; i < words->count; i++)
        argv[i] = str_z(a, words->items[i]->text);
    if (fd < 0 || start(a, dir, argv, fd, &pid, err) < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    err_set(err, ERR_FAILED, "%s %d",
            WIFSIGNALED(status) ? "it was ended by signal"
                                : "it ended "
                                  "with status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return err_wrap(err, "%.*s", STR_ARG(shown(a, words)));
}
