/* Objects in the deployment bucket. */
#include "release/bucket/store.h"

#include <pthread.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"
#include "doc/json.h"

struct str store_key(struct arena *a, const struct store *store, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str rest = str_vfmt(a, fmt, ap);
    va_end(ap);
    return str_fmt(a, LAYOUT_FOLDER "/%.*s/%.*s", STR_ARG(store->service), STR_ARG(rest));
}

/* ---- objects ---- */

static int check_bucket(const struct store *store, struct err *err)
{
    if (store->aws && store->bucket.n)
        return 0;
    err_set(err, ERR_FAILED, "service '%.*s' has no deployment bucket", STR_ARG(store->service));
    return err_help(err, "the first deployment makes it: troupe deploy STAGE");
}

/* `done`, as it came from S3; -1 when somebody deleted the bucket says so. */
static int say_if_gone(const struct store *store, int done, struct err *err)
{
    if (done == 0 || !str_eq(err->code, STR("NoSuchBucket")))
        return done;
    err_clear(err);
    err_set(err, ERR_FAILED,
            "the deployment bucket '%.*s' of service '%.*s' is gone, with the code and the records "
            "of all stages",
            STR_ARG(store->bucket), STR_ARG(store->service));
    return err_help(err, "put it back with what it held, or remove what is left and deploy again: "
                         "troupe remove --service");
}

int store_get(struct arena *a, const struct store *store, struct str key, struct str *ret,
              struct s3_stamp *ret_stamp, struct err *err)
{
    return check_bucket(store, err) < 0
               ? -1
               : say_if_gone(store, s3_get(a, store->aws, store->bucket, key, ret, ret_stamp, err),
                             err);
}

int store_head(struct arena *a, const struct store *store, struct str key, bool *ret,
               struct str *ret_etag, struct err *err)
{
    return check_bucket(store, err) < 0
               ? -1
               : s3_head(a, store->aws, store->bucket, key, ret, ret_etag, err);
}

int store_put(struct arena *a, const struct store *store, const struct s3_put *put,
              struct s3_stamp *ret, struct err *err)
{
    struct s3_put whole = *put;
    whole.bucket = store->bucket;
    if (!whole.content_type)
        whole.content_type = "application/json";
    return check_bucket(store, err) < 0
               ? -1
               : say_if_gone(store, s3_put(a, store->aws, &whole, ret, err), err);
}

int store_list(struct arena *a, const struct store *store, struct str prefix,
               struct s3_object **ret, size_t *ret_n, struct err *err)
{
    return check_bucket(store, err) < 0
               ? -1
               : say_if_gone(store, s3_list(a, store->aws, store->bucket, prefix, ret, ret_n, err),
                             err);
}

int store_copy(struct arena *a, const struct store *from, const struct store *to, struct str key,
               struct err *err)
{
    return check_bucket(from, err) < 0 || check_bucket(to, err) < 0
               ? -1
               : say_if_gone(to, s3_copy(a, to->aws, from->bucket, key, to->bucket, err), err);
}

int store_put_once(struct arena *a, const struct store *store, const char *folder,
                   struct str sha256, struct str content, bool *ret_written, struct err *err)
{
    enum { SMALL = 128 * 1024 }; /* sent rather than asked for first */
    struct str key = store_key(a, store, "%s/%.*s.json", folder, STR_ARG(sha256));
    struct s3_put object = {
        .key = key, .body = content, .content_type = "application/octet-stream"};
    bool there = false;
    if (content.n <= SMALL) {
        object.condition = S3_IF_NONE_MATCH_ANY;
        int put = store_put(a, store, &object, NULL, err);
        there = put < 0 && err->kind == ERR_PRECONDITION;
        if (there)
            err_clear(err);
        if (ret_written)
            *ret_written = !there;
        return there ? 0 : put;
    }
    if (store_head(a, store, key, &there, NULL, err) < 0)
        return -1;
    if (ret_written)
        *ret_written = !there;
    if (there)
        return 0;
    return store_put(a, store, &object, NULL, err);
}

int store_say_altered(const struct store *store, struct str key, struct err *err)
{
    err_set(err, ERR_REFUSED, "s3://%.*s/%.*s was altered: it is not what troupe wrote there",
            STR_ARG(store->bucket), STR_ARG(key));
    return err_help(err, "find out who may write to the bucket, and put back what was there: an "
                         "earlier version of the object, or a copy");
}

int store_get_named(struct arena *a, const struct store *store, struct str key, struct str sha256,
                    struct str *ret, struct err *err)
{
    if (store_get(a, store, key, ret, NULL, err) < 0)
        return -1;
    return str_eq(sha256_hex(a, *ret), sha256) ? 0 : store_say_altered(store, key, err);
}

int store_get_json(struct arena *a, const struct store *store, const char *folder,
                   struct str sha256, const struct node **ret, struct err *err)
{
    struct str text, key = store_key(a, store, "%s/%.*s.json", folder, STR_ARG(sha256));
    *ret = NULL;
    if (store_get_named(a, store, key, sha256, &text, err) < 0)
        return -1;
    *ret = json_parse(a, str_fmt(a, "s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(key)), text,
                      err);
    return *ret ? 0 : -1;
}

int store_secret(struct arena *a, const struct store *store, bool create, struct str *ret,
                 struct err *err)
{
    struct str key = store_key(a, store, "%s", "key"), made = random_hex(a, SHA256_BYTES);
    *ret = STR("");
    if (!store->bucket.n)
        return 0;
    if (s3_get(a, store->aws, store->bucket, key, ret, NULL, err) == 0)
        return ret->n == made.n ? 0 : store_say_altered(store, key, err);
    if (err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "read the key for values in records");
    err_clear(err);
    *ret = STR("");
    if (!create)
        return 0;
    struct s3_put object = {store->bucket, key, made, "text/plain", S3_IF_NONE_MATCH_ANY};
    if (s3_put(a, store->aws, &object, NULL, err) == 0) {
        *ret = made;
        return 0;
    }
    if (err->kind != ERR_PRECONDITION)
        return err_wrap(err, "write the key for values in records");
    err_clear(err); /* another deployment was as fast, or a retry met its own first success */
    return store_secret(a, store, false, ret, err);
}

/* ---- listing ---- */

/* "<stage>/<n>[.versions|.outcome].json" below stages/. */
static bool parse_key(struct str rest, struct record_ref *ret, struct str *ret_part)
{
    ptrdiff_t slash = str_rfind_char(rest, '/');
    struct str name = str_sub(rest, (size_t)(slash + 1), rest.n), number;
    if (slash <= 0 || !str_strip(&name, STR(".json")))
        return false;
    *ret_part = name;
    if (!str_cut(ret_part, '.', &number))
        return false;
    *ret = (struct record_ref){.stage = str_sub(rest, 0, (size_t)slash)};
    return str_to_int(number, &ret->number) && ret->number > 0;
}

static int by_stage_newest_first(const void *x, const void *y)
{
    const struct record_ref *a = x, *b = y;
    int d = str_cmp(a->stage, b->stage);
    return d ? d : (a->number < b->number) - (a->number > b->number);
}

int records_list(struct arena *a, const struct store *store, struct record_ref **ret, size_t *ret_n,
                 struct err *err)
{
    struct s3_object *objects;
    size_t n, count = 0;
    struct str prefix = store_key(a, store, "stages/");
    if (store_list(a, store, prefix, &objects, &n, err) < 0)
        return err_wrap(err, "list the records");
    VEC(struct record_ref) all = {0};
    for (size_t i = 0; i < n; i++) {
        struct record_ref ref;
        struct str part;
        if (!parse_key(str_sub(objects[i].key, prefix.n, objects[i].key.n), &ref, &part))
            continue;
        ref.has_body = !part.n;
        ref.has_versions = part.p && str_eq(part, STR("versions"));
        ref.has_outcome = part.p && str_eq(part, STR("outcome"));
        ref.pruned = part.p && str_eq(part, STR("collected"));
        ref.gone = part.p && str_eq(part, STR("gone"));
        ref.outcome_ms = ref.has_outcome ? objects[i].modified_ms : 0;
        vec_push(a, &all, ref);
    }
    if (all.n)
        qsort(all.p, all.n, sizeof *all.p, by_stage_newest_first);
    for (size_t i = 0; i < all.n; i++) { /* objects of one record become one entry */
        struct record_ref *last = count ? &all.p[count - 1] : NULL;
        if (last && last->number == all.p[i].number && str_eq(last->stage, all.p[i].stage)) {
            last->has_body |= all.p[i].has_body;
            last->has_versions |= all.p[i].has_versions;
            last->has_outcome |= all.p[i].has_outcome;
            last->pruned |= all.p[i].pruned;
            last->gone |= all.p[i].gone;
            last->outcome_ms += all.p[i].outcome_ms;
        } else {
            all.p[count++] = all.p[i];
        }
    }
    *ret = all.p;
    *ret_n = count;
    return 0;
}

/* ---- reading ---- */

static struct str record_key(struct arena *a, const struct store *store, struct str stage,
                             int64_t number, const char *part)
{
    return store_key(a, store, "stages/%.*s/%lld%s.json", STR_ARG(stage), (long long)number, part);
}

/* Somebody changed it by hand. The place goes with `a`, which may end before the error is shown. */
static int say_unreadable(const struct store *store, struct str key, struct err *err)
{
    err_wrap(err, "s3://%.*s/%.*s is no record", STR_ARG(store->bucket), STR_ARG(key));
    err->kind = ERR_FAILED;
    err->pos = (struct pos){0};
    return err_help(err, "put back what was there: an earlier version of the object, or a copy");
}

/* NULL without an error: it is optional, and not there. */
static int read_object(struct arena *a, const struct store *store, struct str key, bool optional,
                       const struct node **ret, struct err *err)
{
    struct str text;
    *ret = NULL;
    if (store_get(a, store, key, &text, NULL, err) < 0) {
        if (!optional || err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    *ret = json_parse(a, key, text, err);
    if (*ret && object_check(*ret, key, err) == 0)
        return 0;
    return object_format(*ret) > OBJECT_FORMAT ? -1 : say_unreadable(store, key, err);
}

int record_read(struct arena *a, const struct store *store, struct str stage, int64_t number,
                unsigned also, struct record *ret, struct err *err)
{
    *ret = (struct record){.stage = stage, .number = number};
    return record_read_more(a, store, also, ret, err);
}

struct str record_digest(struct arena *a, const struct record_body *body,
                         const struct record_versions *versions)
{
    const struct node *of_body = record_body_node(a, body),
                      *of_versions = object_node(a, &versions_table, versions, 0);
    return str_fmt(a, "%.*s %.*s", STR_ARG(sha256_hex(a, json_canonical(a, of_body))),
                   STR_ARG(sha256_hex(a, json_canonical(a, of_versions))));
}

/* Read a part of the record that is there: `*ret` NULL: it is not. `vouched` is its hash, or empty:
 * nobody says. */
static int read_part(struct arena *a, const struct store *store, const struct record *record,
                     const char *part, struct str vouched, const struct node **ret, struct err *err)
{
    struct str key = record_key(a, store, record->stage, record->number, part);
    if (read_object(a, store, key, *part, ret, err) < 0)
        return -1;
    if (!*ret || !vouched.n || str_eq(sha256_hex(a, json_canonical(a, *ret)), vouched))
        return 0;
    return store_say_altered(store, key, err);
}

static int read_body(struct arena *a, const struct store *store, struct record *record,
                     struct str vouched, struct err *err)
{
    struct record_body *body = ARENA_NEW(a, struct record_body);
    const struct node *n;
    if (record->body)
        return 0;
    if (read_part(a, store, record, "", vouched, &n, err) < 0)
        return -1;
    if (record_body_read(a, n, body, err) < 0)
        return say_unreadable(store, record_key(a, store, record->stage, record->number, ""), err);
    record->body = body;
    return 0;
}

/* A part that a record need not have. */
struct optional_part {
    const char *name;
    const struct object_table *table;
};

/* 1: `into` has it; 0: it is not there. */
static int read_optional(struct arena *a, const struct store *store, const struct record *record,
                         const struct optional_part *part, struct str vouched, void *into,
                         struct err *err)
{
    const struct node *n;
    if (read_part(a, store, record, part->name, vouched, &n, err) < 0)
        return -1;
    if (n && object_read(a, part->table, n, into, err) < 0)
        return say_unreadable(store,
                              record_key(a, store, record->stage, record->number, part->name), err);
    return n != NULL;
}

static int read_versions(struct arena *a, const struct store *store, struct record *record,
                         struct str vouched, struct err *err)
{
    static const struct optional_part part = {".versions", &versions_table};
    struct record_versions *versions = ARENA_NEW(a, struct record_versions);
    if (record->versions)
        return 0;
    int there = read_optional(a, store, record, &part, vouched, versions, err);
    record->versions = there > 0 ? versions : NULL;
    return there < 0 ? -1 : 0;
}

/* The outcome is not vouched for: it is written after the stack has said what it is at. */
static int read_outcome(struct arena *a, const struct store *store, struct record *record,
                        struct err *err)
{
    static const struct optional_part part = {".outcome", &outcome_table};
    struct record_outcome *outcome = ARENA_NEW(a, struct record_outcome);
    if (record->outcome)
        return 0;
    int there = read_optional(a, store, record, &part, STR(""), outcome, err);
    record->outcome = there > 0 ? outcome : NULL;
    return there < 0 ? -1 : 0;
}

static int say_record_gone(struct arena *a, const struct store *store, const struct record *record,
                           struct err *err)
{
    err_clear(err);
    err_set(err, ERR_NOT_FOUND, "the record of %.*s#%lld is gone: there is no s3://%.*s/%.*s",
            STR_ARG(record->stage), (long long)record->number, STR_ARG(store->bucket),
            STR_ARG(record_key(a, store, record->stage, record->number, "")));
    return err_help(err,
                    "put it back from an earlier version of the object or a copy, or remove the "
                    "stage and deploy it again: troupe remove %.*s",
                    STR_ARG(record->stage));
}

int record_read_more(struct arena *a, const struct store *store, unsigned also,
                     struct record *record, struct err *err)
{
    struct str versions = record->digest, body = {"", 0};
    str_cut(&versions, ' ', &body);
    if (read_body(a, store, record, body, err) < 0 && err->kind == ERR_NOT_FOUND)
        return say_record_gone(a, store, record, err);
    if (err->kind != ERR_NONE ||
        (also & RECORD_VERSIONS && read_versions(a, store, record, versions, err) < 0) ||
        (also & RECORD_OUTCOME && read_outcome(a, store, record, err) < 0))
        return err_wrap(err, "read record %.*s#%lld", STR_ARG(record->stage),
                        (long long)record->number);
    return 0;
}

struct reading {
    const struct store *store;
    const struct record_ref *refs;
    struct record *ret;
};

static int read_one(size_t i, void *context, struct arena *a, struct err *err)
{
    struct reading *x = context;
    const struct record_ref *ref = &x->refs[i];
    if (record_read(a, x->store, ref->stage, ref->number, ref->has_outcome ? RECORD_OUTCOME : 0,
                    &x->ret[i], err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    x->ret[i] = (struct record){.stage = ref->stage, .number = ref->number};
    return 0;
}

int records_read(struct arena *a, const struct store *store, const struct record_ref *refs,
                 size_t n, struct record *ret, struct err *err)
{
    enum { JOBS = 16 };
    struct reading x = {store, refs, ret};
    return pool_run_into(a, n, JOBS, read_one, &x, err);
}

int records_all(struct arena *a, const struct store *store, struct record **ret, size_t *ret_n,
                struct err *err)
{
    struct record_ref *refs = NULL;
    *ret_n = 0;
    if (store->bucket.n && records_list(a, store, &refs, ret_n, err) < 0)
        return -1;
    *ret = ARENA_ARRAY(a, *ret_n + 1, struct record);
    return records_read(a, store, refs, *ret_n, *ret, err);
}

/* ---- writing ---- */

static int put_text(struct arena *a, const struct store *store, struct str key, struct str text,
                    enum s3_condition condition, struct s3_stamp *ret, struct err *err)
{
    struct s3_put object = {.key = key, .body = text, .condition = condition};
    return store_put(a, store, &object, ret, err);
}

static bool is_our_own(struct arena *a, const struct store *store, struct str key,
                       const struct record_body *body)
{
    struct err ignored = {0};
    const struct node *n;
    struct record_body there;
    bool same = read_object(a, store, key, false, &n, &ignored) == 0 &&
                record_body_read(a, n, &there, &ignored) == 0 && str_eq(there.nonce, body->nonce);
    err_clear(&ignored);
    return same;
}

int record_write(struct arena *a, const struct store *store, struct str stage, int64_t number,
                 const struct record_body *body, struct err *err)
{
    struct str key = record_key(a, store, stage, number, "");
    struct str text = json_text(a, record_body_node(a, body), 1);
    if (put_text(a, store, key, text, S3_IF_NONE_MATCH_ANY, NULL, err) == 0)
        return 0;
    if (err->kind == ERR_PRECONDITION && is_our_own(a, store, key, body)) {
        err_clear(err);
        return 0;
    }
    return err_wrap(err, "write record %.*s#%lld", STR_ARG(stage), (long long)number);
}

int record_write_versions(struct arena *a, const struct store *store, struct str stage,
                          int64_t number, const struct record_versions *versions, struct err *err)
{
    struct str key = record_key(a, store, stage, number, ".versions");
    struct str text = object_text(a, &versions_table, versions);
    if (put_text(a, store, key, text, S3_ALWAYS, NULL, err) < 0)
        return err_wrap(err, "write the versions of %.*s#%lld", STR_ARG(stage), (long long)number);
    return 0;
}

int record_write_mark(struct arena *a, const struct store *store, struct str stage, int64_t number,
                      const char *mark, int64_t *ret_date_ms, struct err *err)
{
    struct record_mark content = {.when = time_iso(a, clock_wall_ms())};
    struct str key = record_key(a, store, stage, number, str_fmt(a, ".%s", mark).p);
    struct str text = object_text(a, &mark_table, &content);
    struct s3_stamp written;
    if (put_text(a, store, key, text, S3_ALWAYS, &written, err) < 0)
        return err_wrap(err, "mark %.*s#%lld as %s", STR_ARG(stage), (long long)number, mark);
    if (ret_date_ms)
        *ret_date_ms = written.date_ms;
    return 0;
}

int record_write_outcome(struct arena *a, const struct store *store, struct str stage,
                         int64_t number, enum outcome outcome, struct str reason, struct err *err)
{
    struct record_outcome content = {
        .outcome = outcome, .reason = reason, .when = time_iso(a, clock_wall_ms())};
    struct str key = record_key(a, store, stage, number, ".outcome");
    struct str text = object_text(a, &outcome_table, &content);
    if (put_text(a, store, key, text, S3_IF_NONE_MATCH_ANY, NULL, err) < 0) {
        if (err->kind != ERR_PRECONDITION)
            return err_wrap(err, "write the outcome of %.*s#%lld", STR_ARG(stage),
                            (long long)number);
        err_clear(err);
    }
    return 0;
}

bool record_moves_by_api(const struct record *record)
{
    const struct record_body *body = record->body;
    return body && (body->switches || body->shifts || body->drifted);
}

bool record_is_removal(const struct record *record)
{
    return record->body && record->body->removal;
}

bool record_succeeded(const struct record *record)
{
    return record->outcome && record->outcome->outcome == OUTCOME_SUCCEEDED;
}

struct str record_stage_template(const struct record *record)
{
    return record->versions ? record->versions->stage_template : (struct str){"", 0};
}

bool record_names_version(const struct record *record, struct str function, struct str version)
{
    if (record && record->versions)
        vec_each (&record->versions->functions, v)
            if (str_eq(v->name, function) && str_eq(v->version, version))
                return true;
    return false;
}

bool record_names_deployment(const struct record *record, struct str api, struct str deployment)
{
    if (record && record->versions)
        vec_each (&record->versions->apis, d)
            if (str_eq(d->id, api) && str_eq(d->deployment, deployment))
                return true;
    return false;
}
