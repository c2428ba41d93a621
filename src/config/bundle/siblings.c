/* What another stage may need of the service directory when it is made from a source bundle: files
 * whose names differ in what the stage took part in, and fallbacks that this stage did not need. */
#include "config/variables/variables.h"

#include "base/fs.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/yaml.h"

enum {
    SIBLING_BYTES_MAX = 1024 * 1024, /* of one pattern */
    SIBLING_COUNT_MAX = 256,
    PROBE_DEPTH_MAX = 16, /* files that name further files */
};

/* ---- following what is found ---- */

static void probe(struct resolver *r, const struct node *n, unsigned depth);

/* Ask a source as another stage would, so that its value is recorded. A failure is not told: it
 * belongs to the stage that needs the source, and that stage is told. */
static void probe_source(struct resolver *r, const struct node *host,
                         const struct variable_source *s, unsigned depth)
{
    cleanup_err struct err ignored = {0};
    struct query q;
    struct answer answer = {0};
    struct str value;
    unsigned flags = 0;
    if (query_make(r, host, s, &q, &flags, &ignored) < 0 || q.secret)
        return;
    if (str_eq(s->type, STR("env")) && environment_get(r, q.address, &value))
        source_env(r, &q, &answer, &ignored);
    else if (str_eq(s->type, STR("file")) && source_file(r, &q, &answer, &ignored) == 0)
        probe(r, answer.value, depth + 1);
}

static void probe_text(struct resolver *r, const struct node *n, unsigned depth)
{
    struct template t;
    struct template_error ignored;
    if (str_find(n->text, STR("${file("), 0) < 0 || !template_read(r->arena, n->text, &t, &ignored))
        return;
    for (size_t i = 0; i < t.variable_count; i++)
        for (size_t k = 0; k < t.variables[i].source_count; k++)
            if (str_eq(t.variables[i].sources[k].type, STR("file")))
                probe_source(r, n, &t.variables[i].sources[k], depth);
}

/* Ask for the files that `n` names; `n` is in a file for another stage. */
static void probe(struct resolver *r, const struct node *n, unsigned depth)
{
    if (!n || depth > PROBE_DEPTH_MAX)
        return;
    if (n->kind == NODE_STRING)
        probe_text(r, n, depth);
    node_each (item, n)
        probe(r, item, depth);
    member_each (m, n)
        probe(r, m->value, depth);
}

/* ---- files ---- */

struct search {
    struct resolver *r;
    const struct sibling_pattern *of;
    size_t bytes, count;
    bool blind; /* true: some directory could not be read */
    struct buf left_out;
    size_t left_out_count;
};

static bool is_recorded(struct resolver *r, struct str name)
{
    vec_each (&r->sources, file)
        if (str_eq(file->path, name))
            return true;
    return false;
}

/* Is `path`, behind its links, in the service directory? */
static bool is_below(struct resolver *r, struct str path)
{
    char *real = realpath(str_z(r->arena, path), NULL);
    char *top = realpath(str_z(r->arena, r->dir), NULL);
    struct str dir = str_c(top);
    bool below = real && top && str_starts(str_c(real), dir) && (dir.n == 1 || real[dir.n] == '/');
    free(real);
    free(top);
    return below;
}

/* Leave out a file. The user is warned now, and a stage that asks for the file gets an error. */
static void leave_out(struct search *s, struct str name)
{
    record_absent(s->r, str_fmt(s->r->arena, "unrecorded(%.*s)", STR_ARG(name)));
    if (s->left_out_count < 3)
        buf_fmt(&s->left_out, "%s'%.*s'", s->left_out_count ? ", " : "", STR_ARG(name));
    s->left_out_count++;
}

static void probe_file(struct resolver *r, struct str name, struct str text)
{
    cleanup_err struct err ignored = {0};
    bool is_json = str_ends(name, STR(".json"));
    if (!is_json && !str_ends(name, STR(".yml")) && !str_ends(name, STR(".yaml")))
        return;
    if (str_find(text, STR("${file("), 0) < 0)
        return;
    struct source *source = ARENA_NEW(r->arena, struct source);
    *source = (struct source){name, encoding_skip_mark(text)};
    probe(r,
          is_json ? json_read(r->arena, source, &ignored) : yaml_read(r->arena, source, &ignored),
          0);
}

static void take(struct search *s, struct str name)
{
    struct resolver *r = s->r;
    struct str path = path_join(r->arena, r->dir, name), text;
    struct stat st;
    size_t bad;
    if (is_recorded(r, name) || str_starts(path_base(name), STR(".env")) || !fs_is_file(path) ||
        !is_below(r, path))
        return;
    if (s->count >= SIBLING_COUNT_MAX || stat(str_z(r->arena, path), &st) < 0 ||
        (size_t)st.st_size > SIBLING_BYTES_MAX - s->bytes) {
        leave_out(s, name);
        return;
    }
    cleanup_err struct err err = {0};
    if (fs_read(r->arena, path, SIBLING_BYTES_MAX, &text, &err) < 0) {
        leave_out(s, name);
        return;
    }
    if (!str_utf8_ok(text, &bad) || str_find_char(text, 0, 0) >= 0)
        return; /* no stage can read it */
    s->bytes += text.n;
    s->count++;
    record_file(r, name, text);
    probe_file(r, name, text);
}

static void look_in(struct search *s, struct str dir, struct str rest)
{
    struct arena *a = s->r->arena;
    struct str piece, *names;
    size_t count;
    if (!str_cut(&rest, '/', &piece))
        return;
    if (str_find_char(piece, 0, 0) < 0) {
        struct str name = path_join(a, dir, piece);
        rest.p ? look_in(s, name, rest) : take(s, name);
        return;
    }
    cleanup_err struct err ignored = {0};
    if (fs_list(a, path_join(a, s->r->dir, dir), &names, &count, &ignored) < 0) {
        s->blind = s->blind || ignored.kind != ERR_NOT_FOUND;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct str name = path_join(a, dir, names[i]);
        if (!sibling_matches(piece, names[i]) || str_eq(names[i], STR("node_modules")))
            continue;
        if (!rest.p)
            take(s, name);
        else if (fs_is_dir(path_join(a, s->r->dir, name)))
            look_in(s, name, rest);
    }
}

static struct str shown_pattern(struct resolver *r, struct str pattern, const char *any)
{
    return str_replace(r->arena, pattern, (struct str){"", 1}, str_c(any));
}

static void record_pattern(struct resolver *r, const struct config_options *o,
                           const struct sibling_pattern *of)
{
    struct search s = {.r = r, .of = of, .left_out = BUF(r->arena)};
    look_in(&s, STR(""), of->pattern);
    if (!s.blind)
        record_absent(
            r, str_fmt(r->arena, "file(%.*s)", STR_ARG(shown_pattern(r, of->pattern, "<*>"))));
    if (!s.left_out_count)
        return;
    if (!o->warn)
        return;
    struct str shown = shown_pattern(r, of->pattern, "*");
    struct str names = buf_str(&s.left_out);
    o->warn(o->warn_context, of->pos,
            s.left_out_count <= 3
                ? str_fmt(r->arena, "not recorded for other stages: %.*s", STR_ARG(names))
                : str_fmt(r->arena, "not recorded for other stages: %.*s and %zu more",
                          STR_ARG(names), s.left_out_count - 3),
            str_fmt(r->arena,
                    "of '%.*s' 1 MiB of text is recorded; a reset or clone that needs more is "
                    "refused: deploy that stage from the files",
                    STR_ARG(shown)));
}

void siblings_record(struct resolver *r)
{
    const struct config_options *own = r->options;
    struct config_options quiet = *own;
    quiet.remote = NULL;
    quiet.warn = NULL;
    r->options = &quiet;
    r->probing = true;
    for (size_t i = 0; i < r->fallbacks.n; i++) {
        struct fallback f = r->fallbacks.p[i];
        for (size_t k = 0; k < f.count; k++)
            if (fallback_is_worth(&f.sources[k]))
                probe_source(r, f.host, &f.sources[k], 0);
    }
    for (size_t i = 0; i < r->patterns.n; i++) {
        struct sibling_pattern pattern = r->patterns.p[i];
        record_pattern(r, own, &pattern);
    }
    r->fallbacks.n = r->patterns.n = 0;
    r->options = own;
    r->probing = false;
}
