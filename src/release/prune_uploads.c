/* Uploads in parts that a run began and no run went on with: S3 keeps their parts, and takes money
 * for them, until somebody aborts them. */
#include "release/prune.h"

/* A deployment takes less, on any connection. */
static const int64_t UPLOAD_LASTS_MS = (int64_t)24 * 60 * 60 * 1000;

static int say_denied(const struct release *r, struct err *err)
{
    if (err->kind != ERR_DENIED)
        return -1;
    release_tell(r, TOLD_NOTICE, "prune", "uploads that were cut off are not looked for: %.*s",
                 STR_ARG(err->msg));
    err_clear(err);
    return 0;
}

int prune_uploads(const struct release *r, const struct store *store, bool only_look,
                  prune_item_list *ret, struct err *err)
{
    struct arena *a = r->arena;
    struct s3_upload *uploads;
    struct str folder = store_key(a, store, "%s", "");
    size_t n;
    int64_t now_ms = 0;
    if (s3_uploads(a, store->aws, store->bucket, folder, &uploads, &n, &now_ms, err) < 0)
        return say_denied(r, err);
    for (size_t i = 0; i < n; i++) {
        if (now_ms - uploads[i].begun_ms < UPLOAD_LASTS_MS)
            continue;
        if (!only_look && dispose_upload(a, store, &uploads[i], err) < 0)
            return err_wrap(err, "abort the upload of '%.*s'", STR_ARG(uploads[i].key));
        struct str key = str_sub(uploads[i].key, folder.n, uploads[i].key.n);
        vec_push(a, ret, (struct prune_item){.kind = COLLECT_UPLOAD, .id = key});
    }
    return 0;
}
