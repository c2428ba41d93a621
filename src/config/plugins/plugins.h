/* Plugins: what troupe does about each entry of `plugins`. It runs none. One table has a row for
 * every plugin that it knows: what the answer is, which configuration the plugin reads, and for a
 * plugin that is built in the function that does its part. The rows stand in plugin_rows.c;
 * docs/plugins.md is the same table for users, and scripts/check-docs.py compares the two.
 *
 * A plugin's part is done in one of two places. What the configuration can say as well is written
 * into the tree when its variables are resolved (`apply`), so nothing behind sees a difference.
 * What only the template shows is done by compile/, which asks plugin_listed. */
#ifndef TROUPE_CONFIG_PLUGINS_PLUGINS_H
#define TROUPE_CONFIG_PLUGINS_PLUGINS_H

#include "config/config.h"
#include "config/schema/schema.h"

struct resolver;

/* Do the part of a plugin: write into `root`, which is resolved, checked and the caller's own to
 * change. `options` is what stands below the plugin's key, NULL when there is nothing. */
typedef int plugin_apply(struct resolver *r, struct node *root, const struct node *options,
                         struct err *err);

/* Of a plugin that is not bridged, in a service that lists others that are: when it does in the
 * framework what it does. */
enum plugin_moment {
    MOMENT_TEMPLATE, /* when the template is made: the same is made here, and compared */
    MOMENT_BEFORE,   /* before that, or in the code: it is in what the framework has packaged */
    MOMENT_AFTER,    /* after it has packaged, so its part is still to be done */
    MOMENT_HERE,     /* not at all: the framework is told to leave it out, troupe does its part */
};

struct plugin {
    const char *const *names; /* ends with NULL; several whose answer is the same */
    enum plugin_answer answer;
    /* The rest of the line that is told: why it is not needed, what replaces it, what is built in,
     * what of it is not bridged. NULL: it is bridged, and nothing more is to be said. */
    const char *says;
    const char *key;                   /* below `custom`; NULL: it reads nothing there */
    const struct schema *options;      /* of that; NULL: nothing comes of the key */
    const struct field *function_keys; /* that it adds to functions; NULL: none */
    const struct field *custom_keys;   /* further ones below `custom`; NULL: none */
    const struct field *root_keys;     /* that it adds to the file; NULL: none */
    plugin_apply *apply;               /* NULL: nothing to write into the tree */
    /* `apply` writes what commands need that only look for the service's stacks. */
    bool for_location;
    enum plugin_moment moment;
};

/* All of them; ends with a row without names. */
extern const struct plugin plugin_rows[];

/* Does `root` list the plugin? `name` is the first of its row. */
bool plugin_listed(const struct node *root, const char *name);

/* The plugin that adds `key` to what `of` describes; NULL: none does. */
const char *plugin_of_key(const struct schema *of, struct str key);

/* Does `root` list a plugin that is bridged? */
bool plugins_bridged(const struct node *root);
/* The entries of `plugins` that the framework does without, as troupe does: a list of names. */
const struct node *plugins_left_out(struct arena *a, const struct node *root);
/* The list `plugins` of a service that is made from what the framework has packaged: those whose
 * part is in the template, or, with `after`, also those whose part comes later. */
const struct node *plugins_of_package(struct arena *a, const struct node *root, bool after);

/* Does a plugin that `root` lists, and that has a row, read `key` below `custom`? */
bool plugins_read(const struct node *root, struct str key);

/* Add to `c` the keys that the listed plugins read; with `tells` tell the answer to each entry of
 * `plugins`. */
void plugins_answer(struct checker *c, const struct node *root, bool tells);
/* Do the part of each listed one in `root`, in the order of the list; of a service of which only
 * the place is asked for, of those alone that say something of it. */
int plugins_apply(struct resolver *r, struct node *root, struct err *err);

/* ---- those that the tree can say (plugin_*.c) ---- */

plugin_apply plugin_log_retention, plugin_apigw_binary, plugin_common_excludes, plugin_prune,
    plugin_termination_protection, plugin_dotenv, plugin_python, plugin_warmup;

/* plugin_warmup.c */
extern const struct schema warmup_options;
extern const struct field warmup_function_keys[];
/* plugin_python.c */
extern const struct schema python_options;
extern const struct field python_function_keys[];

#endif
