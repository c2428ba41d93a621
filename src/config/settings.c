/* custom.troupe, troupe's own section. An unknown key in it is always an error, whatever
 * configValidationMode says. */
#include "config/config_internal.h"

static const struct schema duration = {.type = TYPE_STRING,
                                       .expected = "a time like 90s, 10m or 1h",
                                       .pattern = "^[1-9][0-9]*[smhd]$"};

/* `command` is a text or a list of words, which src/build tells apart: a schema would make a text
 * of a list of one. */
#define BUILD                                                                       \
    {"command", NULL}, {"inputs", &list_of_strings}, {"outputs", &list_of_strings}, \
    {                                                                               \
        "environment", &string_map                                                  \
    }

static const struct schema build_settings = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(BUILD, {"limit", &duration}, {"functions", MAP_OF(CLOSED_MAP(BUILD))})};

#define SETTINGS                                                                              \
    {"resources", CLOSED_MAP({"service", &list_of_strings})},                                 \
        {"references", CLOSED_MAP({"unqualified", &list_of_strings})},                        \
        {"logs", CHOICE("service", "stage")},                                                 \
        {"functions", CLOSED_MAP({"perStage", &list_of_strings})},                            \
        {"apis",                                                                              \
         CLOSED_MAP({"rest", CHOICE("shared", "perStage")}, {"restStages", WHOLE(1, 1000)},   \
                    {"http", CHOICE("perStage", "shared")}, {"httpStages", WHOLE(1, 1000)})}, \
        {"regions", CHOICE("stage-only", "independent")},                                     \
        {"history", CLOSED_MAP({"keep", WHOLE(1, 1000)})}, {"build", &build_settings},        \
        {"shift", NULL}, {"terminationProtection", &list_of_strings},                         \
    {                                                                                         \
        "protect", &list_of_strings                                                           \
    }

static const struct schema stage_settings = {
    .type = TYPE_MAP, .closed = true, .fields = FIELDS(SETTINGS)};
static const struct schema settings_schema = {
    .type = TYPE_MAP,
    .closed = true,
    /* A map of overrides by stage, or a list of the stages that may be made. */
    .fields = FIELDS(SETTINGS, {"bridge", NULL},
                     {"stages", EITHER(MAP_OF(&stage_settings), &list_of_strings)})};

static void texts(struct arena *a, const struct node *list, struct str **ret, size_t *ret_count)
{
    *ret_count = node_count(list);
    *ret = ARENA_ARRAY(a, *ret_count, struct str);
    for (size_t i = 0; i < *ret_count; i++)
        (*ret)[i] = node_text(list->items[i]);
}

/* `base` with what `over` says: maps are merged, lists replaced. */
static const struct node *overridden(struct arena *a, const struct node *base,
                                     const struct node *over)
{
    if (!node_is(base, NODE_MAP) || !node_is(over, NODE_MAP))
        return over;
    struct node *merged = node_shallow(a, base);
    member_each (m, over) {
        const struct node *old = node_get(base, m->key);
        node_put_at(a, merged, m->key, m->key_pos, old ? overridden(a, old, m->value) : m->value);
    }
    return merged;
}

static void fill(struct arena *a, struct settings *s)
{
    const struct node *n = s->node;
    texts(a, node_path(n, "resources.service"), &s->service_resources, &s->service_resource_count);
    texts(a, node_path(n, "references.unqualified"), &s->unqualified, &s->unqualified_count);
    texts(a, node_path(n, "functions.perStage"), &s->per_stage_functions,
          &s->per_stage_function_count);
    texts(a, node_get_c(n, "protect"), &s->protect, &s->protect_count);
    texts(a, node_get_c(n, "terminationProtection"), &s->terminations, &s->termination_count);
    s->has_terminations = node_get_c(n, "terminationProtection") != NULL;
    if (node_is(node_get_c(n, "stages"), NODE_SEQ))
        texts(a, node_get_c(n, "stages"), &s->stage_names, &s->stage_name_count);
    s->logs_per_stage = node_is_text(node_get_c(n, "logs"), "stage");
    s->rest_per_stage = node_is_text(node_path(n, "apis.rest"), "perStage");
    s->http_shared = node_is_text(node_path(n, "apis.http"), "shared");
    s->regions_independent = node_is_text(node_get_c(n, "regions"), "independent");
    s->rest_stages = node_int_or(node_path(n, "apis.restStages"), 10);
    s->http_stages = node_int_or(node_path(n, "apis.httpStages"), 10);
    s->build = node_get_c(n, "build");
    s->bridge = node_get_c(n, "bridge");
    s->history_keep = node_int_or(node_path(n, "history.keep"), 10);
}

int settings_read(struct arena *a, const struct node *root, struct str stage, struct settings *ret,
                  struct err *err)
{
    *ret = (struct settings){0};
    const struct node *section = node_path(root, "custom.troupe");
    if (!node_empty(section)) {
        struct config_options none = {0};
        struct checker c = {.arena = a, .strict = true, .names = true, .options = &none};
        int checked = schema_check(&c, &settings_schema, STR("custom.troupe"), &section, err);
        const struct node *over = node_get(node_get_c(section, "stages"), stage);
        if (checked == 0)
            checked = settings_shift(&c, section, stage, &ret->shift, err);
        checker_free(&c);
        if (checked < 0)
            return -1;
        ret->node = over ? overridden(a, section, over) : section;
    }
    fill(a, ret);
    return 0;
}

bool settings_glob(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, retry = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            retry = n;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == name.p[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}
