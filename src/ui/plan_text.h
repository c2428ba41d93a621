/* A plan as JSON, and as text made from the same changes. */
#ifndef TROUPE_UI_PLAN_TEXT_H
#define TROUPE_UI_PLAN_TEXT_H

#include "base/buf.h"
#include "release/release.h"

const struct node *plan_json(struct arena *a, const struct service *service,
                             const struct plan *plan);
void plan_text(struct buf *out, const struct service *service, const struct plan *plan,
               bool colour);

#endif
