/* Request validation: one validator for the API, models from `request.schemas`. */
#include "compile/rest/rest.h"

/* ---- words of a name ---- */

static bool is_up(char ch)
{
    return ch >= 'A' && ch <= 'Z';
}

static bool is_low(char ch)
{
    return ch >= 'a' && ch <= 'z';
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static size_t span(struct str s, size_t from, bool (*is)(char))
{
    size_t i = from;
    while (i < s.n && is(s.p[i]))
        i++;
    return i;
}

/* End of the word that begins at `i`: capitals before a capitalised word, a word, digits. */
static size_t word_end(struct str s, size_t i)
{
    if (is_digit(s.p[i]))
        return span(s, i, is_digit);
    size_t up = span(s, i, is_up), low = span(s, up, is_low);
    if (low == up || up <= i + 1)
        return low;
    return up - 1;
}

/* "application/json" -> "ApplicationJson"; `lower`: "myHTTPModel" -> "MyHttpModel". */
static struct str words_joined(struct arena *a, struct str s, bool lower)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n;) {
        if (!is_up(s.p[i]) && !is_low(s.p[i]) && !is_digit(s.p[i])) {
            i++;
            continue;
        }
        size_t end = word_end(s, i);
        struct str word = str_sub(s, i, end - i);
        buf_add(&b, str_upper_first(a, lower ? str_lower(a, word) : word));
        i = end;
    }
    return buf_str(&b);
}

/* ---- the validator ---- */

static bool has_required(const struct node *parameters)
{
    member_each (m, parameters) {
        bool is_object = node_is(m->value, NODE_MAP) || node_is(m->value, NODE_SEQ);
        const struct node *required = is_object ? node_get_c(m->value, "required") : m->value;
        bool is_open = is_object && node_empty(required);
        if (is_open || node_truthy(required))
            return true;
    }
    return false;
}

static struct str validator_add(struct compilation *c, const struct rest_event *e)
{
    struct arena *a = c->arena;
    struct str id = str_fmt(a, "ApiGateway%.*sRequestValidator",
                            STR_ARG(name_alphanumeric(a, c->service->name)));
    if (node_get(c->resources, id))
        return id;
    static const char purpose[] = "Validate request body and querystring parameters";
    struct node *name =
        c->options->naming == NAMING_SHARED
            ? node_strf(a, "%.*s | %s", STR_ARG(c->service->name), purpose)
            : node_staged(c, str_fmt(a, "%.*s | %s", STR_ARG(name_prefix(c)), purpose));
    struct node *p = node_map(a);
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "ValidateRequestBody", node_bool(a, true));
    node_put_c(a, p, "ValidateRequestParameters", node_bool(a, true));
    node_put_c(a, p, "Name", name);
    resource_set(c, id, resource_new(a, "AWS::ApiGateway::RequestValidator", p), e->event.pos);
    return id;
}

/* ---- models ---- */

static struct str model_put(struct compilation *c, struct str id, struct str type,
                            const struct node *schema, const struct node *named, struct pos pos)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "ContentType", node_str(a, type));
    node_put_c(a, p, "Schema", schema);
    if (node_truthy(node_get_c(named, "name")))
        copy_member(a, p, "Name", named, "name");
    if (node_truthy(node_get_c(named, "description")))
        copy_member(a, p, "Description", named, "description");
    resource_set(c, id, resource_new(a, "AWS::ApiGateway::Model", p), pos);
    return id;
}

/* A schema that several methods share, from provider.apiGateway.request.schemas. */
static struct str shared_model(struct compilation *c, const struct node *name,
                               const struct node *model)
{
    struct arena *a = c->arena;
    const struct node *schema = node_get_c(model, "schema");
    struct str id =
        str_fmt(a, "ApiGateway%.*sModel", STR_ARG(words_joined(a, node_text(name), true)));
    return model_put(c, id, STR("application/json"), node_truthy(schema) ? schema : model, model,
                     model->pos);
}

static struct str own_model(struct compilation *c, const struct rest_event *e,
                            const struct member *m)
{
    struct arena *a = c->arena;
    const struct node *schema = node_get_c(m->value, "schema");
    bool is_wrapped = node_truthy(schema);
    struct str id = str_fmt(a, "%.*s%.*sModel", STR_ARG(rest_method_id(a, e->path, e->method)),
                            STR_ARG(words_joined(a, m->key, false)));
    return model_put(c, id, m->key, is_wrapped ? schema : m->value, is_wrapped ? m->value : NULL,
                     m->key_pos);
}

static struct str model_add(struct compilation *c, const struct rest_event *e,
                            const struct member *m)
{
    const struct node *shared = node_path(c->rest->settings, "request.schemas");
    const struct node *model =
        node_is(m->value, NODE_MAP) ? NULL : node_get(shared, node_text(m->value));
    return node_truthy(model) ? shared_model(c, m->value, model) : own_model(c, e, m);
}

void rest_validate(struct compilation *c, const struct rest_event *e)
{
    struct arena *a = c->arena;
    const struct node *schemas = node_entries(a, node_get_c(e->request, "schemas"));
    bool has_schemas = node_count(schemas) > 0;
    if (!has_schemas && !has_required(e->parameters))
        return;
    struct str id = rest_method_id(a, e->path, e->method);
    struct node *validator = node_ref(a, validator_add(c, e)), *models = node_map(a);
    member_each (m, schemas)
        node_put_at(a, models, m->key, m->key_pos, node_ref(a, model_add(c, e, m)));
    const struct node *method = node_get(c->resources, id);
    method = cfn_with_property(a, method, "RequestValidatorId", validator);
    if (has_schemas)
        method = cfn_with_property(a, method, "RequestModels", models);
    node_put(a, c->resources, id, method);
}

void rest_validation(struct compilation *c)
{
    vec_each (&c->rest->events, e)
        rest_validate(c, e);
}
