/* HTTP by libcurl. Each pooled handle is an easy handle with a multi handle of its own: the multi
 * interface lets the loop look at cancel_requested() and at silence several times a second, which
 * the blocking interface does only once. */
#include "aws/client/http.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/libcurl.h"
#include "base/vec.h"
#include "base/visible.h"

enum {
    ANSWER_BYTES_MAX = 32 * 1024 * 1024,
    SLOWEST_BYTES_S = 8 * 1024, /* slower than this, a transfer ends after twice the timeout */
    HEADERS_MAX = 200,
    HEADER_BYTES_MAX = 1024 * 1024,
    TIMEOUT_MS = 60 * 1000,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    LOOK_MS = 100, /* how often the loop looks for a cancellation */
    DEBUG_BODY_MAX = 2000,
};

struct handle {
    struct handle *next;
    CURL *easy;
    CURLM *multi;
};

struct http {
    struct http_options options;
    struct arena *arena;
    CURLSH *share;
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    pthread_mutex_t lock; /* guards `idle` */
    struct handle *idle;
};

/* One request under way. */
struct transfer {
    struct arena *arena;
    struct aws_answer *answer;
    struct buf body;
    size_t header_bytes, answer_max;
    bool too_large, too_slow;
    const struct aws_meter *meter;
    int64_t told; /* bytes that the meter knows of */
};

/* ---- life ---- */

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *context)
{
    (void)easy;
    (void)access;
    struct http *http = context;
    pthread_mutex_lock(&http->share_locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *context)
{
    (void)easy;
    struct http *http = context;
    pthread_mutex_unlock(&http->share_locks[data]);
}

static bool share_set_up(struct http *http)
{
    CURLSH *s = http->share = curl_share_init();
    return s && curl_share_setopt(s, CURLSHOPT_USERDATA, http) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_LOCKFUNC, share_lock) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_UNLOCKFUNC, share_unlock) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

struct http *http_new(const struct http_options *options, struct err *err)
{
    if (libcurl_load(err) < 0)
        return NULL;
    struct arena *arena = arena_new();
    struct http *http = ARENA_NEW(arena, struct http);
    http->arena = arena;
    http->options = *options;
    http->options.ca_bundle = str_dup(arena, options->ca_bundle);
    if (options->ca_bundle.n && access(http->options.ca_bundle.p, R_OK) < 0) {
        err_sys(err, errno, "cannot read CA bundle '%.*s'", STR_ARG(options->ca_bundle));
        err->kind = ERR_CONFIG;
        err_help(err, "set AWS_CA_BUNDLE to a file of certificates in PEM format");
        arena_free(arena);
        return NULL;
    }
    pthread_mutex_init(&http->lock, NULL);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&http->share_locks[i], NULL);
    if (share_set_up(http))
        return http;
    err_set(err, ERR_FAILED, "libcurl cannot share names and sessions between connections");
    http_free(http);
    return NULL;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    for (struct handle *h = http->idle, *next; h; h = next) {
        next = h->next;
        curl_easy_cleanup(h->easy);
        curl_multi_cleanup(h->multi);
    }
    if (http->share)
        curl_share_cleanup(http->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&http->share_locks[i]);
    pthread_mutex_destroy(&http->lock);
    arena_free(http->arena);
}

/* Take the handle that was used last: its connection is the one most likely to be open still. */
static struct handle *handle_take(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    struct handle *h = http->idle;
    if (h)
        http->idle = h->next;
    else
        h = ARENA_NEW(http->arena, struct handle);
    pthread_mutex_unlock(&http->lock);
    h->easy = h->easy ? h->easy : curl_easy_init();
    h->multi = h->multi ? h->multi : curl_multi_init();
    return h;
}

/* Forgets its options, which point to what the caller has; the connection stays open. */
static void handle_give(struct http *http, struct handle *h)
{
    if (h->easy)
        curl_easy_reset(h->easy);
    pthread_mutex_lock(&http->lock);
    h->next = http->idle;
    http->idle = h;
    pthread_mutex_unlock(&http->lock);
}

/* ---- URLs ---- */

struct str url_origin(struct str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"), 0);
    if (scheme < 0)
        return url;
    size_t end = (size_t)scheme + 3;
    while (end < url.n && url.p[end] != '/' && url.p[end] != '?')
        end++;
    return str_sub(url, 0, end);
}

struct str url_authority(struct str url)
{
    struct str origin = url_origin(url);
    ptrdiff_t scheme = str_find(origin, STR("://"), 0);
    struct str rest = scheme < 0 ? origin : str_sub(origin, (size_t)scheme + 3, origin.n);
    ptrdiff_t at = str_rfind_char(rest, '@');
    return at < 0 ? rest : str_sub(rest, (size_t)at + 1, rest.n);
}

bool is_loopback(struct str authority)
{
    if (str_starts(authority, STR("[")))
        return str_starts(authority, STR("[::1]"));
    ptrdiff_t colon = str_find_char(authority, ':', 0);
    struct str host = colon < 0 ? authority : str_sub(authority, 0, (size_t)colon);
    return str_starts(host, STR("127.")) || str_eq(host, STR("localhost")) ||
           str_ends(host, STR(".localhost"));
}

/* ---- answers ---- */

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    if (t->body.n + size * n > t->answer_max) {
        t->too_large = true;
        return 0;
    }
    buf_add(&t->body, (struct str){p, size * n});
    return size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    struct str line = {p, size * n};
    t->header_bytes += line.n;
    if (t->header_bytes > HEADER_BYTES_MAX) {
        t->too_large = true;
        return 0;
    }
    ptrdiff_t colon = str_find_char(line, ':', 0);
    if (str_starts(line, STR("HTTP/"))) /* a new answer begins: the one before was "100 Continue" */
        t->answer->headers = MAP(t->arena);
    else if (colon > 0 && t->answer->headers.n < HEADERS_MAX) {
        struct str *value = ARENA_NEW(t->arena, struct str);
        *value = str_dup(t->arena, str_trim(str_sub(line, (size_t)colon + 1, line.n)));
        map_put(&t->answer->headers, str_lower(t->arena, str_sub(line, 0, (size_t)colon)), value);
    }
    return line.n;
}

/* ---- debug output ---- */

static const char *const secret_headers[] = {"x-amz-security-token",
                                             "x-amz-sso_bearer_token",
                                             "authorization",
                                             "dpop",
                                             "x-aws-ec2-metadata-token",
                                             "x-amz-server-side-encryption-customer-key",
                                             "set-cookie",
                                             NULL};

static struct str masked(struct str name, struct str value)
{
    for (const char *const *s = secret_headers; *s; s++) {
        if (name.n != strlen(*s) || strncasecmp(name.p, *s, name.n) != 0)
            continue;
        /* The key that signed is shown, its signature is not. */
        ptrdiff_t signature = str_find(value, STR("Signature="), 0);
        return signature > 0 ? str_sub(value, 0, (size_t)signature) : STR("");
    }
    return value;
}

static bool is_masked(struct str name, struct str value)
{
    return masked(name, value).n != value.n;
}

static void debug_header(struct buf *b, char mark, struct str name, struct str value)
{
    buf_fmt(b, "%c %.*s: %.*s%s\n", mark, STR_ARG(name), STR_ARG(masked(name, value)),
            is_masked(name, value) ? "********" : "");
}

static void debug_write(struct buf *b)
{
    struct str text = visible(b->arena, buf_str(b), VISIBLE_TEXT);
    if (text.n && write(STDERR_FILENO, text.p, text.n) < 0)
        return; /* stderr is closed */
}

static void debug_request(const struct http_request *r)
{
    cleanup_arena struct arena *a = arena_new();
    struct buf b = BUF(a);
    buf_fmt(&b, "> %s %.*s\n", r->method, STR_ARG(r->url));
    for (size_t i = 0; i < r->n_headers; i++)
        debug_header(&b, '>', r->headers[i].name, r->headers[i].value);
    buf_fmt(&b, "> (%zu bytes)\n", r->body.n);
    debug_write(&b);
}

/* Bodies may hold secrets, so only those of refusals are shown. */
static void debug_answer(const struct aws_answer *answer)
{
    cleanup_arena struct arena *a = arena_new();
    struct buf b = BUF(a);
    buf_fmt(&b, "< %d\n", answer->status);
    for (size_t i = 0; i < answer->headers.n; i++)
        debug_header(&b, '<', answer->headers.entries[i].key,
                     *(struct str *)answer->headers.entries[i].value);
    buf_fmt(&b, "< (%zu bytes)\n", answer->body.n);
    /* AWS answers a wrong signature with what was signed, the session token included. */
    bool shows = str_find(answer->body, STR("ignature"), 0) >= 0;
    if (answer->status >= 400 && !shows)
        buf_fmt(&b, "< %.*s\n", STR_ARG(str_sub(answer->body, 0, DEBUG_BODY_MAX)));
    debug_write(&b);
}

/* ---- sending ---- */

static void headers_cleanup(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
            return true;
    return false;
}

static void append(struct curl_slist **list, const char *line)
{
    *list = curl_slist_append(*list, line);
    if (!*list)
        die("out of memory");
}

static int header_list(struct arena *a, const struct http_request *r, struct curl_slist **ret,
                       struct err *err)
{
    bool typed = false;
    for (size_t i = 0; i < r->n_headers; i++) {
        const struct header *h = &r->headers[i];
        if (has_control(h->name) || has_control(h->value))
            return err_set(err, ERR_FAILED, "header '%.*s' holds a control character",
                           STR_ARG(h->name));
        typed |= h->name.n == 12 && strncasecmp(h->name.p, "content-type", 12) == 0;
        struct str line = h->value.n ? str_fmt(a, "%.*s: %.*s", STR_ARG(h->name), STR_ARG(h->value))
                                     : str_fmt(a, "%.*s;", STR_ARG(h->name));
        append(ret, line.p);
    }
    append(ret, "Expect:"); /* libcurl would wait a second for "100 Continue" */
    if (!typed)
        append(ret, "Content-Type:");
    return 0;
}

static void set_up(struct http *http, struct libcurl_setup *s, const struct http_request *r,
                   struct curl_slist *headers, struct transfer *t, char *message)
{
    LIBCURL_SET(s, CURLOPT_SHARE, http->share);
    LIBCURL_SET(s, CURLOPT_URL, str_z(t->arena, r->url));
    LIBCURL_SET(s, CURLOPT_PROTOCOLS_STR, "http,https");
    LIBCURL_SET(s, CURLOPT_PATH_AS_IS, 1L); /* S3 keys may hold "." and ".." */
    LIBCURL_SET(s, CURLOPT_NOSIGNAL, 1L);
    LIBCURL_SET(s, CURLOPT_HTTPHEADER, headers);
    if (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2)
        LIBCURL_SET(s, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    LIBCURL_SET(s, CURLOPT_ERRORBUFFER, message);
    LIBCURL_SET(s, CURLOPT_WRITEFUNCTION, on_body);
    LIBCURL_SET(s, CURLOPT_WRITEDATA, t);
    LIBCURL_SET(s, CURLOPT_HEADERFUNCTION, on_header);
    LIBCURL_SET(s, CURLOPT_HEADERDATA, t);
    LIBCURL_SET(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    LIBCURL_SET(s, CURLOPT_CONNECTTIMEOUT_MS,
                (long)(r->connect_timeout_ms ? r->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    LIBCURL_SET(s, CURLOPT_TCP_KEEPALIVE, 1L);
    if (http->options.ca_bundle.n)
        LIBCURL_SET(s, CURLOPT_CAINFO, http->options.ca_bundle.p);
    if (r->direct || is_loopback(url_authority(r->url)))
        LIBCURL_SET(s, CURLOPT_NOPROXY, "*");
    bool plain = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    if (strcmp(r->method, "HEAD") == 0)
        LIBCURL_SET(s, CURLOPT_NOBODY, 1L);
    if (r->body.n || (!plain && strcmp(r->method, "DELETE") != 0)) {
        LIBCURL_SET(s, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        LIBCURL_SET(s, CURLOPT_POSTFIELDS, r->body.n ? r->body.p : "");
    }
    if (!plain || r->body.n)
        LIBCURL_SET(s, CURLOPT_CUSTOMREQUEST, r->method);
}

static CURLcode finished(CURLM *multi, bool *ret)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
        if (m->msg == CURLMSG_DONE) {
            *ret = true;
            return m->data.result;
        }
    return CURLE_OK;
}

static int64_t bytes_moved(CURL *easy, struct transfer *t)
{
    curl_off_t up = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    if (t->meter && up > t->told)
        t->meter->moved(t->meter->context, (int64_t)up - t->told);
    t->told = (int64_t)up;
    return (int64_t)up + (int64_t)t->body.n + (int64_t)t->header_bytes;
}

/* Move data until the transfer ends, or fails because nothing moved for `timeout_ms` or too little
 * in all. CURLE_ABORTED_BY_CALLBACK: the user wants to stop. */
static CURLcode run(struct handle *h, struct transfer *t, int64_t timeout_ms)
{
    int64_t moved = -1, begun = clock_mono_ms(), since = begun;
    for (;;) {
        int running;
        if (curl_multi_perform(h->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        bool done = false;
        int64_t bytes = bytes_moved(h->easy, t), now = clock_mono_ms();
        CURLcode code = finished(h->multi, &done);
        if (done)
            return code;
        if (cancel_requested())
            return CURLE_ABORTED_BY_CALLBACK;
        if (bytes != moved) {
            moved = bytes;
            since = now;
        }
        t->too_slow = now - begun > 2 * timeout_ms + bytes * 1000 / SLOWEST_BYTES_S;
        int64_t left = t->too_slow ? 0 : since + timeout_ms - now;
        if (left <= 0)
            return CURLE_OPERATION_TIMEDOUT;
        curl_multi_poll(h->multi, NULL, 0, (int)(left < LOOK_MS ? left : LOOK_MS), NULL);
    }
}

static struct str cause(struct arena *a, CURL *easy, CURLcode code, const char *message,
                        const struct transfer *t, int64_t timeout_ms)
{
    long os_error = 0;
    curl_off_t connected = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (t->too_large)
        return t->header_bytes > HEADER_BYTES_MAX
                   ? STR("the answer has too many headers")
                   : str_fmt(a, "the answer is larger than %zu MiB", t->answer_max >> 20);
    if (t->too_slow)
        return STR("the answer comes too slowly to ever end");
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return STR("host name not found");
    case CURLE_COULDNT_RESOLVE_PROXY:
        return STR("host name of the proxy not found");
    case CURLE_OPERATION_TIMEDOUT:
        return connected ? str_fmt(a, "no answer for %.3g s", (double)timeout_ms / 1000)
                         : STR("no connection in time");
    case CURLE_COULDNT_CONNECT:
        if (os_error)
            return str_lower(a, str_c(strerror((int)os_error)));
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return STR("the connection broke before the answer was complete");
    default:
        break;
    }
    struct str text = str_c(*message ? message : curl_easy_strerror(code));
    return str_concat(a, str_lower(a, str_sub(text, 0, 1)), str_sub(text, 1, text.n));
}

static int network_error(struct arena *a, CURL *easy, CURLcode code, const char *message,
                         const struct http_request *r, const struct transfer *t, struct err *err)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ERR_CANCELLED, "stopped");
    struct str why = cause(a, easy, code, message, t, r->timeout_ms ? r->timeout_ms : TIMEOUT_MS);
    return err_set(err, ERR_NETWORK, "cannot reach '%.*s': %.*s", STR_ARG(url_origin(r->url)),
                   STR_ARG(why));
}

static int exchange(struct handle *h, const struct http_request *r, struct transfer *t,
                    const char *message, struct err *err)
{
    CURLcode code = curl_multi_add_handle(h->multi, h->easy) == CURLM_OK
                        ? run(h, t, r->timeout_ms ? r->timeout_ms : TIMEOUT_MS)
                        : CURLE_FAILED_INIT;
    int done = code == CURLE_OK ? 0 : network_error(t->arena, h->easy, code, message, r, t, err);
    curl_multi_remove_handle(h->multi, h->easy);
    return done;
}

/* Has the whole request left? Its body is up, and libcurl has sent or received something. */
static bool is_sent(CURL *easy, const struct http_request *r, const struct transfer *t)
{
    curl_off_t up = 0;
    long request_bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return t->header_bytes || (request_bytes > 0 && up >= (curl_off_t)r->body.n);
}

int http_send(struct arena *a, struct http *http, const struct http_request *r,
              struct aws_answer *ret, bool *ret_sent, struct err *err)
{
    struct curl_slist *headers __attribute__((cleanup(headers_cleanup))) = NULL;
    char message[CURL_ERROR_SIZE] = "";
    if (ret_sent)
        *ret_sent = false;
    if (header_list(a, r, &headers, err) < 0)
        return -1;
    if (http->options.debug)
        debug_request(r);
    *ret = (struct aws_answer){.headers = MAP(a)};
    struct transfer t = {.arena = a,
                         .answer = ret,
                         .body = BUF(a),
                         .meter = r->meter,
                         .answer_max = r->answer_max ? r->answer_max : ANSWER_BYTES_MAX};
    struct handle *h = handle_take(http);
    struct libcurl_setup setup = {.easy = h->multi ? h->easy : NULL};
    set_up(http, &setup, r, headers, &t, message);
    int done = libcurl_ready(&setup, err) < 0 ? -1 : exchange(h, r, &t, message, err);
    long status = 0;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (ret_sent)
        *ret_sent = is_sent(h->easy, r, &t);
    handle_give(http, h);
    ret->status = (int)status;
    ret->body = buf_str(&t.body);
    if (http->options.debug && done == 0)
        debug_answer(ret);
    return done;
}
