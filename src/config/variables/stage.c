/* The stage and the region that variables are resolved for. */
#include "config/variables/variables.h"

#include <ctype.h>

/* provider.<key> as text; empty when the file does not set it. */
static int provider_text(struct resolver *r, const char *key, struct str *ret, struct pos *pos,
                         struct err *err)
{
    struct found found;
    struct str path = str_fmt(r->arena, "provider.%s", key);
    *ret = (struct str){"", 0};
    *pos = (struct pos){0};
    if (resolve_path(r, r->root, path, STR(""), &found, err) < 0)
        return -1;
    const struct node *n = found.node;
    if (!n)
        return 0;
    *pos = n->pos;
    if (n->kind >= NODE_SEQ)
        return err_at(err, n->pos, ERR_CONFIG, "'%s' must be a string, not %s", key,
                      node_kind_name(n));
    *ret = node_text(n);
    return 0;
}

int resolve_stage(struct resolver *r, struct err *err)
{
    if (r->stage_known)
        return 0;
    struct pos pos = {0};
    struct str stage = r->options->stage;
    if (!stage.n && provider_text(r, "stage", &stage, &pos, err) < 0)
        return -1;
    r->stage_named = stage.n > 0;
    if (!stage.n)
        stage = r->options->default_stage;
    if (stage.n && stage_name_check(stage, err) < 0) {
        err->pos = pos;
        return -1;
    }
    r->stage = stage;
    r->stage_known = true;
    return 0;
}

int resolve_region(struct resolver *r, struct err *err)
{
    struct pos pos;
    if (r->region.n)
        return 0;
    r->region = r->options->region;
    if (!r->region.n && provider_text(r, "region", &r->region, &pos, err) < 0)
        return -1;
    if (!r->region.n)
        r->region = STR("us-east-1");
    return 0;
}

/* feature/x -> feature-x */
static int say_name(struct str name, struct err *err)
{
    char other[129];
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < sizeof other; i++) {
        bool fits = isalnum((unsigned char)name.p[i]) || name.p[i] == '_';
        if (fits || (n && other[n - 1] != '-'))
            other[n++] = fits ? name.p[i] : '-';
    }
    n -= n && other[n - 1] == '-';
    return err_help(err, "stage names are made of letters, digits, '-' and '_'%s%.*s%s",
                    n ? ", for example '" : "", (int)n, other, n ? "'" : "");
}

int stage_name_check(struct str name, struct err *err)
{
    bool digits = true;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool digit = c >= '0' && c <= '9';
        digits = digits && digit;
        if (!digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '_') {
            size_t end = i + 1; /* of the letter, which may have several bytes */
            while (end < name.n && ((unsigned char)name.p[end] & 0xC0) == 0x80)
                end++;
            err_set(err, ERR_CONFIG, "'%.*s' cannot be a stage name: it has '%.*s' in it",
                    STR_ARG(name), STR_ARG(str_sub(name, i, end - i)));
            return say_name(name, err);
        }
    }
    if (!name.n || name.n > 128)
        return err_set(err, ERR_CONFIG, "a stage name has 1 to 128 characters, not %zu", name.n);
    if (digits)
        return err_set(err, ERR_CONFIG, "'%.*s' cannot be a stage name: it has digits only",
                       STR_ARG(name));
    if (str_eq(name, STR("latest")))
        return err_set(err, ERR_CONFIG, "'latest' cannot be a stage name: Lambda reserves it");
    return 0;
}
