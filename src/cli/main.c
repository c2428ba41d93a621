/* Entry point: parse, dispatch, turn errors into messages and exit codes. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* The first signal asks for a safe stop, the second stops at once. A second SIGHUP does not: a
 * terminal that closes sends one, and so does its shell. */
static void on_signal(int number)
{
    if (cancel_requested() && number != SIGHUP)
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
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* a write past the limit then fails, and the caller removes what it began */
    signal(SIGXFSZ, SIG_IGN);
}

/* Check what every command relies on: that its folder exists, and that others cannot write what it
 * makes. */
static int check_surroundings(struct err *err)
{
    umask(umask(0) | S_IWOTH);
    char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return err_sys(err, errno, "cannot tell the current directory");
    free(cwd);
    return 0;
}

/* Open the standard files that are closed. Otherwise the next file or connection would get such a
 * number, and be read and written as if it were the terminal. */
static void open_standard_files(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd > STDERR_FILENO)
        close(fd);
}

static int dispatch(struct cli *cli, const struct command *command, struct err *err)
{
    const struct options *o = &cli->options;
    if (o->version)
        return cmd_version.run(cli, err);
    if (command && !o->help)
        return command->run(cli, err);
    if (command)
        cli->options.args[cli->options.arg_count++] = str_c(command->name);
    return cmd_help.run(cli, err);
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
    const struct command *command;
    if (options_parse(cli->arena, argc, argv, &cli->options, &command, err) < 0)
        return -1;
    struct progress_look look = {.mode = progress_mode_of(&cli->options),
                                 .colour = cli->colour_err,
                                 .verbose = cli->options.verbose,
                                 .width = terminal_width()};
    cli->progress = progress_new(stderr, &look, clock_mono_ms);
    cli->observer = progress_observer(cli->progress);
    return dispatch(cli, command, err);
}

int main(int argc, char **argv)
{
    open_standard_files();
    struct arena *a = arena_new();
    struct err err = {0};
    struct cli cli = {.arena = a,
                      .out = BUF(a),
                      .colour_out = wants_colour(STDOUT_FILENO),
                      .colour_err = wants_colour(STDERR_FILENO),
                      .tty_in = isatty(STDIN_FILENO)};
    start_signals();
    int code = check_surroundings(&err) < 0 ? -1 : run(&cli, argc, argv, &err);
    progress_free(cli.progress);
    int written = write_out(&cli);
    if (code < 0) {
        struct str text = err_render(a, &err, cli.colour_err);
        fwrite(text.p, 1, text.n, stderr);
        code = cli.options.detailed_exitcode ? 1 : exit_code(err.kind);
    }
    context_free(&cli);
    err_clear(&err);
    arena_free(a);
    return code ? code : written;
}
