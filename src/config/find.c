/* Finding and reading the service file. */
#include "config/config_internal.h"

#include "base/fs.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "config/variables/scripts.h"

/* In the order in which they are looked for; the reference's. */
static const char *const names[] = {
    "serverless.yml", "serverless.yaml", "serverless.json", "serverless.js",
    "serverless.mjs", "serverless.cjs",  "serverless.ts",   "serverless.mts",
};

static bool is_script(struct str path)
{
    static const char *const ends[] = {".js", ".mjs", ".cjs", ".ts", ".mts"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(path, str_c(ends[i])))
            return true;
    return false;
}

/* The first of the names in `dir`; empty when there is none. */
static struct str look_in(struct arena *a, struct str dir)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str path = path_join(a, dir, str_c(names[i]));
        if (fs_is_file(path))
            return path;
    }
    return (struct str){0};
}

/* Directory that a service from a bundle is said to be in: no file can be found there by
 * mistake. */
static const struct str NOWHERE = {"/dev/null/bundle", sizeof "/dev/null/bundle" - 1};

int service_find(struct arena *a, const struct config_options *options, struct str *ret,
                 struct err *err)
{
    if (options->bundle) {
        *ret = path_join(a, NOWHERE, options->bundle->main);
        return 0;
    }
    struct str start = path_absolute(a, options->dir.n ? options->dir : STR("."));
    if (options->path.n) {
        *ret = path_absolute(a, path_join(a, start, options->path));
        if (!fs_exists(*ret))
            return err_set(err, ERR_NOT_FOUND, "no file '%.*s'", STR_ARG(options->path));
        return 0;
    }
    for (struct str dir = start;; dir = path_dir(a, dir)) {
        *ret = look_in(a, dir);
        if (ret->n)
            return 0;
        if (dir.n <= 1)
            break;
    }
    err_set(err, ERR_NOT_FOUND, "no serverless.yml in '%.*s' or above", STR_ARG(start));
    return err_help(err, "go to the service's directory, or name the file with --config FILE");
}

/* What a script computes, as the JSON text that is recorded of it. Where errors show lines, they
 * are those of that text. */
static int compute(struct resolver *r, struct str path, struct source *source,
                   struct script_result *ret, struct err *err)
{
    const struct script_call call = {.is_service = true, .path = path, .shown = source->path};
    if (script_run(r, &call, ret, err) < 0)
        return -1;
    source->text = json_text(r->arena, ret->value, 2);
    ret->value = node_null(r->arena); /* the text is recorded */
    return 0;
}

static int read_file(struct resolver *r, struct str path, struct source *source, struct err *err)
{
    if (r->options->bundle) {
        source->text = bundle_file(r->options->bundle, r->options->bundle->main)->text;
    } else if (fs_read(r->arena, path, DOC_BYTES_MAX, &source->text, err) < 0) {
        if (err->kind == ERR_FAILED) {
            err->kind = ERR_CONFIG;
            err->pos = (struct pos){source, 1, 1, 0};
        }
        return -1;
    }
    source->text = encoding_skip_mark(source->text);
    return 0;
}

/* `*ret_flags`: those of every value in it. */
static int read_script(struct resolver *r, struct str path, struct source *source,
                       unsigned *ret_flags, struct err *err)
{
    struct script_result result;
    bool recorded = r->options->bundle;
    if (recorded ? script_recorded(r, source->path, source->path, (struct pos){0}, &result, err) < 0
                 : compute(r, path, source, &result, err) < 0)
        return -1;
    script_record(r, source->path, &result);
    *ret_flags = result.flags;
    return recorded ? read_file(r, path, source, err) : 0;
}

const struct node *service_read(struct resolver *r, struct str path, struct source *source,
                                struct err *err)
{
    struct source *text = ARENA_NEW(r->arena, struct source);
    bool script = is_script(path);
    unsigned flags = 0;
    if (script ? read_script(r, path, source, &flags, err) < 0
               : read_file(r, path, source, err) < 0)
        return NULL;
    *text = *source;
    if (script)
        text->path = str_fmt(r->arena, "%.*s, computed", STR_ARG(source->path));
    const struct node *root = script || str_ends(path, STR(".json"))
                                  ? json_read(r->arena, text, err)
                                  : yaml_read(r->arena, text, err);
    if (root && root->kind != NODE_MAP) {
        struct pos pos = root->pos.source ? root->pos : (struct pos){text, 1, 1, 0};
        err_at(err, pos, ERR_CONFIG, "the service file must be a map, not %s",
               node_kind_name(root));
        err_help(err, "it starts like this: service: NAME");
        return NULL;
    }
    return root ? with_flags(r->arena, root, flags) : NULL;
}
