/* What the files of disposal share. */
#ifndef TROUPE_RELEASE_DISPOSE_DISPOSE_INTERNAL_H
#define TROUPE_RELEASE_DISPOSE_DISPOSE_INTERNAL_H

#include "release/dispose/dispose.h"

/* "a resource of its stack": a reason in words. */
extern const char *const dispose_reasons[OURS_COUNT];
/* Note what was deleted or emptied. */
void dispose_note(const struct release *r, enum fate fate, struct str type, struct str name,
                  struct str why);
/* Say that the thing is not deleted, because it is not ours by that reason. */
int dispose_refuse(const char *what, struct str name, enum ours why, struct err *err);

#endif
