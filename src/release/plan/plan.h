/* Parts of planning that deploying needs again once values are known. */
#ifndef TROUPE_RELEASE_PLAN_PLAN_H
#define TROUPE_RELEASE_PLAN_PLAN_H

#include "release/release.h"

/* Resolve all definitions with what the stacks say now, and fingerprint them. `strict`: a value
 * that is not known is an error; else its function stays without configuration. */
int plan_resolve(const struct release *r, struct plan *plan, bool strict, struct err *err);
/* The value of a stack's Output that definitions take: "TroupeValue…" of the stage's stack, else of
 * the service's. NULL: there is none now. */
const struct node *values_now(const struct world *w, struct str name);
/* `tree` with the values of the dynamic references in its texts, as CloudFormation puts them in:
 * those of secrets are NODE_SECRET. A value is asked for once for a plan. CONFIG with a place for
 * what CloudFormation would not take, and for what is not there. */
const struct node *plan_dynamic_values(const struct release *r, struct plan *plan,
                                       const struct node *tree, struct err *err);
/* Do those values exist that nothing else has to be known for? Errors as of plan_dynamic_values. */
int plan_dynamic_check(const struct release *r, struct plan *plan, const struct node *tree,
                       struct err *err);
/* Give every function and API whose fingerprint is known the snapshot that a kept record has for
 * it. */
int plan_reuse(const struct release *r, struct plan *plan, struct err *err);
/* The stage template with what is known filled in; `number` 0 leaves the deployment's Output out.
 */
const struct node *plan_stage_template(const struct release *r, const struct plan *plan,
                                       int64_t number);
/* quota.c: AWS allows a REST API so many stages. A note from eight on (or two before the last);
 * REFUSED when a new one would be too many. Asks only when a stage of an API is to be made. */
int plan_api_quota(const struct release *r, struct plan *plan, struct err *err);
/* REFUSED when a stage of an API begins to log and the account has no role for that; sets
 * plan->log_role when the file names the one to set. */
int plan_api_logs(const struct release *r, struct plan *plan, struct err *err);
/* edge_names.c: REFUSED when a function at CloudFront's edge that the stage's stack is to make is
 * there already. */
int plan_edge_functions(const struct release *r, struct plan *plan, struct err *err);
/* custom_domains.c: leaves out of the target's template the custom domains that AWS has already.
 * REFUSED when one that is mapped is not there, or a base path leads elsewhere. */
bool custom_domain_is(const struct node *resource);
int plan_domains(const struct release *r, struct plan *plan, struct err *err);
/* outside.c: REFUSED when another stage has what the target adds outside the stage. */
int plan_outside(const struct release *r, struct plan *plan, struct err *err);
/* scope_change.c: REFUSED when a resource that holds data would be deleted in one stack and made
 * anew, empty, in the other, because it changes between stage and service. */
int plan_scope(const struct release *r, struct plan *plan, struct err *err);
/* Does a stage of a REST or WebSocket API in `template` log? Then the account needs a role for it.
 */
bool api_logs_need_role(const struct node *template);
/* kept_network.c: a security group, subnet or VPC that the target drops stays while versions are in
 * it; REFUSED when it would be replaced. Reads only, and nothing unless one goes. */
int plan_keep_network(const struct release *r, struct plan *plan, struct err *err);
/* `template` beside what `kept` has: resources, and what those refer to. */
const struct node *plan_with_kept(struct arena *a, const struct node *template,
                                  const struct node *kept);
/* How the plan's stacks will be split, into the plan; refuses what cannot be. */
int plan_nested(const struct release *r, struct plan *plan, struct err *err);
/* Add to what the user should know. */
void plan_note(struct arena *a, struct plan *plan, struct str note);
void target_note(struct arena *a, struct target *target, struct str note);
/* `template` with another deployment's number in its Outputs, and what the record of that is; or
 * with none. */
const struct node *plan_numbered(struct arena *a, const struct node *template, int64_t number,
                                 struct str digest);
const struct node *plan_unnumbered(struct arena *a, const struct node *template);
/* Values of the parameters of stage template `template`, from the service stack and the file. A
 * null keeps what the stack has. */
const struct node *plan_parameters(const struct release *r, const struct plan *plan,
                                   const struct node *template);
/* Those of the user's that get another value than the stack has: a map of their names. */
const struct node *plan_changed_parameters(const struct release *r, const struct plan *plan,
                                           const struct node *template);
/* Values of the parameters of service template `template`, from the file. `keep`: those that the
 * stack has stay as they are. */
const struct node *plan_service_parameters(const struct release *r, const struct world *w,
                                           const struct node *template, bool keep);
/* Is the stage's stack what the plan sends, by its own words? Somebody may have changed it. */
bool plan_is_in_line(const struct release *r, const struct plan *plan);
/* `current` with what `today` has beyond it, further rights of roles included; NULL when nothing is
 * missing. */
const struct node *plan_service_additions(struct arena *a, const struct node *current,
                                          const struct node *today);

#endif
