/* Requests to API Gateway. */
#include "aws/services/gateway_internal.h"

#include "cfn/template.h"

int gateway_send(struct arena *a, struct aws *aws, const struct gateway_service *service,
                 const char *operation, const struct aws_rest *request, const struct node **ret,
                 struct err *err)
{
    struct aws_answer answer;
    if (aws_rest_json(a, aws, service->id, operation, request, &answer, err) < 0)
        return -1;
    if (ret)
        *ret = answer.node;
    return 0;
}

int gateway_list(struct arena *a, struct aws *aws, const struct gateway_service *service,
                 const char *operation, struct str path, const struct node *query,
                 const struct node **ret, struct err *err)
{
    struct node *items = node_seq(a);
    struct pages p = {0};
    const struct node *answer;
    query = cfn_with(a, query, service->limit, node_str(a, STR("500")));
    do {
        struct aws_rest request = {.method = "GET", .path = path, .query = query};
        if (p.token.n)
            request.query = cfn_with(a, query, service->next, node_str(a, p.token));
        if (gateway_send(a, aws, service, operation, &request, &answer, err) < 0)
            return -1;
        node_each (item, answer_list(a, answer, service->items))
            node_push(a, items, item);
    } while (page_next(&p, operation, text_of(answer, service->next), err));
    *ret = items;
    return err->kind ? -1 : 0;
}

struct item {
    struct str id;
    const struct node *node;
};

static int by_id(const void *x, const void *y)
{
    return str_cmp(((const struct item *)x)->id, ((const struct item *)y)->id);
}

const struct node *gateway_sorted(struct arena *a, const struct node *items, const char *id)
{
    struct item *all = ARENA_ARRAY(a, items->count + 1, struct item);
    struct node *out = node_seq(a);
    for (size_t i = 0; i < items->count; i++)
        all[i] = (struct item){text_of(items->items[i], id), items->items[i]};
    qsort(all, items->count, sizeof *all, by_id);
    for (size_t i = 0; i < items->count; i++)
        node_push(a, out, all[i].node);
    return out;
}
