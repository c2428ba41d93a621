/* What both of API Gateway's services have in common: apigateway.c, apigatewayv2.c. */
#ifndef TROUPE_AWS_SERVICES_GATEWAY_INTERNAL_H
#define TROUPE_AWS_SERVICES_GATEWAY_INTERNAL_H

#include "aws/client/aws_internal.h"
#include "aws/services/gateway.h"

struct gateway_service {
    const char *id;
    /* Of lists: the parameter with the size of a page, the one (and member of the answer) that says
     * where it goes on, and the member with the items. */
    const char *limit, *next, *items;
};

/* `ret` may be NULL. */
int gateway_send(struct arena *a, struct aws *aws, const struct gateway_service *service,
                 const char *operation, const struct aws_rest *request, const struct node **ret,
                 struct err *err);
/* Seq of the items of all pages; `query` is that of each, or NULL. */
int gateway_list(struct arena *a, struct aws *aws, const struct gateway_service *service,
                 const char *operation, struct str path, const struct node *query,
                 const struct node **ret, struct err *err);
/* Mappings of a custom domain as API Gateway v2 has them: apigatewayv2.c */
int gateway_http_mappings(struct arena *a, struct aws *aws, struct str domain,
                          const struct node **ret, struct err *err);
/* The same items in the order of the member `id`: lists come in no particular one. */
const struct node *gateway_sorted(struct arena *a, const struct node *items, const char *id);

#endif
