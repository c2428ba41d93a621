/* The command line: options, commands, and what commands share. Only this folder prints and exits.
 *
 * To add a command: write cmd_<name>.c with a `const struct command`, add its name to COMMANDS
 * below, and to the options that it has (options.c). Help and `troupe help NAME` come from the
 * rows; tests/unit/cli walks the tables. */
#ifndef TROUPE_CLI_H
#define TROUPE_CLI_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "release/release.h"
#include "ui/progress.h"

enum { ARGS_MAX = 8 };

/* What was typed. */
struct options {
    struct str stage, region, profile, config, function, package_dir, packaged, data, path, format;
    struct str key; /* --path of print */
    struct str to;  /* --to: the number of a deployment, or STAGE[#N] */
    struct str dialect, verify, unused_for, since, filter;
    struct map given;  /* `opt:`: long name -> struct str * */
    struct map params; /* --param */
    bool yes, json, json_progress, quiet, verbose, debug_http, local, plan, service, purge, logs;
    bool all, promote, abort, no_shift, tail, with_secrets, no_cache;
    bool strict, lenient, persist, exact, detailed_exitcode, help, version;
    int64_t jobs, timeout_s, limit, weight;
    struct str args[ARGS_MAX]; /* behind the command */
    size_t arg_count;
};

/* What `troupe migrate` collects instead of telling it. */
struct migration_note {
    struct pos pos;
    struct str text, help;
    struct str plugin; /* of a plugin: its name; empty: a warning */
    enum plugin_answer answer;
};
struct migration_notes {
    VEC(struct migration_note) all;
};

struct cli {
    struct arena *arena;
    struct migration_notes *notes; /* NULL: warnings are told at once */
    struct options options;
    struct buf out; /* stdout, written at the end */
    bool colour_out, colour_err;
    bool tty_in;
    bool only_compiles; /* the command sends nothing to AWS: set before the service is loaded */
    struct progress *progress;
    struct observer observer;
    struct aws *aws;
    struct aws *home;   /* when the stage is in another region than its service, else NULL */
    struct map clients; /* for other regions: name -> struct aws * */
    const struct node *profile;         /* of provider.profile; NULL: none */
    struct str endpoint;                /* of the local cloud, or empty */
    struct str local_key, local_secret; /* keys that the local cloud's calls are signed with */
};

enum { EXAMPLES_MAX = 3 };

struct command {
    const char *name;
    const char *arguments;              /* "[STAGE]" */
    const char *summary;                /* one line, lower case */
    const char *details;                /* a paragraph of help, or NULL */
    const char *examples[EXAMPLES_MAX]; /* whole command lines */
    size_t args_max;
    bool drastic; /* deletes, or moves what is served: never suggested for a mistyped command */
    /* Returns the exit code when it is not what follows from err: 0 for success. -1: see err. */
    int (*run)(struct cli *cli, struct err *err);
};

/* Every command, in the order of the help. */
#define COMMANDS(X) \
    X(deploy)       \
    X(plan)         \
    X(rollback)     \
    X(reset)        \
    X(clone)        \
    X(shift)        \
    X(migrate)      \
    X(adopt)        \
    X(repair)       \
    X(unlock)       \
    X(remove)       \
    X(prune)        \
    X(stages)       \
    X(history)      \
    X(diff)         \
    X(info)         \
    X(invoke)       \
    X(logs)         \
    X(package)      \
    X(print)        \
    X(explain)      \
    X(validate)     \
    X(iam)          \
    X(local)        \
    X(version)      \
    X(help)
#define COMMAND_DECLARE(name) extern const struct command cmd_##name;
COMMANDS(COMMAND_DECLARE)
#define COMMAND_NUMBER(name) COMMAND_##name,
enum command_number { COMMANDS(COMMAND_NUMBER) COMMAND_COUNT };
extern const struct command *const commands[]; /* by number; ends with NULL */

/* COMMAND_COUNT: there is none. */
enum command_number command_find(struct str name);
/* Nearest name for "did you mean", or NULL; never that of a drastic command. */
const struct command *command_nearest(struct str name);

/* Parse argv[1…], and check it against the command's row. `*ret_command` is NULL when none was
 * typed. USAGE: an unknown command or option, an option of other commands, something empty, a
 * missing value, too many of something, words of the Serverless Framework (serverless.c). */
int options_parse(struct arena *a, int argc, char **argv, struct options *ret,
                  const struct command **ret_command, struct err *err);
/* What was typed of the options that `command` has, each as one word, without --all and --config:
 * for a process that does a part of the work. */
const struct str *options_typed(struct arena *a, const struct options *o,
                                enum command_number command, size_t *ret_n);
/* The options of a command as help text; COMMAND_COUNT: those that nearly all have. */
void options_help(struct buf *out, enum command_number command);

/* ---- what the Serverless Framework calls otherwise (serverless.c) ---- */

/* What "deploy list functions" is here, as advice; NULL: no command of that framework is, or begins
 * with, these words. `*ret_words` is the part that is one. */
const char *serverless_command(struct arena *a, struct str command, const struct str *args,
                               size_t n, const char **ret_words);
/* The same for an option of `command`: a long name, or a letter. */
const char *serverless_option(enum command_number command, struct str name);

/* ---- exit codes (exit.c) ---- */

int exit_code(enum err_kind kind);
/* The table of them as help text. */
void exit_codes_help(struct buf *out);

/* ---- what commands share (context.c) ---- */

enum stage_use {
    STAGE_OPTIONAL, /* none named: the service alone */
    STAGE_DEFAULT,  /* none named: dev, as package, print and validate have it */
    STAGE_REQUIRED,
    STAGE_NONE, /* the service alone, whatever stage is named */
};

/* Is the stage in custom.troupe.protect? */
bool context_is_protected(const struct service *service);

/* Load the service for the stage in args[`stage_arg`] (SIZE_MAX: none), --stage, or provider.stage;
 * "STAGE@REGION" is short for --region. */
int context_service(struct cli *cli, size_t stage_arg, enum stage_use use, struct service *ret,
                    struct err *err);
/* Package, compile and lay out. `*ret` lives in the cli's arena. */
/* What functions' images are now, as compile_options.images wants it; NULL: none is to be asked
 * for. Those that are built from a folder are built and pushed, unless `look_only`; for the whole
 * service, or (`flat`) as the dialect's reference names them. Signs in, if there are any. */
int context_images(struct cli *cli, const struct service *service, bool flat, bool look_only,
                   const struct node **ret, struct err *err);
/* Run the builds that the service needs; `pack` gets what they made. */
int context_build(struct cli *cli, const struct service *service, struct pack_options *pack,
                  struct err *err);
/* Build, package, compile and lay out; `unbuilt`: where there are builds only check them, and
 * package nothing. `*ret` lives in the cli's arena. */
int context_target(struct cli *cli, const struct service *service, const struct node *images,
                   bool unbuilt, struct target *ret, struct err *err);
/* A client for `region`, or for the local cloud. `profile` is the text of provider.profile; NULL:
 * none. The caller frees it. */
struct aws *context_client(struct cli *cli, struct str region, const struct node *profile,
                           struct err *err);
/* Refuse AWS_<STAGE>_PROFILE and AWS_<STAGE>_ACCESS_KEY_ID. The Serverless Framework reads them,
 * and troupe does not: an account that is not the one meant would be worse than an error. CONFIG.
 */
int context_check_variables(const struct cli *cli, struct str stage, struct err *err);
/* Values of variables that only AWS knows (remote.c). */
const struct remote_values *remote_values(struct cli *cli);
/* A client for the service's region, or for the local cloud. */
int context_aws(struct cli *cli, const struct service *service, struct err *err);
/* Release all clients. */
void context_free(struct cli *cli);
struct release context_release(struct cli *cli, const struct service *service);
/* All three at once, for commands that make nothing of the service's files: they load `part` of the
 * service, so that a value or a script that only a deployment needs is not asked for. */
int context_open(struct cli *cli, size_t stage_arg, enum stage_use use, enum load_part part,
                 struct release *ret, struct err *err);
/* A function of a stage as it was deployed. */
struct deployed_function {
    struct str key, name; /* name: FunctionName */
    bool per_stage;
};
/* "COMMAND [STAGE] FUNCTION" or --function: load the service into `service`, make the client, and
 * find the function in the stage's current deployment, whatever serverless.yml says now. NOT_FOUND
 * when the stage has none of that name. `command` is for the help. */
int context_function(struct cli *cli, const char *command, struct service *service,
                     struct deployed_function *ret, struct err *err);
/* Plan, ask where data would be lost (and, `guarded`, where the stage is protected), apply, show
 * what came of it. `doing` is for the question: "deploying". With --plan show what would be done;
 * the exit code is 0, or with --detailed-exitcode 2 when there are changes. */
int context_reach(struct cli *cli, struct release *r, const struct goal *goal, struct str doing,
                  bool guarded, struct err *err);
/* The same, but the caller has asked the question already. */
int context_apply(struct cli *cli, struct release *r, const struct goal *goal, confirm_fn *ask,
                  void *context, struct err *err);
/* A stage that `plan` would make: REFUSED when serverless.yml does not allow it, or when its name
 * is nearly that of another and nobody confirms it. With --plan it only warns of the latter. */
int context_new_stage(struct cli *cli, const struct release *r, const struct plan *plan,
                      struct err *err);
/* Does `name` look like a mistake for `other`? Names that differ by digits only never do. */
bool stage_is_nearly(struct arena *a, struct str name, struct str other);
/* Order of stages as people count: pr-2 before pr-10. */
int stage_compare(struct str a, struct str b);
/* Prune what the command made superfluous, when that is worth it. Never fails: it warns. */
void context_prune(struct cli *cli, const struct release *r, struct world *world);
/* How deploy and reset move functions: custom.troupe.shift, --verify, --no-shift. NULL: at once. */
const struct shifting *context_shifting(struct cli *cli, const struct service *service);
/* "git 1a2b3c4, modified" of the files in `dir`, or empty; for what is recorded. Runs git. */
struct str context_source_revision(struct arena *a, struct str dir);
/* Ask for `word`, or "yes"; REFUSED off a terminal or when something else is typed. */
int context_confirm(struct cli *cli, const char *question, struct str word, struct err *err);
/* context_warn as callback of config and pack; `context` is the cli. */
void context_warning(void *context, struct pos pos, struct str msg, struct str help);
/* A warning on stderr. */
void context_warn(struct cli *cli, struct pos pos, struct str msg, struct str help);

/* Output as it goes to `fd` (stdout, stderr): what would drive a terminal is made visible when it
 * is one; a pipe or a file gets every byte. */
struct str context_shown(struct arena *a, const struct cli *cli, struct str text, int fd);

/* Addresses of the stage's APIs: a map with those of "rest", "http" and "websocket" that it has. */
const struct node *context_urls(const struct cli *cli, const struct stack *stage);
/* Writes them to the output, one per line. */
void context_show_urls(struct cli *cli, const struct node *urls);

#endif
