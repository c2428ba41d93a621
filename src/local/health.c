/* Ports, and whether the local cloud answers. */
#include "local/local_internal.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/libcurl.h"

enum { ANSWER_MS = 2000 };

int port_free(int wanted)
{
    cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)wanted),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int on = 1; /* connections that are just closing do not keep the port */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        return 0;
    return ntohs(at.sin_port);
}

static size_t discard(char *p, size_t size, size_t n, void *context)
{
    (void)p, (void)context;
    return size * n;
}

static void curl_cleanup(CURL **curl)
{
    if (*curl)
        curl_easy_cleanup(*curl);
}

static bool loaded(void)
{
    cleanup_err struct err ignored = {0};
    return libcurl_load(&ignored) == 0;
}

bool health_ok(int port)
{
    cleanup_arena struct arena *a = arena_new();
    __attribute__((cleanup(curl_cleanup))) CURL *curl = loaded() ? curl_easy_init() : NULL;
    struct str url = str_fmt(a, "http://127.0.0.1:%d/_ministack/health", port);
    long status = 0;
    if (!curl)
        return false;
    curl_easy_setopt(curl, CURLOPT_URL, url.p);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    return curl_easy_perform(curl) == CURLE_OK &&
           curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
}
