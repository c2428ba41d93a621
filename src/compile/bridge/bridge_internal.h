/* Between the files of compile/bridge. */
#ifndef TROUPE_COMPILE_BRIDGE_BRIDGE_INTERNAL_H
#define TROUPE_COMPILE_BRIDGE_BRIDGE_INTERNAL_H

#include "compile/bridge/bridge.h"
#include "compile/compile.h"

/* ---- package_state.c: what a framework has left in a folder ---- */

struct package_state {
    struct str dir;
    const struct node *service;  /* resolved, after all plugins, as the framework holds it */
    const struct node *package;  /* `artifact`, `individually`, `artifactDirectoryName` */
    const struct node *initial;  /* the configuration that it began with, resolved */
    const struct node *template; /* flat */
};

/* ERR_CONFIG: it is damaged, or there is none. */
int package_state_read(struct arena *a, struct str dir, struct package_state *ret, struct err *err);
/* Was it made for this service and stage? ERR_CONFIG when not. */
int package_state_check(const struct package_state *p, struct str service, struct str stage,
                        struct err *err);

/* ---- generated.c ---- */

/* The service file without what the framework and plugins add to it, all values written out as they
 * are for `stage`; of the plugins that `place` lists with those whose part is in the template. */
const struct node *generated_file(struct arena *a, const struct package_state *p,
                                  const struct service *place, struct str stage);

/* ---- compare.c ---- */

/* Add to `file` what differs between `compiled`, the flat template that it gives, and `wanted`, the
 * framework's: new resources and outputs under `resources`, all else as patches. */
const struct node *compare_add(struct arena *a, const struct node *file,
                               const struct node *compiled, const struct node *wanted);
/* The first value that still differs; empty: none. */
struct str compare_rest(struct arena *a, const struct node *compiled, const struct node *wanted);

/* ---- stage_texts.c ---- */

struct stage_texts {
    struct str service;
    struct str stage, other;            /* that `file`, and `of_other`, were made for */
    const struct node *file, *of_other; /* `of_other` NULL: the stage's name alone decides */
    struct node *opaque; /* gets what differs otherwise, by the names of source bundles */
};
/* `file` with the variables of secrets in place of them, marked for stage_texts_find. */
const struct node *secrets_hide(struct arena *a, const struct node *file,
                                const struct secrets *secrets);
/* Between two of these bytes stands a variable. */
#define SECRET_MARK '\x01'

/* `file` with variables in place of what depends on the stage. */
const struct node *stage_texts_find(struct arena *a, const struct stage_texts *s);

#endif
