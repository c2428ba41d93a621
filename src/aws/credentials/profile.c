/* The user's AWS settings. */
#include "aws/credentials/profile.h"

#include <pwd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "aws/credentials/ini.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024 };

struct str env_get(const char *name)
{
    return str_c(getenv(name));
}

struct str home_path(struct arena *a, struct str path)
{
    if (!str_starts(path, STR("~/")))
        return path;
    struct str home = env_get("HOME");
    if (!home.n) {
        struct passwd entry, *found = NULL;
        char *space = arena_alloc(a, 4096);
        getpwuid_r(getuid(), &entry, space, 4096, &found);
        home = str_c(found ? found->pw_dir : "");
    }
    return path_join(a, home, str_sub(path, 2, path.n));
}

static int load(struct arena *a, const char *variable, struct str fallback, const struct node **ret,
                struct err *err)
{
    struct str path = home_path(a, env_get(variable).n ? env_get(variable) : fallback), text;
    *ret = NULL;
    if (fs_read(a, path, FILE_BYTES_MAX, &text, err) < 0) {
        if (err->kind != ERR_NOT_FOUND) {
            err->kind = ERR_CONFIG;
            return -1;
        }
        err_clear(err);
        return 0;
    }
    *ret = ini_read(a, path, text, err);
    return *ret ? 0 : -1;
}

static const struct node *section(const struct node *file, const char *kind, struct str name)
{
    cleanup_arena struct arena *a = arena_new();
    return node_get(file, str_fmt(a, "%s %.*s", kind, STR_ARG(name)));
}

const struct node *profile_section(const struct profile_settings *s, const char *kind,
                                   struct str name)
{
    return section(s->config, kind, name);
}

const struct node *profile_config(const struct profile_settings *s, struct str profile)
{
    const struct node *found = section(s->config, "profile", profile);
    if (!found && str_eq(profile, STR("default")))
        found = node_get(s->config, profile);
    return found;
}

const struct node *profile_credentials(const struct profile_settings *s, struct str profile)
{
    return node_get(s->credentials, profile);
}

struct str profile_get(const struct profile_settings *s, const char *key)
{
    const struct node *value = node_get_c(profile_credentials(s, s->profile), key);
    if (!value)
        value = node_get_c(profile_config(s, s->profile), key);
    return node_text(value);
}

/* Names of the profiles in the files, "a, b, c", for advice. */
static struct str known_profiles(struct arena *a, const struct profile_settings *s)
{
    struct buf b = BUF(a);
    member_each (m, s->config) {
        struct str name = m->key;
        if (str_skip(&name, STR("profile ")) || str_eq(name, STR("default")))
            buf_fmt(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(name));
    }
    member_each (m, s->credentials)
        if (!profile_config(s, m->key))
            buf_fmt(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(m->key));
    return buf_str(&b);
}

static void choose(struct arena *a, const struct node *service, struct profile_settings *s)
{
    if (!s->profile.n)
        s->profile = env_get("AWS_PROFILE");
    if (!s->profile.n && node_text(service).n) {
        s->profile = str_dup(a, node_text(service));
        s->pos = node_pos(service);
    }
    if (!s->profile.n)
        s->profile = env_get("AWS_DEFAULT_PROFILE");
    s->chosen = s->profile.n > 0;
    if (!s->chosen)
        s->profile = STR("default");
}

int profile_load(struct arena *a, struct str profile, const struct node *service,
                 struct profile_settings *ret, struct err *err)
{
    *ret = (struct profile_settings){.profile = str_dup(a, profile), .named = profile.n > 0};
    if (load(a, "AWS_CONFIG_FILE", STR("~/.aws/config"), &ret->config, err) < 0 ||
        load(a, "AWS_SHARED_CREDENTIALS_FILE", STR("~/.aws/credentials"), &ret->credentials, err) <
            0)
        return -1;
    choose(a, service, ret);
    bool needed = ret->chosen && !(ret->pos.source && env_get("AWS_ACCESS_KEY_ID").n);
    if (!needed || profile_config(ret, ret->profile) || profile_credentials(ret, ret->profile))
        return 0;
    struct str known = known_profiles(a, ret);
    err_set(err, ERR_DENIED, "AWS profile '%.*s' does not exist", STR_ARG(ret->profile));
    if (known.n)
        return err_help(err, "use one of: %.*s", STR_ARG(known));
    return err_help(err, "make it with: aws configure --profile %.*s", STR_ARG(ret->profile));
}
