/* Services that a test writes itself: files in a temporary directory, loaded from there and from
 * their bundle. */
#ifndef TROUPE_TEST_CONFIG_BENCH_H
#define TROUPE_TEST_CONFIG_BENCH_H

#include "bundle.h"

/* A stand-in for AWS: what it was asked, and what it answers. */
struct cloud {
    struct arena *arena;
    struct str asked; /* one text a line */
    size_t calls;
    const char *secret, *none;
};

struct bench {
    struct arena *arena;
    struct str top, dir; /* "<top>/a/svc" */
    struct cloud cloud;
    struct remote_values remote;
    struct map params, options;
    struct str warnings;    /* one a line */
    struct str recording;   /* warnings of bench_record */
    struct service service; /* from disk */
    struct source_bundle bundle;
};

void bench_open(struct bench *b);
void bench_close(struct bench *b);
/* Write a file, in `dir` or beside it. */
void bench_file(struct bench *b, const char *path, const char *text);
void give(struct arena *a, struct map *m, const char *name, const char *value);
struct config_options bench_options(struct bench *b, const char *stage);
/* Load from disk for stage dev, keep the bundle, then delete the files and forget what was
 * given. */
void bench_record(struct bench *b, const char *main);
/* Load from the bundle. */
int bench_again(struct bench *b, const char *stage, struct service *ret, struct err *err);
/* The node at `path` of the service; it has to be there. */
const struct node *at(const struct service *s, const char *path);
struct str text_at(const struct service *s, const char *path);

#endif
