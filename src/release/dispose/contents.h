/* What a stack holds, nested stacks included, and what becomes of it when the stack goes. */
#ifndef TROUPE_RELEASE_DISPOSE_CONTENTS_H
#define TROUPE_RELEASE_DISPOSE_CONTENTS_H

#include "release/release.h"

struct content {
    struct str id; /* logical */
    struct str physical_id, type;
    bool goes;       /* with the stack: what its template and those around it say */
    struct str kept; /* else why not: "DeletionPolicy: Retain" */
    bool at_edge;    /* a function that CloudFront calls */
};
struct contents {
    struct content *p;
    size_t n;
};

/* Of the stack of this name or id. A template that cannot be read keeps all it has: nothing of it
 * is emptied then. */
int stack_contents(const struct release *r, struct str stack, struct contents *ret,
                   struct err *err);

#endif
