#include "release/publish/publish_models.h"

#include "cfn/template.h"
#include "doc/json.h"

static const struct node *schemas_of(const struct node *document)
{
    return node_path(document, "components.schemas");
}

struct str models_withhold(struct arena *a, const struct node *document)
{
    struct node *schemas = node_map(a);
    member_each (m, schemas_of(document)) {
        struct node *any = node_map(a);
        node_put_str(a, any, "type", STR("object"));
        node_put_c(a, any, "description", node_get_c(m->value, "description"));
        node_put(a, schemas, m->key, any);
    }
    if (!schemas->size)
        return json_canonical(a, document);
    const struct node *components = node_get_c(document, "components");
    return json_canonical(
        a, cfn_with(a, document, "components", cfn_with(a, components, "schemas", schemas)));
}

/* Within an API models name each other by links. */
static struct str schema_text(struct arena *a, struct str api, const struct node *schema)
{
    return str_replace(
        a, json_canonical(a, schema), STR("\"#/components/schemas/"),
        str_fmt(a, "\"https://apigateway.amazonaws.com/restapis/%.*s/models/", STR_ARG(api)));
}

static struct str canonical(struct arena *a, struct str text)
{
    cleanup_err struct err ignored = {0};
    const struct node *schema = json_parse(a, STR("model"), text, &ignored);
    return schema ? json_canonical(a, schema) : text;
}

/* The API's models whose names the document has, too; those of other stages are left out. Empty,
 * and without a call, when the document has none. */
static int read_models(struct arena *a, const struct release *r, const struct gateway *gateway,
                       struct str api, const struct node *wanted, const struct node **ret,
                       struct err *err)
{
    struct node *found = node_seq(a);
    const struct node *now;
    *ret = found;
    if (!gateway->models || !node_count(wanted))
        return 0;
    if (gateway->models(a, r->aws, api, &now, err) < 0)
        return -1;
    node_each (model, now)
        if (node_get(wanted, node_text(node_get_c(model, "name"))))
            node_push(a, found, model);
    return 0;
}

int models_bring(struct arena *a, const struct release *r, const struct gateway *gateway,
                 struct str api, const struct node *document, struct err *err)
{
    const struct node *models, *wanted = schemas_of(document);
    if (read_models(a, r, gateway, api, wanted, &models, err) < 0)
        return -1;
    node_each (model, models) {
        struct str name = node_text(node_get_c(model, "name"));
        struct str text = schema_text(a, api, node_get(wanted, name));
        if (!str_eq(canonical(a, node_text(node_get_c(model, "schema"))), text) &&
            gateway->model_set(a, r->aws, api, name, text, err) < 0)
            return err_wrap(err, "model '%.*s'", STR_ARG(name));
    }
    return 0;
}

static const struct node *line(struct arena *a, struct str name, struct str schema)
{
    return node_strf(a, "model %.*s %.*s", STR_ARG(name), STR_ARG(schema));
}

const struct node *models_wanted(struct arena *a, struct str api, const struct node *document)
{
    struct node *lines = node_seq(a);
    member_each (m, schemas_of(document))
        node_push(a, lines, line(a, m->key, schema_text(a, api, m->value)));
    return lines;
}

int models_now(struct arena *a, const struct release *r, const struct gateway *gateway,
               struct str api, const struct node *document, const struct node **ret,
               struct err *err)
{
    struct node *lines = node_seq(a);
    const struct node *models;
    *ret = lines;
    if (read_models(a, r, gateway, api, schemas_of(document), &models, err) < 0)
        return -1;
    node_each (model, models)
        node_push(a, lines,
                  line(a, node_text(node_get_c(model, "name")),
                       canonical(a, node_text(node_get_c(model, "schema")))));
    return 0;
}
