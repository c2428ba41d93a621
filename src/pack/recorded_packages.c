/* Packages of an earlier deployment: its record says by hash what is in the bucket. */
#include "pack/pack_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"

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

/* What a record has code of: "function 'api'" or "layer 'common'". */
struct packaged {
    const char *kind;
    struct str key;
    struct pos pos;
    const struct pack_text *text; /* NULL: none */
};

/* ---- of a text ---- */

/* Put the text into a store of its own, which keeps what it has read. */
static int store_text(struct arena *a, const struct pack_text *text, struct content_store *store,
                      struct file_list *list, struct err *err)
{
    char path[] = "/tmp/troupe-XXXXXX";
    cleanup_fd int fd = mkstemp(path);
    if (fd < 0)
        return err_sys(err, errno, "cannot write '%s'", path);
    struct pack_file file = {str_dup(a, str_c(path)), text->name};
    struct pack_files files = {&file, 1};
    int done = fs_write_fd(fd, text->text, file.path, err);
    if (done == 0)
        done = files_given(a, &files, list, err);
    if (done == 0)
        done = content_store_add(store, list, 1, 1, err);
    unlink(path);
    return done;
}

static int make_of_text(struct arena *a, const struct packaged *of, struct artifact *ret,
                        struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    struct artifact_source *source = ARENA_NEW(a, struct artifact_source);
    source->store = content_store_new(a, STR("/"), STR(""), false);
    *ret = (struct artifact){.name = str_concat(a, of->key, STR(".zip")),
                             .unzipped_bytes = of->text->text.n,
                             .file_count = 1,
                             .source = source};
    if (store_text(a, of->text, source->store, &source->list, err) < 0 ||
        zip_identify(source->store, &source->list, &ret->zip_bytes, digest, err) < 0) {
        content_store_drop(source->store);
        return -1;
    }
    ret->sha256_hex = hex_encode(a, digest, SHA256_BYTES);
    ret->sha256_base64 = base64_encode(a, digest, SHA256_BYTES);
    return 0;
}

/* ---- of a record ---- */

/* The artifact that the record has for it. */
static int artifact_of(struct arena *a, const struct packaged *of, const struct str *recorded,
                       struct artifact *ret, struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    if (!recorded && of->text && of->text->name.n)
        return make_of_text(a, of, ret, err);
    if (!recorded || !recorded->n) {
        err_at(err, of->pos, ERR_CONFIG, "%s '%.*s' %s that deployment, so there is no code for it",
               of->kind, STR_ARG(of->key), recorded ? "ran an image in" : "was not part of");
        return err_help(err, "deploy the stage from its files instead: troupe deploy STAGE");
    }
    if (!read_digest(*recorded, digest))
        return err_set(err, ERR_FAILED,
                       "the record is damaged: the artifact of %s '%.*s' is no SHA-256: '%.*s'",
                       of->kind, STR_ARG(of->key), STR_ARG(*recorded));
    *ret = (struct artifact){.name = str_concat(a, of->key, STR(".zip")),
                             .sha256_hex = str_dup(a, *recorded),
                             .sha256_base64 = base64_encode(a, digest, SHA256_BYTES)};
    return 0;
}

/* Put the artifact among `packed`, once. */
static int add_artifact(struct arena *a, const struct packaged *of, const struct str *recorded,
                        struct packed *packed, struct map *seen, const struct artifact **ret,
                        struct err *err)
{
    struct artifact *next = &packed->artifacts[packed->artifact_count];
    if (artifact_of(a, of, recorded, next, err) < 0)
        return -1;
    *ret = map_get(seen, next->sha256_hex);
    if (*ret)
        return 0;
    map_put(seen, next->sha256_hex, next);
    packed->artifact_count++;
    *ret = next;
    return 0;
}

int pack_recorded(struct arena *a, const struct service *service, const struct map *recorded,
                  const struct map *recorded_layers, const struct pack_text *texts,
                  struct packed *ret, struct err *err)
{
    const struct node *layers = node_get_c(service->root, "layers");
    size_t n = service->function_count, layer_count = node_count(layers);
    struct packed packed = {.artifacts = ARENA_ARRAY(a, n + layer_count, struct artifact),
                            .of_function = ARENA_ARRAY(a, n, const struct artifact *),
                            .of_layer = ARENA_ARRAY(a, layer_count, const struct artifact *)};
    struct map seen = MAP(a);
    for (size_t i = 0; i < n; i++) {
        const struct function *fn = &service->functions[i];
        struct packaged of = {"function", fn->key, fn->pos, texts ? &texts[i] : NULL};
        if (node_empty(node_get_c(fn->node, "image")) &&
            add_artifact(a, &of, map_get(recorded, fn->key), &packed, &seen, &packed.of_function[i],
                         err) < 0)
            return -1;
    }
    for (size_t i = 0; i < layer_count; i++) {
        const struct member *m = &layers->members[i];
        struct packaged of = {"layer", m->key, m->key_pos, NULL};
        if (add_artifact(a, &of, map_get(recorded_layers, m->key), &packed, &seen,
                         &packed.of_layer[i], err) < 0)
            return -1;
    }
    *ret = packed;
    return 0;
}
