/* Values that scripts compute: `${file(x.js):key}` and the service file itself. */
#ifndef TROUPE_CONFIG_VARIABLES_SCRIPTS_H
#define TROUPE_CONFIG_VARIABLES_SCRIPTS_H

#include "base/hash.h"
#include "doc/json.h"
#include "config/variables/variables.h"

/* A script to be run. */
struct script_call {
    bool is_service;
    struct str path, shown;  /* absolute, and for messages */
    const struct node *keys; /* list of the property's keys; NULL: the whole value */
    struct pos pos;          /* where it is asked for; no source: by the command */
};

struct script_result {
    const struct node *value;   /* NODE_NULL: it gives none */
    unsigned flags;             /* NODE_STAGE: it looked at the stage; NODE_SECRET: at a secret */
    const struct node *modules; /* name in the service's directory -> SHA-256, of what it loaded */
};

/* Run it. ERR_CONFIG with a place, in the script where it is known; ERR_FAILED: no script can be
 * run; ERR_CANCELLED. What it asks for fails with errors of its own. */
int script_run(struct resolver *r, const struct script_call *call, struct script_result *ret,
               struct err *err);

/* Answer `q`, which asks for script `name`: by running it, or from the bundle, whose scripts are
 * never run. */
int script_value(struct resolver *r, const struct query *q, struct str name, struct str path,
                 struct answer *ret, struct err *err);

/* ---- in bundles (script_values.c) ---- */

/* Record what `text` ("file(x.js):key"; of a service file its name) gave. */
void script_record(struct resolver *r, struct str text, const struct script_result *result);
/* The value that was recorded for `text`, which is a property of script `name`. ERR_CONFIG at
 * `pos`: it was computed for another stage, or not at all. */
int script_recorded(struct resolver *r, struct str text, struct str name, struct pos pos,
                    struct script_result *ret, struct err *err);
/* All that was recorded, and what the bundle has of other scripts, as a map for a bundle. */
const struct node *scripts_bundle(struct resolver *r);

#endif
