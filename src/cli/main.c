/* Entry point: parse, dispatch, turn errors into messages and exit codes. */
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

static int exit_code(enum err_kind kind)
{
    static const int codes[ERR_KIND_COUNT] = {
        [ERR_FAILED] = 1,   [ERR_USAGE] = 2,        [ERR_CONFIG] = 2,      [ERR_REFUSED] = 3,
        [ERR_LOCKED] = 4,   [ERR_HALF_DONE] = 5,    [ERR_CANCELLED] = 130, [ERR_NOT_FOUND] = 1,
        [ERR_CONFLICT] = 1, [ERR_PRECONDITION] = 1, [ERR_THROTTLED] = 1,   [ERR_DENIED] = 1,
        [ERR_NETWORK] = 1,
    };
    return codes[kind];
}

/* The first signal asks for a safe stop, the second stops at once. */
static void on_signal(int number)
{
    if (cancel_requested())
        _exit(128 + number);
    cancel_request();
}

static bool wants_colour(int fd)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static unsigned terminal_width(void)
{
    struct winsize size;
    enum { WIDTH_STANDARD = 80 };
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                                       : WIDTH_STANDARD;
}

static enum progress_mode progress_mode_of(const struct options *o)
{
    const char *term = getenv("TERM");
    if (o->json_progress)
        return PROGRESS_JSON;
    if (o->quiet)
        return PROGRESS_QUIET;
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 && !o->verbose
               ? PROGRESS_LIVE
               : PROGRESS_LINES;
}

static void start_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int dispatch(struct cli *cli, struct str name, struct err *err)
{
    const struct options *o = &cli->options;
    if (o->version)
        return cmd_version.run(cli, err);
    if (!name.n || o->help)
        return cmd_help.run(cli, err);
    const struct command *command = command_find(name);
    if (!command) {
        const struct command *near = command_nearest(name);
        err_set(err, ERR_USAGE, "unknown command '%.*s'", STR_ARG(name));
        return near ? err_help(err, "did you mean '%s'? All commands: troupe help", near->name)
                    : err_help(err, "all commands: troupe help");
    }
    if (o->arg_count > command->args_max)
        return err_set(err, ERR_USAGE, "'%s' takes %zu argument%s, '%.*s' is too many",
                       command->name, command->args_max, command->args_max == 1 ? "" : "s",
                       STR_ARG(o->args[command->args_max]));
    return command->run(cli, err);
}

static int write_out(const struct cli *cli)
{
    struct str text = context_shown(cli->arena, cli, buf_str(&cli->out), STDOUT_FILENO);
    if (fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0)
        return 0;
    perror("error: cannot write to stdout");
    return 1;
}

static int run(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct str command;
    if (options_parse(cli->arena, argc, argv, &cli->options, &command, err) < 0)
        return -1;
    if (cli->options.help && command.n && cli->options.arg_count == 0) {
        cli->options.args[cli->options.arg_count++] = command;
    }
    cli->progress = progress_new(stderr, progress_mode_of(&cli->options), cli->colour_err,
                                 cli->options.verbose, terminal_width(), clock_mono_ms);
    cli->observer = progress_observer(cli->progress);
    return dispatch(cli, command, err);
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct cli cli = {.arena = a,
                      .out = BUF(a),
                      .colour_out = wants_colour(STDOUT_FILENO),
                      .colour_err = wants_colour(STDERR_FILENO),
                      .tty_in = isatty(STDIN_FILENO)};
    start_signals();
    int code = run(&cli, argc, argv, &err);
    progress_free(cli.progress);
    int written = write_out(&cli);
    if (code < 0) {
        struct str text = err_render(a, &err, cli.colour_err);
        fwrite(text.p, 1, text.n, stderr);
        code = exit_code(err.kind);
    }
    context_free(&cli);
    err_clear(&err);
    arena_free(a);
    return code ? code : written;
}
