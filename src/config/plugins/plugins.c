/* Walking `plugins`: the answer to each entry, the keys that it adds, its part in the tree. */
#include "config/plugins/plugins.h"

#include "config/variables/variables.h"

static const struct node *listed(const struct node *root)
{
    const struct node *list = node_get_c(root, "plugins");
    return node_is(list, NODE_MAP) ? node_get_c(list, "modules") : list;
}

static const struct plugin *plugin_find(struct str name)
{
    for (const struct plugin *p = plugin_rows; p->names; p++)
        for (size_t i = 0; p->names[i]; i++)
            if (str_eq(name, str_c(p->names[i])))
                return p;
    return NULL;
}

bool plugin_listed(const struct node *root, const char *name)
{
    const struct plugin *wanted = plugin_find(str_c(name));
    node_each (entry, listed(root))
        if (plugin_find(node_text(entry)) == wanted)
            return true;
    return false;
}

const char *plugin_of_key(const struct schema *of, struct str key)
{
    for (const struct plugin *p = plugin_rows; p->names; p++) {
        const struct field *f = of == &schema_function ? p->function_keys
                                : of == &schema_root   ? p->root_keys
                                                       : NULL;
        for (; f && f->name; f++)
            if (str_eq(key, str_c(f->name)))
                return p->names[0];
    }
    return NULL;
}

/* ---- the answer ---- */

#define ADVICE                                                                                  \
    "plugins are not run: remove it if the service works without, or write what it makes into " \
    "'resources' and package its code by 'package.artifact'"

static int refuse(const struct node *entry, const char *says, struct err *err)
{
    err_at(err, entry->pos, ERR_CONFIG, "plugin '%.*s' is not supported",
           STR_ARG(node_text(entry)));
    return err_help(err, "%s", says);
}

static int answer_one(struct checker *c, const struct node *entry, struct err *err)
{
    static const char *const words[] = {
        [PLUGIN_REPLACED] = "replaced and not run",
        [PLUGIN_NOT_NEEDED] = "not needed and not run",
    };
    const struct config_options *o = c->options;
    const struct plugin *p = plugin_find(node_text(entry));
    enum plugin_answer answer = p ? p->answer : PLUGIN_REFUSED;
    const char *says = p && p->says ? p->says : ADVICE;
    if (o->plugin) {
        o->plugin(o->warn_context, entry->pos, node_text(entry), answer, str_c(says));
        return 0;
    }
    if (answer == PLUGIN_REFUSED)
        return refuse(entry, says, err);
    if (answer != PLUGIN_BUILT_IN && o->warn)
        o->warn(o->warn_context, entry->pos,
                str_fmt(c->arena, "plugin '%.*s' is %s: %s", STR_ARG(node_text(entry)),
                        words[answer], says),
                (struct str){0});
    return 0;
}

static void add_keys(struct checker *c, const struct schema *of, const struct field *fields)
{
    struct schema_more *more = ARENA_NEW(c->arena, struct schema_more);
    *more = (struct schema_more){of, fields, c->more};
    c->more = more;
}

/* Two fields: the plugin's key, and the end of the list. */
static const struct field *custom_field(struct arena *a, const struct plugin *p)
{
    struct field *fields = ARENA_ARRAY(a, 2, struct field);
    fields[0] = (struct field){
        .name = p->key, .schema = p->options, .no_effect = p->options ? NULL : p->says};
    fields[1] = (struct field){0};
    return fields;
}

int plugins_answer(struct checker *c, const struct node *root, struct err *err)
{
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        struct err one = {0};
        if (c->options->part == LOAD_ALL)
            answer_one(c, entry, &one);
        err_also(err, &one);
        if (p && p->key)
            add_keys(c, &schema_custom, custom_field(c->arena, p));
        if (p && p->function_keys)
            add_keys(c, &schema_function, p->function_keys);
        if (p && p->root_keys)
            add_keys(c, &schema_root, p->root_keys);
    }
    return err->kind ? -1 : 0;
}

/* ---- the part in the tree ---- */

int plugins_apply(struct resolver *r, struct node *root, struct err *err)
{
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        struct err one = {0};
        if (!p || !p->apply || (r->options->part != LOAD_ALL && !p->for_location))
            continue;
        const struct node *custom = node_get_c(root, "custom");
        const struct node *options = p->key ? node_get_c(custom, p->key) : NULL;
        if (p->apply(r, root, node_empty(options) ? NULL : options, &one) < 0)
            err_wrap(&one, "plugin '%s'", p->names[0]);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
