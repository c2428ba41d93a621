/* Between the files of config/: what becomes of the service file after its variables. */
#ifndef TROUPE_CONFIG_CONFIG_INTERNAL_H
#define TROUPE_CONFIG_CONFIG_INTERNAL_H

#include "config/config.h"
#include "config/plugins/plugins.h"
#include "config/schema/schema.h"
#include "config/variables/variables.h"

/* Absolute path of the service file; with a bundle, a path at which no file can be. ERR_NOT_FOUND:
 * there is none. */
int service_find(struct arena *a, const struct config_options *options, struct str *ret,
                 struct err *err);
/* Read the service file as a map, unresolved; a script is run. The caller sets `source->path`; the
 * text is put here, from the bundle if there is one, and of a script the JSON of what it gives. */
const struct node *service_read(struct resolver *r, struct str path, struct source *source,
                                struct err *err);

/* The dialect of --dialect, else the first that `frameworkVersion` lets in. Warns when that leaves
 * out every one that is read here. */
enum dialect framework_version_dialect(struct arena *a, const struct node *root,
                                       const struct config_options *options);

/* custom.troupe with the overrides for `stage`. */
int settings_read(struct arena *a, const struct node *root, struct str stage, struct settings *ret,
                  struct err *err);

/* settings_shift.c: custom.troupe.shift for `stage`, checked for all stages. */
struct checker;
int settings_shift(struct checker *c, const struct node *section, struct str stage,
                   struct shift *ret, struct err *err);

#endif
