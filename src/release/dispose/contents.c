/* Reading what a stack holds. */
#include "release/dispose/contents.h"

#include "base/vec.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "cfn/cfn.h"
#include "cfn/template.h"

enum { DEPTH_MAX = 10 }; /* of nested stacks */

struct walk {
    const struct release *r;
    VEC(struct content) all;
};

/* A nested stack of the user's may be written in YAML. NULL: neither. */
static const struct node *read_template(const struct walk *w, struct str stack, struct str text)
{
    cleanup_err struct err unread = {0};
    struct source *source = ARENA_NEW(w->r->arena, struct source);
    *source = (struct source){stack, text};
    const struct node *n = json_read(w->r->arena, source, &unread);
    if (n)
        return n;
    err_clear(&unread);
    return yaml_read(w->r->arena, source, &unread);
}

/* Why the resource stays when its stack goes; empty: it goes. `around`: why the nested stack that
 * it is in stays. */
static struct str kept_by(const struct walk *w, const struct node *resource, struct str around)
{
    const struct node *policy = node_get_c(resource, "DeletionPolicy");
    if (around.n)
        return around;
    if (!resource)
        return STR("its stack's template does not name it");
    if (cfn_goes_with_stack(resource))
        return (struct str){"", 0};
    return node_is(policy, NODE_STRING)
               ? str_fmt(w->r->arena, "DeletionPolicy: %.*s", STR_ARG(policy->text))
               : STR("its DeletionPolicy is computed");
}

static int walk(struct walk *w, struct str stack, struct str around, unsigned depth,
                struct err *err)
{
    struct arena *a = w->r->arena;
    struct stack_resource *all;
    struct str text;
    size_t n;
    if (cloudformation_resources(a, w->r->aws, stack, &all, &n, err) < 0 ||
        cloudformation_template(a, w->r->aws, stack, &text, err) < 0)
        return -1;
    const struct node *resources = node_get_c(read_template(w, stack, text), "Resources");
    for (size_t i = 0; i < n; i++) {
        if (!all[i].physical_id.n || str_eq(all[i].status, STR("DELETE_COMPLETE")))
            continue;
        struct str kept = kept_by(w, node_get(resources, all[i].logical_id), around);
        vec_push(a, &w->all,
                 (struct content){.id = all[i].logical_id,
                                  .physical_id = all[i].physical_id,
                                  .type = all[i].type,
                                  .goes = !kept.n,
                                  .at_edge = str_eq(all[i].type, STR("AWS::Lambda::Function")) &&
                                             cfn_is_at_edge(resources, all[i].logical_id),
                                  .kept = kept});
        if (str_eq(all[i].type, STR("AWS::CloudFormation::Stack")) && depth < DEPTH_MAX &&
            walk(w, all[i].physical_id, kept, depth + 1, err) < 0) {
            if (err->kind != ERR_NOT_FOUND)
                return -1;
            err_clear(err); /* somebody deleted the nested stack */
        }
    }
    return 0;
}

int stack_contents(const struct release *r, struct str stack, struct contents *ret, struct err *err)
{
    struct walk w = {.r = r};
    if (walk(&w, stack, STR(""), 0, err) < 0)
        return err_wrap(err, "look at stack '%.*s'", STR_ARG(stack));
    *ret = (struct contents){w.all.p, w.all.n};
    return 0;
}
