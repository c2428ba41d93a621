/* The object of a lease. */
#include "release/bucket/lease_content.h"

#include <errno.h>
#include <signal.h>

#include "doc/json.h"
#include "release/bucket/lease.h"

static const struct object_member members[] = {
    MEMBER(lease_content, nonce, OBJECT_TEXT),
    MEMBER(lease_content, of, OBJECT_TEXT),
    MEMBER(lease_content, broken, OBJECT_TEXT),
    MEMBER(lease_content, host, OBJECT_TEXT),
    MEMBER(lease_content, pid, OBJECT_WHOLE),
    MEMBER(lease_content, user, OBJECT_TEXT),
    MEMBER(lease_content, purpose, OBJECT_TEXT),
    MEMBER(lease_content, taken, OBJECT_TEXT),
    MEMBER(lease_content, renewed, OBJECT_TEXT),
    MEMBER(lease_content, given_back, OBJECT_TEXT),
    MEMBER(lease_content, lasts_ms, OBJECT_WHOLE, OBJECT_ALWAYS),
    {0},
};
const struct object_table lease_table = {"lease", sizeof(struct lease_content), members};

int lease_content_read(struct arena *a, struct str key, struct str text, struct lease_content *ret,
                       struct err *err)
{
    cleanup_err struct err bad = {0};
    const struct node *n = json_parse(a, key, text, &bad);
    if (object_format(n) > OBJECT_FORMAT)
        return object_check(n, key, err);
    if (!n || object_read(a, &lease_table, n, ret, &bad) < 0)
        *ret = (struct lease_content){.user = STR("somebody"),
                                      .purpose = STR("the lease cannot be read")};
    if (!ret->object.read || !node_get_c(n, "lasts_ms"))
        ret->lasts_ms = LEASE_MS;
    return 0;
}

/* Which machine and which boot: a pid means something only together with both. */
struct str lease_host(struct arena *a)
{
    char host[256] = "";
    struct str boot = {"", 0};
    gethostname(host, sizeof host - 1);
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    char line[64] = "";
    if (f) {
        if (fgets(line, sizeof line, f))
            boot = str_trim(str_c(line));
        fclose(f);
    }
    return str_fmt(a, "%s/%.*s", host, STR_ARG(boot));
}

bool lease_is_dead(struct str host, const struct lease_content *holder)
{
    return str_eq(holder->host, host) && (pid_t)holder->pid > 0 &&
           kill((pid_t)holder->pid, 0) < 0 && errno == ESRCH;
}
