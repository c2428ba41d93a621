/* Publishing versions of shared functions (docs/design.md, "Publishing a function"). */
#include "release/publish/publish.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/bucket/lease.h"
#include "release/publish/definition.h"

enum { TRIES = 12, ROLE_MS = 5 * 60 * 1000, OTHERS_ROLE_MS = 90 * 1000 };

/* Lambda answers 400 with these until it, KMS and EC2 know a role as it is by now. IAM names no
 * time; more than five minutes were seen (hashicorp/terraform-provider-aws#44517, whose list of
 * messages this is). When this run changed no role, only a role that is new can be the reason:
 * somebody else may have made it. */
static const struct transient {
    const char *text, *awaited;
    int64_t old_role_ms; /* how long to ask again when no role is fresh */
} transients[] = {
    {"cannot be assumed by Lambda", "Lambda to know its role", OTHERS_ROLE_MS},
    {"execution role does not have permissions", "Lambda to know the new rights of its role", 0},
    {"KMS key is invalid for CreateGrant", "KMS to know its role", 0},
    {"throttled by EC2", "EC2, which takes no more calls at the moment,", ROLE_MS},
};

static const struct transient *transient_of(const struct err *err)
{
    for (size_t i = 0; i < sizeof transients / sizeof *transients; i++)
        if (str_find(err->msg, str_c(transients[i].text), 0) >= 0)
            return &transients[i];
    return NULL;
}

/* Neither the layers go with the code that is there, nor the code with the layers: whichever is
 * sent first decides. One of the two orders always works when both ends fit (aws/aws-cdk#8446,
 * hashicorp/terraform-provider-aws#45012). */
static bool is_too_large(const struct err *err)
{
    return str_find(err->msg, STR("combined with layers exceeds the maximum allowed size"), 0) >= 0;
}

/* Did another publisher get in between: the head was changed by somebody else, or an update of
 * theirs is in progress? Then another round may succeed. */
static bool is_contention(const struct err *err)
{
    return err->kind == ERR_PRECONDITION || err->kind == ERR_CONFLICT ||
           str_find(err->msg, STR("is different from current CodeSHA256"), 0) >= 0;
}

struct publishing {
    struct arena *arena;
    const struct release *r;
    const struct store *store;
    const struct function_plan *f;
    struct str name;
    bool fresh_roles;
    struct backoff role;             /* since the first refusal because of it; before: all 0 */
    const struct transient *awaited; /* what the user was told */
    struct lease *turn;              /* after meeting another publisher; before: NULL */
};

static const struct node *with_revision(struct publishing *p, const struct node *members,
                                        struct str revision)
{
    return cfn_with(p->arena, definition_update(p->arena, members), "RevisionId",
                    node_str(p->arena, revision));
}

/* An update succeeds or fails after its call was answered. When another call came after it, which
 * LastModified says, the failure is that one's: try again once, in turn. */
static int wait_for_update(struct publishing *p, const struct lambda_function *sent,
                           struct lambda_function *head, struct err *err)
{
    if (lambda_wait_idle(p->arena, p->r->aws, p->name, STR(""), LAMBDA_UPDATE_MS, head, err) < 0)
        return -1;
    if (!lambda_has_failed(head))
        return 0;
    lambda_failure(head, p->name, err);
    if (!p->turn && !node_equal(node_get_c(sent->configuration, "LastModified"),
                                node_get_c(head->configuration, "LastModified")))
        err->kind = ERR_CONFLICT;
    return -1;
}

/* Lambda refused because of a role that it may not know yet: pause. -1: that is not the reason, or
 * it has been waited for long enough. */
static int wait_for_role(struct publishing *p, struct err *err)
{
    enum { FIRST_PAUSE_MS = 1000, LAST_PAUSE_MS = 5000 };
    const struct transient *t = transient_of(err);
    int64_t for_ms = !t ? 0 : p->fresh_roles ? ROLE_MS : t->old_role_ms;
    if (!for_ms)
        return -1;
    if (!p->role.end_ms)
        p->role = backoff_begin(FIRST_PAUSE_MS, LAST_PAUSE_MS, for_ms);
    if (backoff_is_over(&p->role)) {
        err_note(err, (struct pos){0}, "waited %lld s for %s in vain", (long long)for_ms / 1000,
                 t->awaited);
        return -1;
    }
    err_clear(err);
    if (p->awaited != t)
        release_tell(p->r, TOLD_NOTICE, "publish", "%.*s: waiting for %s up to %lld s",
                     STR_ARG(p->name), t->awaited, (long long)for_ms / 1000);
    p->awaited = t;
    return backoff_pause(&p->role) < 0 ? err_set(err, ERR_CANCELLED, "stopped") : 0;
}

static int update_configuration(struct publishing *p, const struct node *configuration,
                                struct lambda_function *head, struct err *err)
{
    for (;;) {
        const struct node *members = with_revision(p, configuration, head->revision_id);
        struct lambda_function updated;
        if (lambda_update_configuration(p->arena, p->r->aws, p->name, members, &updated, err) == 0)
            return wait_for_update(p, &updated, head, err);
        if (wait_for_role(p, err) < 0)
            return -1;
    }
}

/* AWS names an image by repository and digest, whatever tag was given besides. */
static bool same_image(struct str want, struct str got)
{
    struct str names[] = {{"", 0}, {"", 0}}, *images[] = {&want, &got};
    for (int i = 0; i < 2; i++) {
        str_cut(images[i], '@', &names[i]); /* what is left is the digest */
        ptrdiff_t tag = str_rfind_char(names[i], ':');
        if (tag > str_rfind_char(names[i], '/'))
            names[i] = str_sub(names[i], 0, (size_t)tag);
    }
    return str_eq(names[0], names[1]) && str_eq(want, got);
}

static bool same_code(const struct function_plan *f, const struct lambda_function *head)
{
    const struct node *architectures = node_get_c(head->configuration, "Architectures");
    struct str want = node_text(node_path(f->code, "Architectures.0"));
    struct str got = node_text(node_path(architectures, "0"));
    if (!str_eq(want, got.n ? got : STR("x86_64")))
        return false;
    const struct node *image = node_get_c(f->code, "ImageUri");
    return image ? same_image(node_text(image), head->image_uri)
                 : str_eq(f->code_sha256, head->code_sha256);
}

/* Lambda says what it got by this very call, whoever else is at work on the head. */
static int check_received(const struct publishing *p, const struct lambda_function *updated,
                          struct err *err)
{
    const struct artifact *artifact = p->f->function->artifact;
    if (!artifact || !updated->code_sha256.n || str_eq(updated->code_sha256, p->f->code_sha256))
        return 0;
    return store_say_altered(
        p->store,
        store_key(p->arena, p->store, "artifacts/%.*s.zip", STR_ARG(artifact->sha256_hex)), err);
}

static int update_code(struct publishing *p, struct lambda_function *head, struct err *err)
{
    struct arena *a = p->arena;
    struct node *code = node_shallow(a, p->f->code);
    if (p->f->function->artifact) {
        node_put_str(a, code, "S3Bucket", p->store->bucket);
        node_put_c(a, code, "S3Key",
                   node_str(a, store_key(a, p->store, "artifacts/%.*s.zip",
                                         STR_ARG(p->f->function->artifact->sha256_hex))));
    }
    node_put_str(a, code, "RevisionId", head->revision_id);
    struct lambda_function updated;
    if (lambda_update_code(a, p->r->aws, p->name, code, &updated, err) < 0 ||
        check_received(p, &updated, err) < 0)
        return -1;
    return wait_for_update(p, &updated, head, err);
}

/* Bring the head to the definition. When its last update failed, that of another stage maybe, what
 * it shows is not what it has: the next update ends that, so send it whatever it shows. Where the
 * configuration is not taken because of the code that is there, the code goes first. */
static int update_head(struct publishing *p, struct lambda_function *head, struct err *err)
{
    const struct node *configuration = p->f->configuration;
    struct str member;
    bool unmade = str_eq(head->state, STR("Failed"));
    bool code = unmade || !same_code(p->f, head);
    bool configure =
        lambda_has_failed(head) || !definition_matches(configuration, head->configuration, &member);
    if (!configure || update_configuration(p, configuration, head, err) == 0)
        return same_code(p->f, head) ? 0 : update_code(p, head, err);
    if (!code || !(is_too_large(err) || (unmade && err->kind == ERR_FAILED)))
        return -1;
    err_clear(err);
    return update_code(p, head, err) < 0 ? -1 : update_configuration(p, configuration, head, err);
}

/* What cannot be compared is not published: it may be what another stage just put there. */
static int check_readable(struct publishing *p, const struct lambda_function *got, struct err *err)
{
    const struct node *key = node_get_c(p->f->configuration, "KMSKeyArn");
    struct str why;
    if (!definition_has_values(p->f->configuration) ||
        !definition_unreadable(got->configuration, &why) ||
        !str_eq(node_text(key), node_text(node_get_c(got->configuration, "KMSKeyArn"))))
        return 0;
    err_set(err, ERR_REFUSED, "its environment cannot be read back: %.*s", STR_ARG(why));
    return err_help(err,
                    "allow the caller kms:Decrypt with '%.*s': every stage writes to this "
                    "function, so a version counts only when its variables were compared",
                    STR_ARG(node_text(key)));
}

/* Is `got` what the definition says? CONFLICT when not: somebody else wrote in between. */
static int verify(struct publishing *p, const struct lambda_function *got, struct err *err)
{
    struct str member = STR("code");
    if (check_readable(p, got, err) < 0)
        return -1;
    if (same_code(p->f, got) &&
        definition_matches(p->f->configuration, got->configuration, &member))
        return 0;
    return err_set(err, ERR_CONFLICT, "what was published differs in %.*s", STR_ARG(member));
}

/* PublishVersion. Lambda answers the last version when nothing has changed since. */
static int publish_head(struct publishing *p, const struct lambda_function *head,
                        struct str description, struct lambda_function *ret, struct err *err)
{
    if (verify(p, head, err) < 0)
        return -1;
    struct lambda_publication what = {p->name, p->f->code_sha256, head->revision_id, description};
    return lambda_publish(p->arena, p->r->aws, &what, ret, err);
}

/* Lambda would answer `failed` for ever: change the head's own description, which no version gets,
 * so that the next one is a new one. */
static int touch_head(struct publishing *p, struct str failed, struct lambda_function *head,
                      struct err *err)
{
    struct arena *a = p->arena;
    release_tell(p->r, TOLD_NOTICE, "publish", "%.*s: version %.*s failed, publishing another one",
                 STR_ARG(p->f->function->key), STR_ARG(failed));
    struct node *configuration = node_shallow(a, p->f->configuration);
    node_put(a, configuration, STR("Description"),
             node_strf(a, "version %.*s failed", STR_ARG(failed)));
    if (lambda_wait_idle(a, p->r->aws, p->name, STR(""), LAMBDA_UPDATE_MS, head, err) < 0)
        return -1;
    return update_configuration(p, configuration, head, err);
}

/* One round. CONFLICT or PRECONDITION: try again. */
static int publish_once(struct publishing *p, struct str hint, struct str *ret, struct err *err)
{
    struct lambda_function head, version;
    struct str own = node_text(node_get_c(p->f->configuration, "Description"));
    if (lambda_wait_idle(p->arena, p->r->aws, p->name, STR(""), LAMBDA_UPDATE_MS, &head, err) < 0 ||
        check_readable(p, &head, err) < 0 ||
        definition_check_made(p->f->function, p->f->configuration, head.configuration, err) < 0 ||
        update_head(p, &head, err) < 0 ||
        publish_head(p, &head, own.n ? own : hint, &version, err) < 0)
        return -1;
    if (str_eq(version.state, STR("Failed")) &&
        (touch_head(p, version.version, &head, err) < 0 ||
         publish_head(p, &head, own.n ? own : hint, &version, err) < 0))
        return -1;
    if (str_eq(version.state, STR("Pending"))) /* for minutes, maybe */
        release_progress(p->r, "publish", "%.*s: version %.*s is being made ready",
                         STR_ARG(p->f->function->key), STR_ARG(version.version));
    if (lambda_wait(p->arena, p->r->aws, p->name, version.version, LAMBDA_VERSION_MS, &version,
                    err) < 0 ||
        verify(p, &version, err) < 0)
        return -1;
    *ret = version.version;
    return 0;
}

/* Whoever met another at a head queues up: each disturbs the holder once at most, so all get
 * through however many they are. The checks above hold without the lease; it only makes turns. */
static int queue_up(struct publishing *p, struct err *err)
{
    enum { WAIT_MS = 15 * 60 * 1000 };
    if (p->turn)
        return 0;
    return lease_take(p->store, str_fmt(p->arena, "function-%.*s", STR_ARG(p->name)),
                      str_fmt(p->arena, "publish '%.*s'", STR_ARG(p->f->function->key)), WAIT_MS,
                      &p->turn, err);
}

/* Pauses grow with the round and differ between contenders. */
static int64_t jitter_ms(struct arena *a, int round)
{
    enum { STEP_MS = 100 };
    struct str digits = random_hex(a, 3);
    return STEP_MS + (int64_t)strtol(digits.p, NULL, 16) % (STEP_MS * (round + 1));
}

/* Its stack has it still, and would not make it again. */
static void say_deleted(const struct function_plan *f, struct err *err)
{
    err_help(err,
             "somebody deleted it, with its aliases: make a function '%.*s' again, with any code, "
             "then remove each stage and deploy it again",
             STR_ARG(f->function->name));
}

static int publish_in_rounds(struct publishing *p, struct str hint, struct str *ret_version,
                             struct err *err)
{
    const struct function_plan *f = p->f;
    for (int round = 0;; round++) {
        if (publish_once(p, hint, ret_version, err) == 0)
            return 0;
        if (err->kind == ERR_NOT_FOUND)
            say_deleted(f, err);
        if (!is_contention(err) || round + 1 == TRIES)
            return err_wrap(err, "publish function '%.*s'", STR_ARG(f->function->key));
        err_clear(err);
        release_tell(p->r, TOLD_NOTICE, "publish",
                     "%.*s: somebody else is publishing it, trying again",
                     STR_ARG(f->function->key));
        if (queue_up(p, err) < 0)
            return -1;
        if (clock_sleep_ms(jitter_ms(p->arena, round)) < 0)
            return err_set(err, ERR_CANCELLED, "stopped while publishing '%.*s'",
                           STR_ARG(f->function->key));
    }
}

int publish_function(struct arena *a, const struct release *r, const struct store *store,
                     const struct function_plan *f, struct str hint, bool fresh_roles,
                     struct str *ret_version, struct err *err)
{
    struct publishing p = {.arena = a,
                           .r = r,
                           .store = store,
                           .f = f,
                           .name = f->function->name,
                           .fresh_roles = fresh_roles};
    int done = publish_in_rounds(&p, hint, ret_version, err);
    lease_release(&p.turn);
    return done;
}

int publish_check(struct arena *a, const struct release *r, struct function_plan *f,
                  struct str version, bool *ret, struct err *err)
{
    struct lambda_function got;
    struct str member;
    *ret = false;
    if (lambda_get(a, r->aws, f->function->name, version, &got, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    f->awake = str_eq(got.state, STR("Active"));
    *ret = !str_eq(got.state, STR("Failed")) && same_code(f, &got) &&
           definition_matches(f->configuration, got.configuration, &member);
    return 0;
}
