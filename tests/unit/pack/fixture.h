/* Services for packaging tests: a folder laid out from a description, and the model of its
 * serverless.yml without variables. */
#ifndef TROUPE_TEST_PACK_FIXTURE_H
#define TROUPE_TEST_PACK_FIXTURE_H

#include "check.h"
#include "pack/pack_internal.h"

struct fixture {
    struct arena *arena;
    struct str top; /* temporary folder, removed in the end */
    struct str dir; /* folder of the service */
    struct source source;
    struct service service;
    struct pack_options options;
    struct str warning; /* the last warning */
};

/* A temporary folder with the files of `tree` (see tests/golden/pack/README.md) and the service
 * that the text `yaml` describes. */
void fixture_make(struct fixture *f, struct str tree, struct str yaml);
void fixture_remove(struct fixture *f);
/* Write one file below the service. */
void fixture_file(struct fixture *f, const char *path, struct str content, mode_t mode);
/* The bytes of an artifact, in the fixture's arena. */
struct str fixture_bytes(struct fixture *f, const struct artifact *artifact);
/* Package the service, with a cache of the fixture's own. */
int fixture_pack(struct fixture *f, struct packed *ret, struct err *err);

#endif
