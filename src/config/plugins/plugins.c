/* Walking `plugins`: the answer to each entry, the keys that it adds, its part in the tree. */
#include "config/plugins/plugins.h"

#include "base/buf.h"
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

#define BRIDGED "the project's own framework packages with it"

/* One that is not known is the project's to run. */
static enum plugin_answer answer_to(const struct plugin *p)
{
    return p ? p->answer : PLUGIN_BRIDGED;
}

bool plugins_bridged(const struct node *root)
{
    node_each (entry, listed(root))
        if (answer_to(plugin_find(node_text(entry))) == PLUGIN_BRIDGED)
            return true;
    return false;
}

const struct node *plugins_left_out(struct arena *a, const struct node *root)
{
    struct node *list = node_seq(a);
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        enum plugin_answer answer = answer_to(p);
        if (answer == PLUGIN_REPLACED || answer == PLUGIN_NOT_NEEDED ||
            (p && p->moment == MOMENT_HERE))
            node_push(a, list, node_str(a, node_text(entry)));
    }
    return list;
}

bool plugins_read(const struct node *root, struct str key)
{
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        if (p && p->key && str_eq(key, str_c(p->key)))
            return true;
    }
    return false;
}

const struct node *plugins_of_package(struct arena *a, const struct node *root, bool after)
{
    struct node *list = node_seq(a);
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        if (p && p->answer != PLUGIN_BRIDGED && p->moment != MOMENT_BEFORE &&
            (after || p->moment == MOMENT_TEMPLATE))
            node_push(a, list, node_str(a, node_text(entry)));
    }
    return list;
}

/* One line for all that are bridged. */
static void say_bridged(const struct checker *c, const struct node *root)
{
    const struct config_options *o = c->options;
    const struct node *first = NULL;
    struct buf names = BUF(c->arena);
    size_t n = 0;
    node_each (entry, listed(root)) {
        if (answer_to(plugin_find(node_text(entry))) != PLUGIN_BRIDGED)
            continue;
        first = first ? first : entry;
        buf_fmt(&names, "%s'%.*s'", n++ ? ", " : "", STR_ARG(node_text(entry)));
    }
    if (n && o->warn && !o->plugin)
        o->warn(o->warn_context, first->pos,
                str_fmt(c->arena, "bridged: the project's own framework packages with plugin%s %s",
                        n == 1 ? "" : "s", buf_str(&names).p),
                (struct str){0});
}

static void answer_one(const struct checker *c, const struct node *entry)
{
    static const char *const words[] = {
        [PLUGIN_REPLACED] = "replaced and not run",
        [PLUGIN_NOT_NEEDED] = "not needed and not run",
        [PLUGIN_BRIDGED] = "bridged",
    };
    const struct config_options *o = c->options;
    const struct plugin *p = plugin_find(node_text(entry));
    enum plugin_answer answer = answer_to(p);
    const char *says = p && p->says ? p->says : BRIDGED;
    if (o->plugin) {
        o->plugin(o->warn_context, entry->pos, node_text(entry), answer, str_c(says));
        return;
    }
    bool said_with_others = answer == PLUGIN_BRIDGED && !(p && p->says);
    if (answer != PLUGIN_BUILT_IN && !said_with_others && o->warn)
        o->warn(o->warn_context, entry->pos,
                str_fmt(c->arena, "plugin '%.*s' is %s: %s", STR_ARG(node_text(entry)),
                        words[answer], says),
                (struct str){0});
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

void plugins_answer(struct checker *c, const struct node *root, bool tells)
{
    if (tells)
        say_bridged(c, root);
    node_each (entry, listed(root)) {
        const struct plugin *p = plugin_find(node_text(entry));
        if (tells)
            answer_one(c, entry);
        if (p && p->key)
            add_keys(c, &schema_custom, custom_field(c->arena, p));
        if (p && p->function_keys)
            add_keys(c, &schema_function, p->function_keys);
        if (p && p->custom_keys)
            add_keys(c, &schema_custom, p->custom_keys);
        if (p && p->root_keys)
            add_keys(c, &schema_root, p->root_keys);
    }
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
