/* An HTTP server on loopback for tests, a thread for every connection. */
#include "check.h"

#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_MAX = 512, CONNECTIONS_MAX = 512, HEAD_BYTES = 8 << 10, LOOK_MS = 20 };

struct connection {
    struct loopback *server;
    int fd;
    pthread_t thread;
};

struct loopback {
    const struct reply *replies;
    size_t n_replies;
    loopback_answer *answer; /* makes the replies instead of a list; NULL: it does not */
    void *context;
    int fd;
    char url[64];
    atomic_bool stop;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    size_t n_requests, n_connections;
    struct str requests[REQUESTS_MAX];
    struct connection connections[CONNECTIONS_MAX];
};

/* Length of the body that the head announces. */
static size_t content_length(struct str head)
{
    static const char name[] = "content-length:";
    for (size_t i = 0; i + sizeof name < head.n; i++)
        if (strncasecmp(head.p + i, name, sizeof name - 1) == 0)
            return strtoul(head.p + i + sizeof name - 1, NULL, 10);
    return 0;
}

/* Read one request into malloc'd memory. False: the client is gone or the server stops. */
static bool read_request(struct connection *c, struct str *ret)
{
    size_t n = 0, want = 0, room = HEAD_BYTES;
    char *p = malloc(room);
    while (!want || n < want) {
        struct pollfd ready = {c->fd, POLLIN, 0};
        if (atomic_load(&c->server->stop) || poll(&ready, 1, LOOK_MS) < 0)
            break;
        if (!ready.revents)
            continue;
        ssize_t got = recv(c->fd, p + n, room - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        ptrdiff_t end = str_find((struct str){p, n}, STR("\r\n\r\n"), 0);
        if (!want && end >= 0)
            want = (size_t)end + 4 + content_length((struct str){p, (size_t)end + 2});
        if (n == room || want > room) {
            room = want > 2 * room ? want : 2 * room;
            p = realloc(p, room);
        }
    }
    *ret = (struct str){p, n};
    if (want && n >= want)
        return true;
    free(p);
    return false;
}

static const struct reply *record(struct loopback *s, struct str request)
{
    pthread_mutex_lock(&s->lock);
    size_t i = s->n_requests;
    assert_true(i < REQUESTS_MAX);
    s->requests[s->n_requests++] = request;
    pthread_mutex_unlock(&s->lock);
    return &s->replies[i < s->n_replies ? i : s->n_replies - 1];
}

static void send_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        s = str_sub(s, (size_t)n, s.n);
    }
}

/* Answer one request. True: the connection stays open. */
static bool play(struct connection *c, struct arena *a, const struct reply *r)
{
    struct str body = str_c(r->body);
    for (int waited = 0; waited < r->delay_ms || r->manner == SILENT; waited += LOOK_MS) {
        if (atomic_load(&c->server->stop))
            return false;
        usleep(LOOK_MS * 1000);
    }
    if (r->manner == RESET) {
        struct linger hard = {1, 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        return false;
    }
    send_all(c->fd, str_fmt(a, "HTTP/1.1 %d Reason\r\nContent-Length: %zu\r\n%s\r\n", r->status,
                            body.n, r->headers ? r->headers : ""));
    for (size_t i = 0; r->manner == DRIP && i < body.n; i++) {
        if (atomic_load(&c->server->stop))
            return false;
        send_all(c->fd, str_sub(body, i, 1));
        usleep(LOOK_MS * 1000);
    }
    send_all(c->fd, r->manner == DRIP  ? STR("")
                    : r->manner == CUT ? str_sub(body, 0, body.n / 2)
                                       : body);
    return r->manner == WHOLE || r->manner == DRIP;
}

static void *serve(void *context)
{
    struct connection *c = context;
    struct str request;
    bool more = true;
    while (more && read_request(c, &request)) {
        cleanup_arena struct arena *a = arena_new();
        struct reply made = {0};
        if (c->server->answer) {
            c->server->answer(c->server->context, a, request, &made);
            free((char *)(uintptr_t)request.p);
        }
        more = play(c, a, c->server->answer ? &made : record(c->server, request));
    }
    close(c->fd);
    return NULL;
}

static void *accept_all(void *context)
{
    struct loopback *s = context;
    while (!atomic_load(&s->stop)) {
        struct pollfd ready = {s->fd, POLLIN, 0};
        if (poll(&ready, 1, LOOK_MS) <= 0)
            continue;
        int fd = accept(s->fd, NULL, NULL);
        int now = 1; /* head and body are sent in two writes, at once */
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
        pthread_mutex_lock(&s->lock);
        assert_true(s->n_connections < CONNECTIONS_MAX);
        struct connection *c = &s->connections[s->n_connections++];
        *c = (struct connection){s, fd, 0};
        pthread_create(&c->thread, NULL, serve, c);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static struct loopback *start(struct loopback settings)
{
    struct loopback *s = malloc(sizeof *s);
    *s = settings;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &size), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_mutex_init(&s->lock, NULL);
    pthread_create(&s->thread, NULL, accept_all, s);
    return s;
}

struct loopback *loopback_start(const struct reply *replies, size_t n)
{
    return start((struct loopback){.replies = replies, .n_replies = n});
}

struct loopback *loopback_serve(loopback_answer *answer, void *context)
{
    return start((struct loopback){.answer = answer, .context = context});
}

void loopback_stop(struct loopback *s)
{
    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->n_connections; i++)
        pthread_join(s->connections[i].thread, NULL);
    for (size_t i = 0; i < s->n_requests; i++)
        free((char *)(uintptr_t)s->requests[i].p);
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

struct str loopback_url(const struct loopback *s)
{
    return str_c(s->url);
}

static size_t locked(struct loopback *s, const size_t *value)
{
    pthread_mutex_lock(&s->lock);
    size_t n = *value;
    pthread_mutex_unlock(&s->lock);
    return n;
}

size_t loopback_requests(struct loopback *s)
{
    return locked(s, &s->n_requests);
}

size_t loopback_connections(struct loopback *s)
{
    return locked(s, &s->n_connections);
}

struct str loopback_request(struct loopback *s, size_t i)
{
    assert_true(i < loopback_requests(s));
    pthread_mutex_lock(&s->lock);
    struct str request = s->requests[i];
    pthread_mutex_unlock(&s->lock);
    return request;
}

struct str loopback_header(struct arena *a, struct loopback *s, size_t i, const char *name)
{
    struct str rest = loopback_request(s, i), line, key;
    while (str_cut(&rest, '\n', &line) && str_trim(line).n) {
        struct str value = line;
        if (str_cut(&value, ':', &key) && str_eq(str_lower(a, key), str_c(name)))
            return str_trim(value);
    }
    return (struct str){"", 0};
}
