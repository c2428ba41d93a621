/* Route 53's one operation. Its protocol is REST-XML. */
#include "aws/client/aws_internal.h"
#include "aws/client/xml.h"

static int list(struct arena *a, struct aws *aws, struct str marker, const struct node **ret,
                struct err *err)
{
    struct node *query = node_map(a);
    struct aws_answer answer;
    struct str root = {0};
    if (marker.n)
        node_put_str(a, query, "marker", marker);
    struct call call = {.service = aws_service_find("route53"),
                        .operation = "ListHostedZones",
                        .method = "GET",
                        .path = STR("/2013-04-01/hostedzone"),
                        .query = query_string(a, query)};
    if (call_send(a, aws, &call, &answer, err) < 0)
        return -1;
    *ret = xml_read(a, answer.body, &root, err);
    return *ret ? 0 : err_wrap(err, "ListHostedZones: unusable answer");
}

static const struct node *zone_of(struct arena *a, const struct node *zone)
{
    struct str id = text_of(zone, "Id"), name = text_of(zone, "Name");
    struct node *out = node_map(a);
    str_skip(&id, STR("/hostedzone/"));
    str_strip(&name, STR("."));
    node_put_str(a, out, "id", id);
    node_put_str(a, out, "name", name);
    node_put_c(
        a, out, "private",
        node_bool(a, str_eq(text_of(node_get_c(zone, "Config"), "PrivateZone"), STR("true"))));
    return out;
}

int route53_zones(struct arena *a, struct aws *aws, const struct node **ret, struct err *err)
{
    struct node *all = node_seq(a);
    struct pages pages = {0};
    const struct node *answer;
    do {
        if (list(a, aws, pages.token, &answer, err) < 0)
            return -1;
        const struct node *zones = answer_list(a, node_get_c(answer, "HostedZones"), "HostedZone");
        node_each (zone, zones)
            node_push(a, all, zone_of(a, zone));
    } while (page_next(&pages, "ListHostedZones", text_of(answer, "NextMarker"), err));
    *ret = all;
    return err->kind ? -1 : 0;
}
