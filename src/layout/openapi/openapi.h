/* Definitions of APIs: from `AWS::ApiGateway::*` or `AWS::ApiGatewayV2::*` resources of a flat
 * template to one OpenAPI 3.0 document with API Gateway extensions, such as PutRestApi and
 * ReimportApi take.
 *
 * Pure. Source of the extensions: API Gateway developer guide, "OpenAPI extensions for API
 * Gateway". */
#ifndef TROUPE_LAYOUT_OPENAPI_OPENAPI_H
#define TROUPE_LAYOUT_OPENAPI_OPENAPI_H

#include "doc/node.h"

struct openapi_options {
    struct str title; /* info.title: the API's Name */
    /* Gives, for a Lambda function's logical id in this template, the literal that stands in
     * integration and authorizer URIs for `Fn::GetAtt: [id, Arn]`: e.g. an intrinsic that builds
     * "arn:…:function:<name>:${stageVariables.alias}". NULL result: leave the reference. */
    const struct node *(*function_arn)(void *context, struct arena *a, struct str logical_id);
    void *context;
};

struct openapi {
    const struct node
        *document; /* may still hold intrinsics; the release resolves them to literals */
    /* Logical ids of the template that went into it, besides the API itself: resources, methods,
     * authorizers, models, validators, gateway responses; integrations and routes. The layout drops
     * them. */
    struct str *consumed;
    size_t consumed_count;
};

/* Build the document of the API `api_id` in `template` (a flat template as compile makes it, user's
 * own resources of these types with that RestApiId included). ERR_CONFIG with a place for a
 * property that has no counterpart in OpenAPI. */
int openapi_build(struct arena *a, const struct node *template, struct str api_id,
                  const struct openapi_options *options, struct openapi *ret, struct err *err);

/* The same for the HTTP API `api_id`. CORS is not in it: it holds for the whole API at once, so it
 * is the head's, and whoever publishes adds what the head has (openapi_cors). */
int openapi_build_http(struct arena *a, const struct node *template, struct str api_id,
                       const struct openapi_options *options, struct openapi *ret, struct err *err);
/* CorsConfiguration as "x-amazon-apigateway-cors" has it. */
struct node *openapi_cors(struct arena *a, const struct node *configuration);

#endif
