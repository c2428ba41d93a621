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

/* The document of the API `api_id` in `template` (a flat template as compile makes it, user's own
 * resources of these types with that RestApiId included). It may still hold intrinsics; the release
 * resolves them to literals. NULL: ERR_CONFIG with a place for a property that has no counterpart
 * in OpenAPI. */
const struct node *openapi_build(struct arena *a, const struct node *template, struct str api_id,
                                 const struct openapi_options *options, struct err *err);
/* Does `resource` go into that document? Resources, methods, authorizers, models, validators and
 * gateway responses do. */
bool openapi_takes(const struct node *resource, struct str api_id);

/* The same for the HTTP API `api_id`. CORS is not in it: it holds for the whole API at once, so it
 * is the head's, and whoever publishes adds what the head has (openapi_cors). */
const struct node *openapi_build_http(struct arena *a, const struct node *template,
                                      struct str api_id, const struct openapi_options *options,
                                      struct err *err);
/* Integrations, authorizers and routes do. */
bool openapi_takes_http(const struct node *resource, struct str api_id);
/* CorsConfiguration as "x-amazon-apigateway-cors" has it. */
struct node *openapi_cors(struct arena *a, const struct node *configuration);

#endif
