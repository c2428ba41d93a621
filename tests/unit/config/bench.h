/* Services of our own: files in a temporary directory, loaded from there and from their bundle. */
#ifndef TROUPE_TEST_CONFIG_BENCH_H
#define TROUPE_TEST_CONFIG_BENCH_H

#include "bundle.h"

/* What AWS was asked, and what it says. */
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
    struct str recording;   /* those of bench_record */
    struct service service; /* from disk */
    struct source_bundle bundle;
};

void bench_open(struct bench *b);
void bench_close(struct bench *b);
/* Write a file, below or beside `dir`. */
void bench_file(struct bench *b, const char *path, const char *text);
void give(struct arena *a, struct map *m, const char *name, const char *value);
struct config_options bench_options(struct bench *b, const char *stage);
/* Load from disk for stage dev, keep the bundle, and let go of the disk and what was given. */
void bench_record(struct bench *b, const char *main);
/* From the bundle. */
int bench_again(struct bench *b, const char *stage, struct service *ret, struct err *err);
/* What is at `path` of the service, which is there. */
const struct node *at(const struct service *s, const char *path);
struct str text_at(const struct service *s, const char *path);

#endif
