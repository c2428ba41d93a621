/* Objects of the deployment bucket that go. */
#include "release/dispose/dispose_internal.h"

#include "aws/services/destroy.h"

int dispose_object(struct arena *a, const struct store *store, struct str key, struct str etag,
                   struct err *err)
{
    struct str folder = store_key(a, store, "%s", "");
    if (!store->bucket.n || !store->service.n || !str_starts(key, folder) || key.n == folder.n)
        return dispose_refuse("object", key, OURS_FOLDER, err);
    return s3_delete(a, store->aws, store->bucket, key, etag, err);
}

int dispose_folder(const struct release *r, const struct store *store, struct str folder,
                   struct err *err)
{
    struct str whole = store_key(r->arena, store, "%.*s", STR_ARG(folder));
    size_t n;
    /* Without the slash it would be the neighbours' as well. */
    if (!store->bucket.n || !store->service.n || !str_ends(whole, STR("/")))
        return dispose_refuse("folder", whole, OURS_FOLDER, err);
    if (s3_empty(r->arena, store->aws, store->bucket, whole, &n, err) < 0) {
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
