/* Definitions of functions as the Lambda API takes them: complete, so that nothing of a previous
 * publisher stays in the head. */
#ifndef TROUPE_RELEASE_PUBLISH_DEFINITION_H
#define TROUPE_RELEASE_PUBLISH_DEFINITION_H

#include "release/release.h"

/* From resolved CloudFormation properties: `*ret_configuration` has every member of
 * UpdateFunctionConfiguration, absent ones with their explicit default where there is one;
 * `*ret_code` holds Architectures, and ImageUri of an image. ERR_CONFIG for a property that a
 * version cannot have. */
int definition_complete(struct arena *a, const struct layout_function *f,
                        const struct node *properties, const struct node *image,
                        const struct node **ret_configuration, const struct node **ret_code,
                        struct err *err);
/* Does what GetFunction says (`observed`) match? `*ret_member` names the first that does not.
 * Description is not compared: PublishVersion may replace it. */
bool definition_matches(const struct node *configuration, const struct node *observed,
                        struct str *ret_member);
/* What of it UpdateFunctionConfiguration takes: without what a function is made with. */
const struct node *definition_update(struct arena *a, const struct node *configuration);
/* REFUSED, with the place in the file, when `want` (a configuration, or Properties of a head) has
 * TenancyConfig otherwise than `made` (what GetFunction says, or Properties of the head that is
 * there), or DurableConfig where that has none, or none where it has. Source: Lambda API reference,
 * UpdateFunctionConfiguration, which has no TenancyConfig; go-to-k/cdkd#1621. */
int definition_check_made(const struct layout_function *f, const struct node *want,
                          const struct node *made, struct err *err);
/* Does Lambda hide the variables, because the caller may not decrypt them? `*ret_why`: its words.
 * Source: Lambda API reference, EnvironmentError. */
bool definition_unreadable(const struct node *observed, struct str *ret_why);
/* Does it hold values that may be secret: environment variables, values of secrets? */
bool definition_has_values(const struct node *configuration);
/* `hash` with the service's key; as it is where that is empty. */
struct str definition_keyed(struct arena *a, struct str key, struct str hash);
/* 32 hexadecimal digits, made with the service's key. The name takes part: the same value under two
 * names looks like two. */
struct str definition_value_hash(struct arena *a, struct str key, struct str name,
                                 const struct node *value);
/* SHA-256 of everything that makes the version what it is. With `key` (store_secret), where there
 * are values: who reads it cannot try values until one fits. Empty: as troupe did before there were
 * keys. */
struct str definition_fingerprint(struct arena *a, struct str key, const struct node *configuration,
                                  const struct node *code, struct str code_sha256);
/* Member (environment variables each) -> short hash: says later what changed, and no value. Those
 * of values with `key`. */
const struct node *definition_parts(struct arena *a, struct str key,
                                    const struct node *configuration, const struct node *code,
                                    struct str code_sha256);
/* One of those of a value? Then: with a key? */
bool definition_is_value(struct str part);
bool definition_is_keyed(const struct node *hash);
/* "code changed", "memorySize changed", "TABLE and 2 more changed" from two of those. */
struct str definition_reason(struct arena *a, const struct node *before, const struct node *after);

#endif
