/* What scripts gave, in source bundles. A script is not run again from there: it may be anybody's
 * who may deploy some stage, and node need not be where a reset is. A value that depends on the
 * stage holds for the stage that it was computed for. */
#include "config/variables/scripts.h"

void script_record(struct resolver *r, struct str text, const struct script_result *result)
{
    struct script_result *kept = ARENA_NEW(r->arena, struct script_result);
    *kept = *result;
    map_put(&r->scripts, text, kept);
}

static const struct node *entry_of(struct resolver *r, const struct script_result *result)
{
    struct arena *a = r->arena;
    struct node *entry = node_map(a);
    unsigned flags = result->flags | node_flags_deep(result->value);
    if (flags & NODE_SECRET)
        node_put_c(a, entry, "secret", node_bool(a, true));
    else
        node_put_c(a, entry, "value", result->value);
    if (flags & NODE_STAGE)
        node_put_str(a, entry, "stage", r->stage);
    node_put_c(a, entry, "modules", result->modules);
    return entry;
}

const struct node *scripts_bundle(struct resolver *r)
{
    struct node *out = node_map(r->arena);
    const struct source_bundle *b = r->options->bundle;
    for (size_t i = 0; i < r->scripts.n; i++)
        node_put(r->arena, out, r->scripts.entries[i].key,
                 entry_of(r, r->scripts.entries[i].value));
    member_each (m, b ? b->scripts : NULL)
        if (!node_get(out, m->key))
            node_put(r->arena, out, m->key, m->value);
    return out;
}

/* Hash of file `name` when bundle `b` was recorded; empty: unknown. */
static struct str hash_of(struct arena *a, const struct source_bundle *b, struct str name)
{
    const struct node *text = node_get(b->files, name);
    member_each (m, b->scripts) {
        const struct node *hash = node_get(node_get_c(m->value, "modules"), name);
        if (hash)
            return node_text(hash);
    }
    return text ? sha256_hex(a, node_text(text)) : STR("");
}

/* Would the scripts of bundle `b` have given what `entry`, of another bundle, says? */
static bool same_scripts(struct arena *a, const struct source_bundle *b, const struct node *entry)
{
    const struct node *modules = node_get_c(entry, "modules");
    member_each (m, modules)
        if (!str_eq(hash_of(a, b, m->key), node_text(m->value)))
            return false;
    return node_count(modules) > 0;
}

static bool holds_for(const struct node *entry, struct str stage)
{
    const struct node *of = node_get_c(entry, "stage");
    return entry && (!of || str_eq(node_text(of), stage));
}

static int refuse(const struct node *entry, struct str text, struct str name, struct str stage,
                  struct pos pos, struct err *err)
{
    const struct node *of = node_get_c(entry, "stage");
    if (!entry)
        err_at(err, pos, ERR_CONFIG,
               "'%.*s' is not in the recorded sources, whose scripts are not run: '%.*s'",
               STR_ARG(text), STR_ARG(name));
    else if (!holds_for(entry, stage))
        err_at(err, pos, ERR_CONFIG,
               "'%.*s' depends on the stage: it is recorded for '%.*s' only, and recorded scripts "
               "are not run",
               STR_ARG(text), STR_ARG(node_text(of)));
    else
        err_at(err, pos, ERR_CONFIG,
               "'%.*s' was made of a secret, so it is not recorded, and recorded scripts are not "
               "run",
               STR_ARG(text));
    return err_help(err, "deploy from the files instead: troupe deploy %.*s",
                    STR_ARG(stage.n ? stage : STR("STAGE")));
}

/* The scripts are the same, but what they read beside modules may have changed. */
static void warn_of_own(const struct resolver *r, struct str text, struct str stage, struct pos pos)
{
    const struct config_options *o = r->options;
    if (!o->warn)
        return;
    o->warn(o->warn_context, pos,
            str_fmt(r->arena,
                    "'%.*s' depends on the stage: it stays as the last deployment of '%.*s' "
                    "computed it",
                    STR_ARG(text), STR_ARG(stage)),
            str_fmt(r->arena, "to have it computed anew, deploy from the files: troupe deploy %.*s",
                    STR_ARG(stage)));
}

int script_recorded(struct resolver *r, struct str text, struct str name, struct pos pos,
                    struct script_result *ret, struct err *err)
{
    const struct source_bundle *b = r->options->bundle;
    struct str stage = r->stage.n ? r->stage : r->options->stage;
    const struct node *here = node_get(b->scripts, text);
    const struct node *own = b->own ? node_get(b->own->scripts, text) : NULL;
    const struct node *entry;
    bool of_own = !holds_for(here, stage) && holds_for(own, stage) && node_get_c(own, "value") &&
                  !str_eq(name, b->main) && same_scripts(r->arena, b, own);
    entry = of_own ? own : here;
    const struct node *value = node_get_c(entry, "value");
    if (!holds_for(entry, stage) || !value)
        return refuse(entry, text, name, stage, pos, err);
    if (of_own)
        warn_of_own(r, text, stage, pos);
    *ret = (struct script_result){.value = value,
                                  .flags = node_get_c(entry, "stage") ? NODE_STAGE : 0,
                                  .modules = node_get_c(entry, "modules")};
    return 0;
}
