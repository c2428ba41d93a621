/* Deleting functions at the edge, once CloudFront has no copies any more. */
#include "release/dispose/edge_functions.h"

#include "cfn/template.h"
#include "release/dispose/dispose.h"
#include "release/world/region.h"

#define FUNCTION_TYPE "AWS::Lambda::Function"
/* By these words, too, `prune` knows what a removal had to keep. */
#define HAS_COPIES "CloudFront has copies of it for some hours; 'troupe prune' deletes it then"

int edge_functions_dispose(const struct release *r, const struct contents *contents,
                           struct err *err)
{
    for (size_t i = 0; i < contents->n; i++) {
        const struct content *c = &contents->p[i];
        if (!c->at_edge || c->goes)
            continue;
        if (dispose_function(r, c->physical_id, r->service->stage, err) == 0)
            continue;
        if (err->kind != ERR_CONFLICT)
            return err_wrap(err, "delete function '%.*s'", STR_ARG(c->physical_id));
        err_clear(err);
        dispose_keep(r, c->type, c->physical_id, STR(HAS_COPIES));
    }
    return 0;
}

void edge_functions_dropped(const struct release *r, const struct node *before,
                            const struct node *after)
{
    const struct node *had = node_get_c(before, "Resources");
    member_each (m, had) {
        cleanup_err struct err err = {0};
        struct str name = node_text(node_path(m->value, "Properties.FunctionName"));
        if (!node_is_text(node_get_c(m->value, "Type"), FUNCTION_TYPE) || !name.n ||
            node_get(node_get_c(after, "Resources"), m->key) || !cfn_is_at_edge(had, m->key) ||
            dispose_function(r, name, r->service->stage, &err) == 0)
            continue;
        bool has_copies = err.kind == ERR_CONFLICT;
        release_tell(
            r, TOLD_NOTICE, "edge",
            "function '%.*s' stays: %.*s; later: aws lambda delete-function "
            "--function-name %.*s",
            STR_ARG(name),
            STR_ARG(has_copies ? STR("CloudFront has copies of it for some hours") : err.msg),
            STR_ARG(name));
    }
}

static bool is_there(const struct str *stages, size_t n, struct str stage)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(stages[i], stage))
            return true;
    return false;
}

static int add_kept(const struct release *r, const struct store *store,
                    const struct record_ref *ref, edge_function_list *ret, struct err *err)
{
    struct arena *a = r->arena;
    struct record record;
    if (record_read(a, store, ref->stage, ref->number, 0, &record, err) < 0)
        return -1;
    if (!record_is_removal(&record) || !record.body)
        return 0;
    vec_each (&record.body->kept, k) {
        struct release of_stage;
        struct lambda_function f;
        if (!str_eq(k->type, STR(FUNCTION_TYPE)) || !str_eq(k->why, STR(HAS_COPIES)))
            continue;
        if (region_at(r, ref->stage, &of_stage, err) < 0)
            return -1;
        if (lambda_get(a, of_stage.aws, k->name, STR(""), &f, err) < 0) {
            if (err->kind != ERR_NOT_FOUND)
                return -1;
            err_clear(err);
        } else if (dispose_is_of_stage(r, &f, of_stage.service->stage)) {
            /* else it is another stage's: `remove --service` records what all of them kept */
            vec_push(a, ret, ((struct edge_function){k->name, ref->stage, ref->number}));
        }
    }
    return 0;
}

int edge_functions_kept(const struct release *r, const struct store *store, edge_function_list *ret,
                        struct err *err)
{
    struct record_ref *refs;
    struct str *stages;
    struct stack *stacks;
    size_t n, stage_count;
    if (records_list(r->arena, store, &refs, &n, err) < 0 ||
        stages_find(r, store, &stages, &stacks, &stage_count, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool is_newest = i == 0 || !str_eq(refs[i].stage, refs[i - 1].stage);
        if (is_newest && !is_there(stages, stage_count, refs[i].stage) &&
            add_kept(r, store, &refs[i], ret, err) < 0)
            return -1;
    }
    return 0;
}

int edge_function_delete(const struct release *r, const struct edge_function *f, struct err *err)
{
    struct release of_stage;
    if (region_at(r, f->stage, &of_stage, err) < 0)
        return -1;
    return dispose_function(&of_stage, f->name, of_stage.service->stage, err);
}
