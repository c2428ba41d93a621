/* Logins of the aws command. */
#include "aws/credentials/login_token.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "aws/client/aws_internal.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"
#include "aws/credentials/dpop.h"

enum { CACHE_BYTES_MAX = 1024 * 1024 };

int login_lock(struct str path)
{
    cleanup_arena struct arena *a = arena_new();
    int fd = open(str_z(a, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR && !cancel_requested())
        ;
    return fd;
}

const struct node *login_read(struct arena *a, struct str path)
{
    cleanup_err struct err ignored = {0};
    struct str text;
    if (fs_read(a, path, CACHE_BYTES_MAX, &text, &ignored) < 0)
        return NULL;
    return json_parse(a, STR("login"), text, &ignored);
}

void login_write(struct arena *a, struct str path, const struct node *login)
{
    cleanup_err struct err ignored = {0};
    struct str dir = path_dir(a, path);
    if (fs_is_dir(dir) || fs_mkdirs_own(dir, &ignored) == 0)
        fs_write(path, json_text(a, login, 0), 0600, &ignored);
}

int64_t login_remaining_ms(const struct node *map, const char *key)
{
    int64_t until;
    return time_parse(text_of(map, key), &until) ? until - clock_wall_ms() : -1;
}

/* A random UUID: RFC 9562, section 5.4. */
static struct str make_id(struct arena *a)
{
    char *id = str_z(a, random_hex(a, 16));
    id[12] = '4';
    id[16] = '8';
    return str_fmt(a, "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
}

int login_send(struct credential_search *search, const struct login_request *request,
               const struct node **ret, struct err *err)
{
    struct arena *a = search->arena;
    struct call call = {.service = aws_service_find(request->service),
                        .operation = request->operation,
                        .method = "POST",
                        .path = request->path,
                        .body = json_text(a, request->body, 0),
                        .credentials = &credentials_none};
    call_header(&call, "Content-Type", STR("application/json"));
    *ret = NULL;
    if (endpoint_find(a, call.service, request->region, (struct str){0}, search->settings,
                      &call.endpoint, err) < 0)
        return -1;
    struct dpop dpop = {str_concat(a, call.endpoint.url, call.path), clock_wall_ms(), make_id(a)};
    struct str proof;
    if (request->key.n && dpop_proof(a, request->key, &dpop, &proof, err) < 0)
        return -1;
    if (request->key.n)
        call_header(&call, "DPoP", proof);
    struct aws_answer answer = {0};
    int sent = call_send(a, search->aws, &call, &answer, err);
    cleanup_err struct err ignored = {0};
    *ret = answer.body.n ? json_parse(a, STR("answer"), answer.body, &ignored) : NULL;
    return sent;
}

int login_error(const struct credential_search *search, const char *what, const char *command,
                struct err *err)
{
    err_set(err, ERR_DENIED, "AWS profile '%.*s': %s", STR_ARG(search->profile), what);
    return err_help(err, "log in with: %s --profile %.*s", command, STR_ARG(search->profile));
}
