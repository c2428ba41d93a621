/* --all: a command for every service of serverless-compose.yml. */
#ifndef TROUPE_ALL_H
#define TROUPE_ALL_H

#include "cli/cli.h"

enum all_order {
    ALL_NEEDED_FIRST,  /* with the outputs of the services before; deploy, plan */
    ALL_NEEDED_LAST,   /* remove */
    ALL_INDEPENDENTLY, /* each for itself; info, stages */
};

/* What came of one service. */
struct all_result {
    struct str name;
    struct str out;     /* its stdout */
    const char *reason; /* why it was not run; NULL: it was */
    struct str cause;   /* the service that is the reason */
    int code;           /* exit code */
};

/* Run the command that was typed for every service, each in a process of its own, in its folder,
 * with the options that were typed; `further`, NULL-terminated, are added. Services that do not
 * need each other run at the same time, --jobs of them. Where one fails, those that need it are
 * not run and the others are. What they write to stderr is passed on with the service's name in
 * front. CONFIG as compose_load. */
int all_run(struct cli *cli, const struct command *command, enum all_order order,
            const char *const *further, struct all_result **ret, size_t *ret_n, struct err *err);

/* Run it, show what each wrote and what became of each; the exit code is that of the first that
 * failed. */
int all_command(struct cli *cli, const struct command *command, enum all_order order,
                struct err *err);

#endif
