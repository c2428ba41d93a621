/* ${file(path):address}: YAML and JSON files as trees, what .js and .cjs compute, everything else
 * as one text. Paths are relative to the service directory; `~/` is the home directory. With a
 * source bundle they are only names in it. */
#include "config/variables/scripts.h"

#include <stdlib.h>

#include "base/fs.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/yaml.h"

/* One file, loaded once, by whatever name it is asked for. */
struct loaded_file {
    struct source source;
    const struct node *node; /* NULL: no such file */
};

/* A file that is asked for. */
struct wanted {
    struct str name;  /* name in records: as the file names it, cleaned */
    struct str text;  /* name in records when it is absent: "file(name)" */
    struct str path;  /* absolute; with a bundle, the name */
    struct str shown; /* name in messages */
};

typedef const struct node *read_fn(struct arena *a, const struct source *source, struct err *err);

static const struct node *read_text(struct arena *a, const struct source *source, struct err *err)
{
    size_t bad;
    if (encoding_check(source, err) < 0)
        return NULL;
    if (!str_utf8_ok(source->text, &bad) || str_find_char(source->text, '\0', 0) >= 0) {
        err_set(err, ERR_CONFIG, "'%.*s' is not text in UTF-8", STR_ARG(source->path));
        return NULL;
    }
    struct node *n = node_str(a, source->text);
    n->pos = (struct pos){source, 1, 1, 0};
    return n;
}

static const struct {
    const char *extension;
    read_fn *read;
} readers[] = {
    {".yml", yaml_read}, {".yaml", yaml_read}, {".json", json_read}, {".tfstate", json_read}};

/* Other scripts (.mjs, .ts) are text, as in the reference. */
static bool is_script(struct str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".cjs"));
}

static bool is_other_script(struct str name)
{
    static const char *const ends[] = {".mjs", ".ts", ".mts", ".cts"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(name, str_c(ends[i])))
            return true;
    return false;
}

static read_fn *reader_of(struct str path)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (str_ends(path, str_c(readers[i].extension)))
            return readers[i].read;
    return read_text;
}

static int text_of(struct resolver *r, const struct wanted *w, struct str *ret, struct err *err)
{
    if (!r->options->bundle)
        return fs_read(r->arena, w->path, DOC_BYTES_MAX, ret, err);
    const struct node *text = bundle_file(r->options->bundle, w->name);
    if (!text)
        return err_set(err, ERR_NOT_FOUND, "no file '%.*s'", STR_ARG(w->name));
    *ret = text->text;
    return 0;
}

static int file_read(struct resolver *r, const struct wanted *w, struct loaded_file *file,
                     struct err *err)
{
    cleanup_err struct err missing = {0};
    file->source.path = w->shown;
    if (text_of(r, w, &file->source.text, &missing) < 0) {
        if (missing.kind == ERR_NOT_FOUND)
            return 0;
        return err_set(err, ERR_CONFIG, "%.*s", STR_ARG(missing.msg));
    }
    read_fn *read = reader_of(w->path);
    if (read != read_text) /* read_text keeps every byte */
        file->source.text = encoding_skip_mark(file->source.text);
    file->node = read(r->arena, &file->source, err);
    return file->node ? 0 : -1;
}

/* Warn of a file that the recorded stage did not ask for: it may have existed, but the bundle does
 * not have it. */
static void warn_unrecorded(struct resolver *r, const struct wanted *w, struct pos at)
{
    const struct config_options *o = r->options;
    if (!o->bundle || !o->warn || recorded_file_looked_for(r, w->name))
        return;
    o->warn(o->warn_context, at,
            str_fmt(r->arena, "file '%.*s' is not in the recorded source: it counts as missing",
                    STR_ARG(w->name)),
            STR("to have it read, deploy from the files: troupe deploy STAGE"));
}

/* Load a file, once: YAML or JSON by its name, any other as one string. `*ret` NULL when there is
 * no such file. */
static int file_load(struct resolver *r, const struct wanted *w, const struct query *q,
                     const struct node **ret, struct err *err)
{
    struct loaded_file *file = map_get(&r->files, w->path);
    if (!file) {
        file = ARENA_NEW(r->arena, struct loaded_file);
        if (file_read(r, w, file, err) < 0) {
            err->kind = ERR_CONFIG;
            if (err->pos.source)
                return err_note(err, q->pos, "the file is used here");
            err->pos = q->pos;
            return -1;
        }
        if (!file->node && !q->secret)
            warn_unrecorded(r, w, q->pos);
        map_put(&r->files, w->path, file);
    }
    *ret = file->node;
    if (!file->node)
        record_value(r, q, w->text, NULL);
    else if (!q->secret)
        record_file(r, w->name, file->source.text);
    return 0;
}

static struct str absolute(struct resolver *r, struct str path)
{
    const char *home = getenv("HOME");
    if (home && str_skip(&path, STR("~/")))
        path = path_join(r->arena, str_c(home), path);
    return path_clean(r->arena, path_join(r->arena, r->dir, path));
}

static struct wanted wanted_file(struct resolver *r, struct str name)
{
    struct str clean = path_clean(r->arena, name);
    struct wanted w = {.name = clean, .path = clean, .shown = clean};
    w.text = str_fmt(r->arena, "file(%.*s)", STR_ARG(clean));
    if (!r->options->bundle) {
        w.path = absolute(r, name);
        w.shown = file_shown(r, w.path);
    }
    return w;
}

/* The file of nearly the same name in the same directory; with a bundle, in the bundle. */
static struct str near_file(struct resolver *r, const struct wanted *w)
{
    if (r->options->bundle) {
        struct near near = {.name = w->name};
        member_each (m, r->options->bundle->files)
            near_offer(&near, m->key);
        return near.best;
    }
    struct str *names, dir = path_dir(r->arena, w->path);
    size_t count;
    cleanup_err struct err ignored = {0};
    if (fs_list(r->arena, dir, &names, &count, &ignored) < 0)
        return (struct str){0};
    struct near near = {.name = path_base(w->path)};
    for (size_t i = 0; i < count; i++)
        near_offer(&near, names[i]);
    return near.best.n ? file_shown(r, path_join(r->arena, dir, near.best)) : (struct str){0};
}

int source_file(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    const struct node *param = q->param_count ? q->params[0] : NULL;
    if (node_empty(param) || param->kind >= NODE_SEQ)
        return err_at(err, q->pos, ERR_CONFIG, "'file' needs a path: '${file(config.yml)}'");
    struct str name = node_text(param);
    if (str_find_char(name, '\0', 0) >= 0)
        return err_at(err, q->pos, ERR_CONFIG, "a path cannot have a NUL in it");
    struct wanted w = wanted_file(r, name);
    const struct node *content = NULL;
    siblings_note(r, q, w.name);
    if (file_load(r, &w, q, &content, err) < 0)
        return -1;
    ret->what = str_fmt(r->arena, "'%.*s'", STR_ARG(q->text));
    if (!content) {
        ret->why = str_fmt(r->arena, "no file '%.*s'%s", STR_ARG(w.shown),
                           r->options->bundle ? " in the recorded sources" : "");
        struct str near = near_file(r, &w);
        if (near.n)
            ret->help = str_fmt(r->arena, "did you mean '%.*s'?", STR_ARG(near));
        return 0;
    }
    if (is_script(w.name))
        return script_value(r, q, w.name, w.path, ret, err);
    if (content->kind == NODE_NULL)
        ret->why = str_fmt(r->arena, "file '%.*s' is empty", STR_ARG(w.shown));
    if (!q->has_address) {
        ret->value = content;
        return 0;
    }
    const struct node *head = resolve_head(r, content, err);
    if (!head)
        return -1;
    if (head->kind == NODE_NULL)
        return 0;
    ret->resolved = true;
    struct found found;
    if (resolve_path(r, head, q->address, w.shown, &found, err) < 0)
        return -1;
    answer_found(ret, &found);
    if (!ret->value && is_other_script(w.name))
        ret->help = STR("files are run when they end in .js or .cjs; this one is read as text");
    return 0;
}
