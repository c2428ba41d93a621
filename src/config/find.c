/* Finding and reading the service file. */
#include "config/config_internal.h"

#include "base/fs.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/yaml.h"

static const char *const names[] = {"serverless.yml", "serverless.yaml", "serverless.json"};
static const char *const scripts[] = {"serverless.js", "serverless.cjs", "serverless.mjs",
                                      "serverless.ts", "serverless.mts"};

static int refuse_script(struct str path, struct err *err)
{
    err_set(err, ERR_CONFIG, "'%.*s' is a script, and scripts are not run",
            STR_ARG(path_base(path)));
    return err_help(err, "write the service as YAML; 'serverless print > serverless.yml' makes it "
                         "from the script");
}

static bool is_script(struct str path)
{
    struct str base = path_base(path);
    static const char *const ends[] = {".js", ".cjs", ".mjs", ".ts", ".mts"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(base, str_c(ends[i])))
            return true;
    return false;
}

/* The first of the names in `dir`; empty when there is none. */
static int look_in(struct arena *a, struct str dir, struct str *ret, struct err *err)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *ret = path_join(a, dir, str_c(names[i]));
        if (fs_is_file(*ret))
            return 0;
    }
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        *ret = path_join(a, dir, str_c(scripts[i]));
        if (fs_is_file(*ret))
            return refuse_script(*ret, err);
    }
    *ret = (struct str){0};
    return 0;
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
        if (is_script(*ret))
            return refuse_script(*ret, err);
        if (!fs_exists(*ret))
            return err_set(err, ERR_NOT_FOUND, "no file '%.*s'", STR_ARG(options->path));
        return 0;
    }
    for (struct str dir = start;; dir = path_dir(a, dir)) {
        if (look_in(a, dir, ret, err) < 0)
            return -1;
        if (ret->n)
            return 0;
        if (dir.n <= 1)
            break;
    }
    err_set(err, ERR_NOT_FOUND, "no serverless.yml in '%.*s' or above", STR_ARG(start));
    return err_help(err, "go to the service's directory, or name the file with --config FILE");
}

const struct node *service_read(struct arena *a, const struct config_options *options,
                                struct str path, struct source *source, struct err *err)
{
    if (options->bundle) {
        source->text = bundle_file(options->bundle, options->bundle->main)->text;
    } else if (fs_read(a, path, DOC_BYTES_MAX, &source->text, err) < 0) {
        if (err->kind == ERR_FAILED) {
            err->kind = ERR_CONFIG;
            err->pos = (struct pos){source, 1, 1, 0};
        }
        return NULL;
    }
    source->text = encoding_skip_mark(source->text);
    const struct node *root =
        str_ends(path, STR(".json")) ? json_read(a, source, err) : yaml_read(a, source, err);
    if (root && root->kind != NODE_MAP) {
        struct pos pos = root->pos.source ? root->pos : (struct pos){source, 1, 1, 0};
        err_at(err, pos, ERR_CONFIG, "the service file must be a map, not %s",
               node_kind_name(root));
        err_help(err, "it starts like this: service: NAME");
        return NULL;
    }
    return root;
}
