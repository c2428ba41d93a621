/* Golden cases as folders: a service, `args` (a command line), `env` (NAME=value lines). */
#ifndef TROUPE_TEST_CONFIG_GOLDEN_H
#define TROUPE_TEST_CONFIG_GOLDEN_H

#include "base/buf.h"
#include "check.h"
#include "config/config.h"

struct golden {
    struct arena *arena;
    struct str dir, name;
    struct map options, params;
    struct str stage, region;
    bool lenient, strict, no_stage;
    struct str env[16]; /* names that were set */
    size_t env_count;
    struct buf warnings;                   /* as rendered */
    size_t without_effect, other_warnings; /* how many of them */
};

/* Read the case's files and set its environment; golden_close takes that back. */
void golden_open(struct golden *g, struct arena *a, struct str dir, struct str name);
void golden_close(struct golden *g);
/* Set the options of the case's command line. */
struct config_options golden_options(struct golden *g);
/* Load the service of the case. */
int golden_load(struct golden *g, struct service *ret, struct err *err);
/* Text of a file of the case; false when it is not there. */
bool golden_text(struct golden *g, const char *name, struct str *ret);

#endif
