/* What the builders of API definitions share: openapi.c (REST APIs), openapi_http.c (HTTP APIs). */
#ifndef TROUPE_LAYOUT_OPENAPI_OPENAPI_INTERNAL_H
#define TROUPE_LAYOUT_OPENAPI_OPENAPI_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "layout/openapi/openapi.h"

struct building {
    struct arena *arena;
    const struct node *resources; /* of the template */
    struct str api;
    const char *what; /* the API, for messages: "a shared REST API" */
    const struct openapi_options *options;
    struct node *paths, *schemas, *schemes, *validators, *gateway_responses, *integrations;
    struct map items; /* path -> struct node *: the Path Item Objects in `paths` */
};

/* ---- properties ---- */

enum form {
    FORM_SAME,   /* the value as it is */
    FORM_LOWER,  /* a word in lower case */
    FORM_ARNS,   /* ARNs of functions in it become what the options say */
    FORM_MEMBER, /* names of members begin with a small letter */
    FORM_DONE,   /* handled elsewhere, or not in the definition */
};

struct property {
    const char *from; /* in CloudFormation */
    const char *to;   /* in the document; NULL for FORM_DONE */
    enum form form;
};

/* Put every property of `from` where the table says; ERR_CONFIG for one that is not in it. */
int openapi_put(struct building *b, struct node *to, const struct node *from,
                const struct property *table, const char *what, struct err *err);
/* `n` with {"Fn::GetAtt": [f, "Arn"]} and {"Ref": alias of f} replaced by what the options say. */
const struct node *openapi_with_arns(struct building *b, const struct node *n);

/* "Issuer" -> "issuer" */
struct str openapi_lower_first(struct arena *a, struct str s);

/* ---- security ---- */

/* Put a requirement of an operation into its `security`. */
void openapi_require(struct building *b, struct node *security, struct str scheme,
                     const struct node *scopes);
/* Put a scheme that several operations share; the first of them makes it. */
void openapi_scheme(struct building *b, const char *name, const char *header, const char *authtype);

/* ---- parts ---- */

struct openapi_part {
    const char *type;
    int (*add)(struct building *, struct str id, const struct node *properties, struct err *);
};
/* The row for `resource`, of those until a type of NULL; also NULL when its property `owner` does
 * not name the API. */
const struct openapi_part *openapi_part_of(const struct openapi_part *parts, const char *owner,
                                           const struct node *resource, struct str api);
/* Every resource that has a row, type by type. */
int openapi_parts(struct building *b, const struct openapi_part *parts, const char *owner,
                  struct err *err);
/* Set `key` of `to`, unless `map` is empty. */
void openapi_put_any(struct arena *a, struct node *to, const char *key, const struct node *map);
/* Add an operation to `paths`; "ANY" becomes "x-amazon-apigateway-any-method". */
void openapi_operation(struct building *b, struct str path, struct str method,
                       const struct node *operation);
/* Put an API's endpoint where OpenAPI 3 has it, into extensions of a server. Source: API Gateway
 * developer guide, "x-amazon-apigateway-endpoint-configuration object". */
void openapi_endpoint(struct arena *a, struct node *document, const struct node *endpoint);

#endif
