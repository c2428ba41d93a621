/* credential_process: a command of the user's that prints credentials as JSON. It is run without a
 * shell; its error output and terminal are the user's, as it may ask for something. */
#include "aws/client/aws_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "doc/json.h"
#include "aws/credentials/ini.h"

enum { OUTPUT_BYTES_MAX = 1024 * 1024 };

extern char **environ;

static int start(char *const *argv, int *ret_fd, pid_t *ret_pid, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot run credential_process");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failed = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *ret_fd = ends[0];
    if (failed) {
        close(ends[0]);
        return err_set(err, ERR_DENIED, "cannot run credential_process '%s': %s", argv[0],
                       strerror(failed));
    }
    return 0;
}

static int read_all(struct arena *a, int fd, struct str *ret)
{
    struct buf b = BUF(a);
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || b.n + (size_t)n > OUTPUT_BYTES_MAX)
            return -1;
        buf_add(&b, (struct str){chunk, (size_t)n});
    }
    *ret = buf_str(&b);
    return 0;
}

static int run(struct arena *a, char *const *argv, struct str *ret, struct err *err)
{
    cleanup_fd int fd = -1;
    pid_t pid;
    int status = 0;
    if (start(argv, &fd, &pid, err) < 0)
        return -1;
    int done = read_all(a, fd, ret);
    fd_cleanup(&fd); /* the command gets SIGPIPE if it goes on writing */
    fd = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (done < 0)
        return err_set(err, ERR_DENIED, "credential_process '%s' printed too much", argv[0]);
    if (WIFSIGNALED(status))
        return err_set(err, ERR_DENIED, "credential_process '%s' was ended by signal %d", argv[0],
                       WTERMSIG(status));
    if (WEXITSTATUS(status))
        return err_set(err, ERR_DENIED, "credential_process '%s' ended with status %d", argv[0],
                       WEXITSTATUS(status));
    return 0;
}

static int check_version(struct arena *a, struct str text, struct err *err)
{
    struct err ignored cleanup_err = {0};
    const struct node *n = json_parse(a, STR("credentials"), text, &ignored);
    if (n && node_int_or(node_get_c(n, "Version"), 0) != 1)
        return err_set(err, ERR_DENIED, "credential_process gave no \"Version\": 1");
    return 0; /* the caller reports an answer that is no JSON */
}

int credentials_process(struct credential_search *search, struct credentials *ret, struct err *err)
{
    struct arena *a = search->arena;
    struct str command =
        text_of(profile_config(search->settings, search->profile), "credential_process");
    if (!command.n) /* botocore looks in both files, too */
        command =
            text_of(profile_credentials(search->settings, search->profile), "credential_process");
    if (!command.n)
        return 0;
    struct str *words, text;
    size_t n;
    if (!words_split(a, command, &words, &n) || !n)
        return err_set(err, ERR_DENIED, "credential_process of AWS profile '%.*s' is no command",
                       STR_ARG(search->profile));
    char **argv = ARENA_ARRAY(a, n + 1, char *);
    for (size_t i = 0; i < n; i++)
        argv[i] = str_z(a, words[i]);
    if (run(a, argv, &text, err) < 0 || check_version(a, text, err) < 0)
        return err_wrap(err, "AWS profile '%.*s'", STR_ARG(search->profile));
    return credentials_from_json(a, text, "credential_process", ret, err);
}
