/* Source bundles: what took part in a service is recorded in the resolver, and what a bundle has
 * recorded is looked up. Variables are named by their resolved text, so that a value is used again
 * for whatever stage asks for the same one. */
#include "config/variables/scripts.h"

#include "base/fs.h"

/* ---- the bundle of a service ---- */

static const struct node *names_of(struct arena *a, const struct node *map)
{
    struct node *list = node_seq(a);
    member_each (m, map)
        node_push(a, list, node_str(a, m->key));
    return list;
}

/* May `text`, which a bundle has as absent, tell other stages something? */
static bool serves_others(struct str text)
{
    return str_starts(text, STR("env(.env")) || str_starts(text, STR("unrecorded(")) ||
           str_find(text, STR("<*>"), 0) >= 0;
}

/* Record again everything of an old bundle that another stage may still need. */
static void carry_over(struct resolver *r)
{
    const struct source_bundle *b = r->options->bundle;
    struct arena *a = r->arena;
    member_each (m, b->files)
        record_file(r, m->key, m->value->text);
    member_each (m, b->externals)
        if (str_starts(m->key, STR("env")) && !node_get(r->externals, m->key))
            node_put(a, r->externals, m->key, m->value);
    node_each (text, b->absent)
        if (serves_others(node_text(text)))
            record_absent(r, node_text(text));
}

/* Record what `.env` says of every name that was asked of the stage's own file: a stage without a
 * file of its own takes it from there. */
static void record_dotenv(struct resolver *r)
{
    struct map *values;
    struct str prefix = dotenv_text(r, r->dotenv_name, STR(""));
    const struct node *asked[] = {names_of(r->arena, r->externals), names_of(r->arena, r->absent)};
    cleanup_err struct err ignored = {0};
    if (!r->dotenv_name.n || str_eq(r->dotenv_name, STR(".env")) ||
        dotenv_read(r, STR(".env"), &values, &ignored) < 0 || !values)
        return;
    for (size_t i = 0; i < 2; i++)
        node_each (text, asked[i]) {
            struct str name = text->text;
            if (!str_skip(&name, prefix))
                continue;
            struct query q = {.type = STR("env")};
            const struct str *value = map_get(values, name);
            record_value(r, &q, dotenv_text(r, STR(".env"), name),
                         value ? node_str(r->arena, *value) : NULL);
        }
}

/* Names of the .env files in the service directory, which tell the stages that have one of their
 * own. */
static const struct node *dotenv_files(struct resolver *r)
{
    const struct source_bundle *b = r->options->bundle;
    struct node *list = node_seq(r->arena);
    struct str *names;
    size_t count;
    cleanup_err struct err ignored = {0};
    if (b)
        return b->dotenv ? b->dotenv : list;
    if ((!r->use_dotenv && !r->lists_dotenv) ||
        fs_list(r->arena, r->dir, &names, &count, &ignored) < 0)
        return list;
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], STR(".env")) || str_starts(names[i], STR(".env.")))
            node_push(r->arena, list, node_str(r->arena, names[i]));
    return list;
}

struct source_bundle service_bundle(const struct service *s)
{
    struct resolver *r = s->resolver;
    struct arena *a = r->arena;
    if (r->options->bundle) {
        carry_over(r);
    } else {
        siblings_record(r);
        record_dotenv(r);
    }
    struct node *files = node_map(a);
    vec_each (&r->sources, file)
        node_put(a, files, file->path, node_str(a, file->text));
    const struct config_options *options = r->options;
    enum dialect given = options->dialect  ? options->dialect
                         : options->bundle ? options->bundle->dialect
                                           : 0;
    return (struct source_bundle){.main = options->bundle ? options->bundle->main : s->file,
                                  .files = files,
                                  .externals = r->externals,
                                  .absent = names_of(a, r->absent),
                                  .params = s->params,
                                  .options = s->options,
                                  .dotenv = dotenv_files(r),
                                  .scripts = scripts_bundle(r),
                                  .dialect = given};
}

/* ---- the object ---- */

static const char *const dialects[] = {"3", "4", NULL}; /* as DIALECT_3 and so on */
static const struct object_member members[] = {
    MEMBER(source_bundle, main, OBJECT_TEXT),
    MEMBER(source_bundle, files, OBJECT_NAMED, OBJECT_REQUIRED),
    MEMBER(source_bundle, externals, OBJECT_TREE),
    MEMBER(source_bundle, absent, OBJECT_TEXTS),
    MEMBER(source_bundle, params, OBJECT_NAMED),
    MEMBER(source_bundle, options, OBJECT_NAMED),
    MEMBER(source_bundle, dotenv, OBJECT_TEXTS),
    MEMBER(source_bundle, scripts, OBJECT_TREE),
    MEMBER(source_bundle, dialect, OBJECT_WORD, 0, dialects),
    {0},
};
const struct object_table source_bundle_table = {"source bundle", sizeof(struct source_bundle),
                                                 members};

int source_bundle_read(struct arena *a, struct str key, const struct node *n, struct str stage,
                       struct source_bundle *ret, struct err *err)
{
    if (object_format(n) > OBJECT_FORMAT)
        return object_check(n, key, err);
    if (object_read(a, &source_bundle_table, n, ret, err) < 0)
        return err_wrap(err, "the recorded source is damaged");
    ret->stage = stage;
    return 0;
}
