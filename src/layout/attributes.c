/* Warning of what `resources:` says about a shared function or API besides its properties: no stack
 * updates the head after it was made, and troupe, not CloudFormation, publishes what stages call.
 * So a DeletionPolicy, for one, would come into no template. */
#include "layout/layout_internal.h"

static const char *const attributes[] = {"CreationPolicy", "DeletionPolicy", "Metadata",
                                         "UpdatePolicy", "UpdateReplacePolicy"};

static bool is_resource(const struct laying *l, struct str id)
{
    const struct placement *p = placement_of(l, id);
    return (p->scope == SCOPE_STAGE || p->scope == SCOPE_SERVICE) && !shared_api_stage(l, id);
}

static void warn(struct laying *l, struct str id, const struct member *attribute)
{
    const struct placement *p = placement_of(l, id);
    struct str owner = p->function ? str_fmt(l->arena, "function '%.*s'", STR_ARG(p->function->key))
                                   : STR("the API that it belongs to");
    vec_push(l->arena, &l->warnings,
             str_fmt(l->arena,
                     "'%.*s' of '%.*s' has no effect%.*s: all stages share %.*s, and what a stage "
                     "has of it is published, not made by CloudFormation",
                     STR_ARG(attribute->key), STR_ARG(id),
                     STR_ARG(place_text(l->arena, attribute->key_pos)), STR_ARG(owner)));
}

void attributes_warn(struct laying *l)
{
    member_each (m, l->flat)
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
            const struct member *a = node_member(m->value, str_c(attributes[i]));
            if (a && a->key_pos.source && !is_resource(l, m->key))
                warn(l, m->key, a);
        }
}
