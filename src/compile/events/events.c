/* The table of event compilers, and walking the events of a service with it.
 *
 * A new kind of event is a file event_<key>.c and a row here. Rows are in the order in which the
 * dialect compiles: one kind after the other over all functions, which decides the order of what
 * they add to the function role. */
#include "compile/compile_internal.h"

static const struct event_type *const event_types[] = {
    &event_schedule,
    &event_s3,
    &event_http,
    &event_websocket,
    &event_sns,
    &event_stream,
    &event_kafka,
    &event_activemq,
    &event_rabbitmq,
    &event_msk,
    &event_alb,
    &event_alexa_skill,
    &event_alexa_smart_home,
    &event_iot,
    &event_iot_fleet_provisioning,
    &event_cloudwatch_event,
    &event_cloudwatch_log,
    &event_cognito_user_pool,
    &event_event_bridge,
    &event_sqs,
    &event_cloud_front,
    &event_http_api,
};
enum { EVENT_TYPE_COUNT = sizeof event_types / sizeof *event_types };

static const struct event_type *type_by_key(struct str key)
{
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++)
        if (str_eq(key, str_c(event_types[i]->key)))
            return event_types[i];
    return NULL;
}

typedef int visit_event(struct compilation *c, const struct event_type *type,
                        const struct event *event, void *context, struct err *err);

static int each_event(struct compilation *c, visit_event *visit, void *context, struct err *err)
{
    const struct service *s = c->service;
    for (size_t f = 0; f < s->function_count; f++) {
        const struct node *list = node_get_c(s->functions[f].node, "events");
        struct err one = {0};
        if (!node_empty(list) && !node_is(list, NODE_SEQ)) {
            err_at(&one, list->pos, ERR_CONFIG,
                   "'events' of function '%.*s' must be a list, not %s",
                   STR_ARG(s->functions[f].key), node_kind_name(list));
            err_also(err, &one);
        }
        /* The dialect makes nothing of a key alone, of one without a value and of one that it does
         * not know: the schema says so. */
        node_each (entry, list)
            member_each (m, entry) {
                struct event event = {.function = &s->functions[f],
                                      .function_index = f,
                                      .index = i_entry,
                                      .node = m->value,
                                      .pos = m->key_pos};
                const struct event_type *type = type_by_key(m->key);
                if (type && node_truthy(m->value))
                    visit(c, type, &event, context, &one);
                err_also(err, &one);
            }
    }
    return err->kind ? -1 : 0;
}

static int note_type(struct compilation *c, const struct event_type *type,
                     const struct event *event, void *context, struct err *err)
{
    (void)c, (void)event, (void)err;
    bool *present = context;
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++)
        present[i] = present[i] || event_types[i] == type;
    return 0;
}

static int compile_if(struct compilation *c, const struct event_type *type,
                      const struct event *event, void *context, struct err *err)
{
    const struct event_type **wanted = context;
    if (*wanted != type)
        return 0;
    if (type->compile(c, event, err) < 0)
        return err_wrap(err, "function '%.*s': event '%s'", STR_ARG(event->function->key),
                        type->key);
    return 0;
}

int events_compile(struct compilation *c, struct err *err)
{
    bool present[EVENT_TYPE_COUNT] = {0};
    if (each_event(c, note_type, present, err) < 0)
        return -1;
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
        const struct event_type *type = event_types[i];
        struct err one = {0};
        if (present[i] && (!type->begin || type->begin(c, &one) == 0) &&
            each_event(c, compile_if, &type, &one) == 0 && type->finish)
            type->finish(c, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
