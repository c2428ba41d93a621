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

bool health_ok(int port)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err ignored = {0};
    struct str url = str_fmt(a, "http://127.0.0.1:%d/_ministack/health", port);
    long status = 0;
    if (libcurl_load(&ignored) < 0)
        return false;
    __attribute__((cleanup(curl_cleanup))) CURL *curl = curl_easy_init();
    struct libcurl_setup setup = {.easy = curl};
    LIBCURL_SET(&setup, CURLOPT_URL, url.p);
    LIBCURL_SET(&setup, CURLOPT_NOPROXY, "*");
    LIBCURL_SET(&setup, CURLOPT_NOSIGNAL, 1L);
    LIBCURL_SET(&setup, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    LIBCURL_SET(&setup, CURLOPT_WRITEFUNCTION, discard);
    return libcurl_ready(&setup, &ignored) == 0 && curl_easy_perform(curl) == CURLE_OK &&
           curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
}
