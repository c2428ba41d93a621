/* help and version. */
#include "cli/cli.h"

static int run_version(struct cli *cli, struct err *err)
{
    (void)err;
    buf_fmt(&cli->out, cli->options.json ? "{\"version\": \"%s\"}\n" : "troupe %s\n",
            TROUPE_VERSION);
    return 0;
}

const struct command cmd_version = {.name = "version",
                                    .arguments = "",
                                    .summary = "the version",
                                    .examples = {"troupe version", "troupe version --json"},
                                    .args_max = 0,
                                    .run = run_version};

static void help_all(struct buf *out)
{
    buf_lit(out, "troupe deploys AWS Lambda services whose stages behave like git branches\n\n"
                 "usage: troupe COMMAND [ARGUMENTS] [OPTIONS]\n\ncommands\n");
    for (size_t i = 0; commands[i]; i++) {
        struct buf left = BUF(out->arena);
        buf_fmt(&left, "  %s %s", commands[i]->name, commands[i]->arguments);
        buf_fmt(out, "%-28s %s\n", buf_str(&left).p, commands[i]->summary);
    }
    buf_lit(out, "\noptions that nearly all commands have; the others: troupe help COMMAND\n");
    options_help(out, COMMAND_COUNT);
    buf_lit(out, "\nexit codes\n");
    exit_codes_help(out);
}

static size_t characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* A paragraph, in lines that every terminal has. */
static void put_wrapped(struct buf *out, struct str text)
{
    enum { WIDTH = 80 };
    struct str word;
    size_t column = WIDTH;
    while (str_cut(&text, ' ', &word)) {
        size_t n = characters(word);
        bool fits = column + 1 + n <= WIDTH;
        buf_char(out, fits ? ' ' : '\n');
        buf_add(out, word);
        column = fits ? column + 1 + n : n;
    }
    buf_char(out, '\n');
}

static int run_help(struct cli *cli, struct err *err)
{
    struct buf *out = &cli->out;
    if (!cli->options.arg_count) {
        help_all(out);
        return 0;
    }
    enum command_number number = command_find(cli->options.args[0]);
    const struct command *c = commands[number];
    if (!c) {
        err_set(err, ERR_USAGE, "unknown command '%.*s'", STR_ARG(cli->options.args[0]));
        return err_help(err, "all commands: troupe help");
    }
    buf_fmt(out, "troupe %s%s%s\n\n%s\n", c->name, *c->arguments ? " " : "", c->arguments,
            c->summary);
    if (c->details)
        put_wrapped(out, str_c(c->details));
    buf_lit(out, "\nexamples\n");
    for (size_t i = 0; i < EXAMPLES_MAX && c->examples[i]; i++)
        buf_fmt(out, "  %s\n", c->examples[i]);
    buf_lit(out, "\noptions\n");
    options_help(out, number);
    return 0;
}

const struct command cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "this text, or more about a command",
    .examples = {"troupe help", "troupe help deploy", "troupe help remove"},
    .args_max = ARGS_MAX, /* "help deploy dev": of deploy */
    .run = run_help};
