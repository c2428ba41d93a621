/* Packages of an earlier deployment: its record says by hash what is in the bucket. */
#include "pack/pack.h"

#include "base/hash.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct str hex, unsigned char out[SHA256_BYTES])
{
    if (hex.n != SHA256_BYTES * 2)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = digit_of(hex.p[2 * i]), low = digit_of(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* The artifact that the record has for the function. */
static int artifact_of(struct arena *a, const struct function *fn, const struct str *recorded,
                       struct artifact *ret, struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    if (!recorded) {
        err_at(err, fn->pos, ERR_CONFIG,
               "function '%.*s' was not part of that deployment, so there is no code for it",
               STR_ARG(fn->key));
        return err_help(err, "deploy the stage from its files instead: troupe deploy STAGE");
    }
    if (!recorded->n) {
        err_at(err, fn->pos, ERR_CONFIG,
               "function '%.*s' ran an image in that deployment, so there is no code for it",
               STR_ARG(fn->key));
        return err_help(err, "deploy the stage from its files instead: troupe deploy STAGE");
    }
    if (!read_digest(*recorded, digest))
        return err_set(err, ERR_FAILED,
                       "the record is damaged: the artifact of function '%.*s' is no SHA-256: "
                       "'%.*s'",
                       STR_ARG(fn->key), STR_ARG(*recorded));
    *ret = (struct artifact){.name = str_concat(a, fn->key, STR(".zip")),
                             .sha256_hex = str_dup(a, *recorded),
                             .sha256_base64 = base64_encode(a, digest, SHA256_BYTES)};
    return 0;
}

int pack_recorded(struct arena *a, const struct service *service, const struct map *recorded,
                  struct packed *ret, struct err *err)
{
    size_t n = service->function_count;
    struct packed packed = {.artifacts = ARENA_ARRAY(a, n, struct artifact),
                            .of_function = ARENA_ARRAY(a, n, const struct artifact *)};
    struct map seen = MAP(a);
    for (size_t i = 0; i < n; i++) {
        const struct function *fn = &service->functions[i];
        struct artifact *next = &packed.artifacts[packed.artifact_count];
        if (!node_empty(node_get_c(fn->node, "image")))
            continue;
        if (artifact_of(a, fn, map_get(recorded, fn->key), next, err) < 0)
            return -1;
        struct artifact *known = map_get(&seen, next->sha256_hex);
        if (!known) {
            known = next;
            map_put(&seen, next->sha256_hex, next);
            packed.artifact_count++;
        }
        packed.of_function[i] = known;
    }
    *ret = packed;
    return 0;
}
