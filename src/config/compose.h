/* serverless-compose.yml: services that are deployed together. Source: Serverless Framework 3
 * guide, "Composing Serverless Framework services". */
#ifndef TROUPE_COMPOSE_H
#define TROUPE_COMPOSE_H

#include "base/map.h"
#include "doc/node.h"

struct compose_service {
    struct str name;
    struct str dir, file;      /* absolute; `file` is empty: the one that the folder has */
    const struct node *params; /* a map, or NULL */
    size_t *needs;             /* services that come first: dependsOn, and "${service.output}" */
    size_t need_count;
    bool is_asked; /* another one's params need an output of it */
};

struct compose {
    struct str file;
    struct compose_service *services; /* in the order of the file */
    size_t count;
};

/* Read `path`; empty: serverless-compose.yml, .yaml or .json of the current folder. `*ret` lives in
 * `a`. CONFIG with a place: unknown keys, services and variables, services that need each other;
 * folders without a service. NOT_FOUND: there is no such file. */
int compose_load(struct arena *a, struct str path, struct compose *ret, struct err *err);

/* The value of output `name` of a service; NULL: it has none, and `err` may say why. */
typedef const struct node *compose_output(void *context, size_t service, struct str name);

/* The params of a service as texts: name -> struct str *. `stage` may be empty. CONFIG with a
 * place: an output or a variable of the environment that is not there, `${sls:stage}` without a
 * stage. */
int compose_params(struct arena *a, const struct compose *compose, size_t service, struct str stage,
                   compose_output *output, void *context, struct map *ret, struct err *err);

#endif
