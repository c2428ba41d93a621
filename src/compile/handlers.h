/* The code of the handlers of custom resources: the folder custom-resources/, which the build packs
 * into the program (scripts/embed-handlers.py). */
#ifndef TROUPE_COMPILE_HANDLERS_H
#define TROUPE_COMPILE_HANDLERS_H

#include "base/str.h"

#define HANDLERS_ZIP "custom-resources.zip"

/* A zip of all of them. */
extern const struct str handlers_zip;

/* One of them as a single script, which calls its function `handler`. */
struct handler_script {
    const char *entry; /* Handler in the zip: "s3/handler.handler" */
    struct str text;
};
extern const struct handler_script handler_scripts[]; /* ends with a NULL entry */

#endif
