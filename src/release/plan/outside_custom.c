/* Buckets and user pools that custom resources configure belong to no stage: a user pool has one
 * function for a trigger, and a bucket one notification of an event and a key. A plan that adds
 * what another stage's template has there is refused; otherwise S3 would refuse it in the middle of
 * the update, and Cognito would call this stage's function for the other one's users. */
#include "release/plan/outside_custom.h"

#include "cfn/notifications.h"
#include "doc/json.h"
#include "release/plan/outside_shared.h"

/* One thing of which there is one, of a pool or bucket outside the service. */
struct existing_claim {
    struct str id;                   /* of the resource */
    struct str place;                /* identifies it; for a bucket: the bucket alone */
    const struct node *resource;     /* whose it is */
    const struct node *what;         /* as it is called: a trigger, an event */
    const struct node *notification; /* {Event, Rules} of a bucket; NULL: it is a pool's */
};

static void claim_in_pool(struct arena *a, const struct node *resource, struct existing_claims *ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct node *pool = node_get_c(properties, "UserPoolName");
    node_each (config, node_get_c(properties, "UserPoolConfigs")) {
        const struct node *trigger = node_get_c(config, "Trigger");
        struct str place =
            str_fmt(a, "pool %.*s %.*s", STR_ARG(node_text(pool)), STR_ARG(node_text(trigger)));
        vec_push(a, &ret->all, (struct existing_claim){{"", 0}, place, resource, trigger, NULL});
    }
}

static void claim_in_bucket(struct arena *a, const struct node *resource,
                            struct existing_claims *ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct node *bucket = node_get_c(properties, "BucketName");
    if (!outside_is_shared(ret->shared, bucket))
        return;
    struct str place = str_fmt(a, "bucket %.*s", STR_ARG(json_canonical(a, bucket)));
    node_each (config, node_get_c(properties, "BucketConfigs"))
        vec_push(
            a, &ret->all,
            (struct existing_claim){{"", 0}, place, resource, node_get_c(config, "Event"), config});
}

static struct existing_claims claims_of(struct arena *a, const struct node *template,
                                        const struct node *shared)
{
    struct existing_claims out = {.shared = shared};
    member_each (m, node_get_c(template, "Resources")) {
        size_t before = out.all.n;
        if (node_is_text(node_get_c(m->value, "Type"), "Custom::CognitoUserPool"))
            claim_in_pool(a, m->value, &out);
        if (node_is_text(node_get_c(m->value, "Type"), "Custom::S3"))
            claim_in_bucket(a, m->value, &out);
        for (size_t i = before; i < out.all.n; i++)
            out.all.p[i].id = m->key;
    }
    return out;
}

static bool excludes(const struct existing_claim *x, const struct existing_claim *y)
{
    return str_eq(x->place, y->place) &&
           (!x->notification || cfn_notifications_overlap(x->notification, y->notification));
}

/* ---- what other stages have ---- */

static struct pos place_of(const struct existing_claim *c)
{
    return node_pos(c->what).source ? c->what->pos : node_pos(c->resource);
}

/* CloudFormation makes what is new before it removes what is old. */
static int say_moved(const struct existing_claim *mine, const struct existing_claim *old,
                     struct err *err)
{
    err_at(err, place_of(mine), ERR_REFUSED,
           "'%.*s' cannot move from resource '%.*s' to '%.*s' in one deployment: the new one would "
           "be made before the old one goes",
           STR_ARG(node_text(mine->what)), STR_ARG(old->id), STR_ARG(mine->id));
    return err_help(err, "deploy once without it, then with it");
}

int existing_added(const struct release *r, const struct plan *plan, struct existing_claims *ret,
                   struct err *err)
{
    const struct layout *l = plan->target.layout;
    const struct node *shared = node_get_c(l->service_template, "Resources");
    struct existing_claims had = claims_of(r->arena, plan->world.stage_template, shared);
    struct existing_claims wanted = claims_of(r->arena, l->stage_template, shared);
    ret->shared = shared;
    vec_each (&wanted.all, w) {
        bool is_new = true;
        vec_each (&had.all, h) {
            if (excludes(w, h) && !str_eq(w->id, h->id))
                return say_moved(w, h, err);
            is_new =
                is_new && !(str_eq(h->place, w->place) &&
                            (!w->notification || node_equal(h->notification, w->notification)));
        }
        if (is_new)
            vec_push(r->arena, &ret->all, *w);
    }
    return 0;
}

static int claim_is_taken(const struct release *r, const struct existing_claim *mine,
                          struct str stage, struct err *err)
{
    bool of_bucket = mine->notification;
    struct str what = str_fmt(r->arena, "'%.*s' in this %s, which is outside the stage",
                              STR_ARG(node_text(mine->what)), of_bucket ? "bucket" : "user pool");
    return outside_taken(r, place_of(mine), stage, what,
                         of_bucket
                             ? "name a bucket for each stage, as in ${param:bucket}, or a prefix: "
                               "S3 notifies one function of an event and a key"
                             : "name a pool for each stage, as in ${param:pool}: a user pool has "
                               "one function a trigger",
                         err);
}

int existing_check(const struct release *r, const struct existing_claims *mine,
                   const struct node *template, struct str stage, struct err *err)
{
    struct existing_claims theirs = claims_of(r->arena, template, mine->shared);
    vec_each (&theirs.all, t)
        vec_each (&mine->all, m)
            if (excludes(m, t))
                return claim_is_taken(r, m, stage, err);
    return 0;
}
