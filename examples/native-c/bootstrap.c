/* A Lambda function in C: asks the runtime API for an event, answers it, and again.
 *
 * The API is plain HTTP on loopback. Requests are HTTP/1.0, so that an answer ends where its
 * connection does. Source: Lambda developer guide, "Using the Lambda runtime API". */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 7 * 1024 * 1024 }; /* an event has at most 6 MB */

static char answer[ANSWER_MAX];

static int dial(const char *api)
{
    char host[64];
    const char *colon = strchr(api, ':');
    if (!colon || (size_t)(colon - api) >= sizeof host)
        return -1;
    snprintf(host, sizeof host, "%.*s", (int)(colon - api), api);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &at.sin_addr) != 1)
        return -1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k <= 0)
            return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

/* One request; the whole answer is in `answer` then. Returns its body, or NULL. */
static char *request(const char *api, const char *method, const char *path, const char *body)
{
    char head[1024];
    int n = snprintf(head, sizeof head,
                     "%s /2018-06-01/runtime/%s HTTP/1.0\r\nHost: %s\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                     method, path, api, strlen(body));
    int fd = n > 0 && (size_t)n < sizeof head ? dial(api) : -1;
    if (fd < 0)
        return NULL;
    size_t got = 0;
    ssize_t k = 0;
    if (send_all(fd, head, (size_t)n) == 0 && send_all(fd, body, strlen(body)) == 0)
        while (got < ANSWER_MAX - 1 && (k = read(fd, answer + got, ANSWER_MAX - 1 - got)) > 0)
            got += (size_t)k;
    close(fd);
    answer[got] = 0;
    char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

/* Value of a header of the last answer into `out`. */
static int header(const char *name, char *out, size_t size)
{
    for (char *line = strstr(answer, "\r\n"); line && strncmp(line, "\r\n\r\n", 4);
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, strlen(name)) || line[2 + strlen(name)] != ':')
            continue;
        char *value = line + 3 + strlen(name);
        value += strspn(value, " ");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
        return 0;
    }
    return -1;
}

/* {n} of the path, from the event's "pathParameters": {"n": "…"}; 0 when it is no number. */
static uint64_t path_number(const char *event)
{
    const char *at = strstr(event, "\"pathParameters\"");
    at = at ? strstr(at, "\"n\"") : NULL;
    at = at ? strchr(at + 3, ':') : NULL;
    at = at ? strchr(at, '"') : NULL;
    if (!at || strspn(at + 1, "0123456789") != strcspn(at + 1, "\"") || strcspn(at + 1, "\"") > 18)
        return 0;
    return strtoull(at + 1, NULL, 10);
}

/* "[2,2,3]" */
static void factors(uint64_t n, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (uint64_t p = 2; n > 1 && used < size; p += p == 2 ? 1 : 2) {
        if (p > n / p)
            p = n;
        for (; n % p == 0 && used < size; n /= p)
            used += (size_t)snprintf(out + used, size - used, "%s%" PRIu64, used > 1 ? "," : "", p);
    }
    if (used < size)
        snprintf(out + used, size - used, "]");
}

static void respond(const char *event, char *out, size_t size)
{
    char list[512];
    uint64_t n = path_number(event);
    if (!n) {
        snprintf(out, size,
                 "{\"statusCode\":400,\"body\":\"{\\\"error\\\":\\\"not a number above 0\\\"}\"}");
        return;
    }
    factors(n, list, sizeof list);
    snprintf(out, size,
             "{\"statusCode\":200,\"headers\":{\"content-type\":\"application/json\"},"
             "\"body\":\"{\\\"n\\\":%" PRIu64 ",\\\"factors\\\":%s}\"}",
             n, list);
}

int main(void)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!api) {
        fprintf(stderr, "this is a Lambda function: AWS_LAMBDA_RUNTIME_API is not set\n");
        return 1;
    }
    for (;;) {
        char id[128], path[192], out[1024];
        char *event = request(api, "GET", "invocation/next", "");
        if (!event || header("Lambda-Runtime-Aws-Request-Id", id, sizeof id) < 0)
            return 1;
        respond(event, out, sizeof out);
        snprintf(path, sizeof path, "invocation/%s/response", id);
        if (!request(api, "POST", path, out))
            return 1;
    }
}
