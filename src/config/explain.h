/* How a value of the service came about, for `troupe explain`. */
#ifndef TROUPE_EXPLAIN_H
#define TROUPE_EXPLAIN_H

#include "config/config.h"

/* The value at dotted `path` of `s` (keys with dots in them are found too) as a map, fit for JSON:
 *
 *   key, value        secrets masked
 *   inherited         "provider.timeout", where a function says nothing itself; else absent
 *   place             {file, line, column}; absent for what no file says
 *   stage             does it depend on the stage?
 *   because           [{variable, place}]: what brings the stage in
 *   steps             those of the maps that it is in, outermost first and with their `key`, then
 *                     its own
 *   members           of a map or list: [{key, value, stage}] of the scalars in it that are made of
 *                     variables or depend on the stage
 *
 * A step is a variable: {variable, place, says (what that means, where it is not the same), value
 * (or `holds`: "a map of 3"), from (where that value is written), stage (does this variable bring
 * the stage in itself?), before [steps: sources without a value], address [steps], via
 * [steps: what was looked into on the way], then (step: how the value taken came about)}; one
 * without a value has `missing`, why, instead. Or a text with variables in it: {text, place, parts
 * [steps]}. A step that was shown before has only `again`, true, besides its name and place.
 *
 * ERR_USAGE when there is nothing at `path`. */
const struct node *service_explain(struct arena *a, const struct service *s, struct str path,
                                   struct err *err);
/* What is at dotted `path`, found as above. */
const struct node *service_part(struct arena *a, const struct service *s, struct str path,
                                struct err *err);

#endif
