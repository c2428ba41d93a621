/* What the files of state machines' `http` events share; nothing else includes this. */
#ifndef TROUPE_COMPILE_STEP_FUNCTIONS_STATE_MACHINE_HTTP_H
#define TROUPE_COMPILE_STEP_FUNCTIONS_STATE_MACHINE_HTTP_H

#include "compile/rest/rest.h"
#include "compile/step_functions/step_functions.h"

/* Who may call a method, as the plugin reads it; it differs from functions' methods. */
struct machine_authorizer {
    struct str name;
    const struct node *type;        /* NULL: not said */
    const struct node *arn;         /* NULL: no resource is made */
    const struct node *external_id; /* authorizerId */
    const struct node *ttl_s, *scopes;
    const struct node *identity_source, *expression;
    bool is_iam;
};

/* An `http` event as read. */
struct machine_event {
    const struct state_machine *machine;
    const struct node *http; /* the map, or the short form */
    struct str method;       /* lower case */
    struct rest_event rest;  /* path, method, request: what methods of functions have, too */
    const struct node *cors; /* NULL: none */
    struct machine_authorizer *authorizer; /* NULL: none */
};
typedef VEC(struct machine_event) machine_events;

/* state_machine_authorizer.c */
int machine_authorizer_read(struct compilation *c, struct machine_event *e, struct err *err);
/* Put how the method is authorized into its properties; what it depends on, or empty. */
struct str machine_authorize(struct compilation *c, const struct machine_event *e,
                             struct node *properties);
/* The authorizers, and permissions for those of the whole API. */
void machine_authorizers_add(struct compilation *c, const machine_events *events);
/* state_machine_method.c */
void machine_method_add(struct compilation *c, const struct machine_event *e);
/* Templates of requests {content type: template}: state_machine_templates.c */
const struct node *machine_templates(struct arena *a, const struct machine_event *e);

#endif
