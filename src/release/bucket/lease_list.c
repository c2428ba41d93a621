/* Leases seen from outside. */
#include "release/bucket/lease_list.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "release/bucket/lease_content.h"

/* `*ret_there` false: nobody holds it. `ret->name` is set. */
static int look(struct arena *a, const struct store *store, struct str key, int64_t modified_ms,
                struct lease_info *ret, bool *ret_there, struct err *err)
{
    struct str text;
    struct s3_stamp stamp;
    *ret_there = false;
    if (store_get(a, store, key, &text, &stamp, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    struct lease_content content;
    ret->etag = stamp.etag;
    ret->date_ms = stamp.date_ms;
    if (lease_content_read(a, key, text, &content, err) < 0)
        return -1;
    struct str host = content.host;
    str_cut(&host, '/', &ret->host); /* behind it: which boot */
    ret->user = content.user;
    ret->purpose = content.purpose;
    ret->taken = content.taken;
    ret->pid = content.pid;
    ret->nonce = content.nonce;
    ret->ends_ms = modified_ms + content.lasts_ms;
    ret->dead = lease_is_dead(lease_host(a), &content);
    *ret_there = !content.broken.n && !content.given_back.n;
    return 0;
}

int leases_list(struct arena *a, const struct store *store, struct lease_info **ret, size_t *ret_n,
                struct err *err)
{
    struct s3_object *objects;
    size_t n;
    struct str prefix = store_key(a, store, "locks/");
    VEC(struct lease_info) all = {0};
    if (store_list(a, store, prefix, &objects, &n, err) < 0)
        return err_wrap(err, "list the leases");
    for (size_t i = 0; i < n; i++) {
        struct str name = str_sub(objects[i].key, prefix.n, objects[i].key.n);
        bool there;
        if (!str_strip(&name, STR(".json")))
            continue;
        struct lease_info info = {.name = name};
        if (look(a, store, objects[i].key, objects[i].modified_ms, &info, &there, err) < 0)
            return -1;
        if (there)
            vec_push(a, &all, info);
    }
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}

static struct str marker(struct arena *a, const struct lease_info *lease)
{
    const char *user = getenv("USER");
    struct lease_content content = {.nonce = random_hex(a, 8),
                                    .of = lease->nonce,
                                    .broken = time_iso(a, clock_wall_ms()),
                                    .user = str_c(user && *user ? user : "unknown")};
    return object_text(a, &lease_table, &content);
}

int lease_break(struct arena *a, const struct store *store, const struct lease_info *lease,
                bool *ret_gone, struct err *err)
{
    enum { TRIES = 5 }; /* each renewal of the holder makes another etag */
    struct str key = store_key(a, store, "locks/%.*s.json", STR_ARG(lease->name));
    struct s3_put object = {.key = key, .body = marker(a, lease), .condition = S3_IF_MATCH};
    struct lease_info now = *lease;
    bool there = true;
    *ret_gone = false;
    for (int i = 0; i < TRIES; i++) {
        object.etag = now.etag;
        if (store_put(a, store, &object, NULL, err) == 0)
            return 0;
        if (err->kind != ERR_PRECONDITION && err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "break the lease");
        err_clear(err);
        if (look(a, store, key, 0, &now, &there, err) < 0)
            return -1;
        *ret_gone = !there;
        if (!there)
            return 0;
        if (!str_eq(now.nonce, lease->nonce)) {
            err_set(err, ERR_LOCKED, "the lease changed hands meanwhile and was not broken: %.*s",
                    STR_ARG(now.purpose));
            return err_help(err, "look again whose it is: troupe unlock");
        }
    }
    return err_set(err, ERR_LOCKED, "the lease is being renewed all the time; try again");
}
