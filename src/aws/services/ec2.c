/* EC2's operations. */
#include "aws/client/aws_internal.h"

#include "base/vec.h"

/* EC2 numbers its lists without "member". */
static struct node *numbered(struct arena *a, const struct node *seq)
{
    struct node *out = node_map(a);
    size_t n = 0;
    node_each (item, seq)
        node_put(a, out, str_fmt(a, "%zu", ++n), item);
    return out;
}

static struct node *filter(struct arena *a, const char *name, const struct node *values)
{
    struct node *out = node_map(a);
    node_put_str(a, out, "Name", str_c(name));
    node_put_c(a, out, "Value", numbered(a, values));
    return out;
}

static const struct node *groups_of(struct arena *a, const struct node *interface)
{
    struct node *ids = node_seq(a);
    node_each (group, answer_list(a, node_get_c(interface, "groupSet"), "item"))
        node_push(a, ids, node_get_c(group, "groupId"));
    return ids;
}

int ec2_lambda_interfaces(struct arena *a, struct aws *aws, const char *name,
                          const struct node *ids, struct network_interface **ret, size_t *ret_n,
                          struct err *err)
{
    static const char *const operation = "DescribeNetworkInterfaces";
    struct node *params = node_map(a), *filters = node_seq(a), *types = node_seq(a);
    VEC(struct network_interface) all = {0};
    struct pages p = {0};
    const struct node *answer;
    node_push(a, types, node_str(a, STR("lambda")));
    node_push(a, filters, filter(a, name, ids));
    node_push(a, filters, filter(a, "interface-type", types));
    node_put_c(a, params, "Filter", numbered(a, filters));
    do {
        if (p.token.n)
            node_put_str(a, params, "NextToken", p.token);
        if (aws_query(a, aws, "ec2", operation, params, &answer, err) < 0)
            return -1;
        node_each (item, answer_list(a, node_get_c(answer, "networkInterfaceSet"), "item"))
            vec_push(a, &all,
                     (struct network_interface){text_of(item, "networkInterfaceId"),
                                                text_of(item, "description"),
                                                text_of(item, "subnetId"), groups_of(a, item)});
    } while (page_next(&p, operation, text_of(answer, "nextToken"), err));
    *ret = all.p;
    *ret_n = all.n;
    return err->kind ? -1 : 0;
}
