/* Objects of the deployment bucket that go. */
#include "release/dispose/dispose_internal.h"

#include "aws/services/destroy.h"

static bool is_ours(struct arena *a, const struct store *store, struct str key)
{
    struct str folder = store_key(a, store, "%s", "");
    return store->bucket.n && store->service.n && str_starts(key, folder) && key.n > folder.n;
}

int dispose_object(struct arena *a, const struct store *store, struct str key, struct str etag,
                   struct err *err)
{
    if (!is_ours(a, store, key))
        return dispose_refuse("object", key, OURS_FOLDER, err);
    return s3_delete(a, store->aws, store->bucket, key, etag, err);
}

int dispose_upload(struct arena *a, const struct store *store, const struct s3_upload *upload,
                   struct err *err)
{
    if (!is_ours(a, store, upload->key))
        return dispose_refuse("upload", upload->key, OURS_FOLDER, err);
    return s3_abort(a, store->aws, store->bucket, upload->key, upload->id, err);
}

/* Nobody goes on with uploads of a service that is gone. */
static int dispose_uploads(const struct release *r, const struct store *store, struct str folder,
                           struct err *err)
{
    struct s3_upload *uploads;
    size_t n;
    if (s3_uploads(r->arena, store->aws, store->bucket, folder, &uploads, &n, NULL, err) < 0) {
        if (err->kind != ERR_DENIED)
            return -1;
        dispose_keep(r, STR("uploads"),
                     str_fmt(r->arena, "s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(folder)),
                     str_fmt(r->arena, "those that were cut off: %.*s", STR_ARG(err->msg)));
        err_clear(err);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        if (dispose_upload(r->arena, store, &uploads[i], err) < 0)
            return -1;
    return 0;
}

int dispose_folder(const struct release *r, const struct store *store, struct str folder,
                   struct err *err)
{
    struct str whole = store_key(r->arena, store, "%.*s", STR_ARG(folder));
    size_t n;
    /* Without the slash it would be the neighbours' as well. */
    if (!store->bucket.n || !store->service.n || !str_ends(whole, STR("/")))
        return dispose_refuse("folder", whole, OURS_FOLDER, err);
    if (s3_empty(r->arena, store->aws, store->bucket, whole, &n, err) < 0 ||
        (!folder.n && dispose_uploads(r, store, whole, err) < 0)) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "delete s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(whole));
        err_clear(err);
        return 0;
    }
    if (n)
        dispose_note(r, FATE_DELETED, STR("objects"),
                     str_fmt(r->arena, "s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(whole)),
                     str_c(dispose_reasons[OURS_FOLDER]));
    return 0;
}
