/* What the content of a lease says about its holder. */
#include "release/bucket/lease_content.h"

#include <errno.h>
#include <signal.h>

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

bool lease_is_dead(struct str host, const struct node *holder)
{
    int64_t pid;
    return str_eq(node_text(node_get_c(holder, "host")), host) &&
           node_to_int(node_get_c(holder, "pid"), &pid) && pid > 0 && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}

bool lease_holder_is_dead(const struct node *content)
{
    cleanup_arena struct arena *a = arena_new();
    return lease_is_dead(lease_host(a), content);
}

bool lease_is_broken(const struct node *content)
{
    return node_get_c(content, "broken") != NULL;
}
