/* Rules that a custom resource makes: event_event_bridge_custom.c, for event_event_bridge.c. */
#ifndef TROUPE_COMPILE_EVENTS_EVENT_EVENT_BRIDGE_H
#define TROUPE_COMPILE_EVENTS_EVENT_EVENT_BRIDGE_H

#include "compile/compile_internal.h"

struct rules_state *rules_new(struct compilation *c);
/* What the custom resource cannot do: ERR_CONFIG. */
int rule_check_custom(const struct event *event, struct err *err);
/* Add the custom resource of one rule. `transformer` may be NULL. */
int rule_note_custom(struct compilation *c, const struct event *event, const struct node *name,
                     const struct node *state, const struct node *transformer, struct err *err);
/* Add their handler, when there is a rule. */
int rules_finish_custom(struct compilation *c, struct err *err);

#endif
