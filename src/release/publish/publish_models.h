/* Models of a REST API. An import drops some keywords of JSON schema from models (minItems,
 * additionalProperties, anyOf, …) and refuses others (patternProperties); an update of a model
 * takes them all. So the import makes models that allow every object, and each gets its schema
 * afterwards. Source: API Gateway developer guide, "Amazon API Gateway important notes". */
#ifndef TROUPE_RELEASE_PUBLISH_PUBLISH_MODELS_H
#define TROUPE_RELEASE_PUBLISH_PUBLISH_MODELS_H

#include "aws/services/gateway.h"
#include "release/release.h"

/* The text to import: `document` with placeholders for schemas. */
struct str models_withhold(struct arena *a, const struct node *document);
/* Give the models of `api` in AWS the schemas of `document`, where they have others. */
int models_bring(struct arena *a, const struct release *r, const struct gateway *gateway,
                 struct str api, const struct node *document, struct err *err);
/* "model NAME SCHEMA" for each model of `document`, as a seq of strings: once with the schema that
 * `document` has, once with that which the API has now. */
const struct node *models_wanted(struct arena *a, struct str api, const struct node *document);
int models_now(struct arena *a, const struct release *r, const struct gateway *gateway,
               struct str api, const struct node *document, const struct node **ret,
               struct err *err);

#endif
