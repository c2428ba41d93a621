/* The project's own framework, called to package a service with all of its plugins. */
#ifndef TROUPE_BUILD_FRAMEWORK_H
#define TROUPE_BUILD_FRAMEWORK_H

#include "config/config.h"

struct framework_call {
    const struct service *service;  /* its place, name, stage, and custom.troupe */
    struct str stage;               /* to package for: the service's, or one that is made up */
    struct str config;              /* --config, or empty */
    const struct map *given;        /* options of the command line; may be NULL */
    const struct map *params;       /* --param; may be NULL */
    const struct node *environment; /* name -> text, beside what this process has; may be NULL */
    const struct node *left_out;    /* list of the plugins that it does without */
};

struct framework_package {
    struct str dir; /* absolute: state, templates and zips */
    /* Of a stage that is made up: why it could not be packaged; empty: it was. */
    struct str failed;
    bool kept; /* what an earlier call made: nothing that it depends on has changed since */
};

/* Package into a folder below `.troupe`, which stays for the next time. No more than one call at
 * once in a service's folder, because the framework writes into `.serverless` there on the way:
 * another process waits. ERR_CONFIG: there is no framework, it failed, wrote nothing or took longer
 * than allowed; its last lines are notes. ERR_CANCELLED: the user stopped it, and nothing of it
 * runs any more. */
int framework_package(struct arena *a, const struct framework_call *call,
                      struct framework_package *ret, struct err *err);

#endif
