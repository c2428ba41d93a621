/* Handlers that are not among the packed files. Lambda would say so only at the first call. Each
 * rule is that of the runtime's interface client. Where Lambda may find files outside of the zip by
 * variables like PYTHONPATH, nothing is checked; where layers or a wrapper may bring the file, who
 * reads the message knows more. */
#include "pack/pack_internal.h"

#include "base/fs.h"

/* Find a file by its name in the zip. */
static const struct file *find_file(const struct file_list *list, struct str name)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(list->files[middle]->name, name);
        if (order == 0)
            return list->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool has_any(struct arena *a, const struct file_list *list, struct str stem,
                    const char *const *endings)
{
    for (; *endings; endings++)
        if (find_file(list, str_concat(a, stem, str_c(*endings))))
            return true;
    return false;
}

/* What a rule found: the file that the handler stands for, for the message. */
struct finding {
    struct str expected; /* empty: no file can stand for a handler of this form */
    struct str hint;
    bool in_vain; /* the file is there, and may not be executed */
};

/* Node.js: the directory, then the name up to its first dot. Besides the file itself a directory
 * with an index or a package of node_modules will do.
 * Source: aws-lambda-nodejs-runtime-interface-client, UserFunction. */
static bool find_node(struct arena *a, const struct file_list *list, struct str handler,
                      struct finding *ret)
{
    static const char *const endings[] = {"", ".js", ".mjs", ".cjs", NULL};
    static const char *const indexes[] = {"/index.js", "/index.mjs", "/index.cjs", "/package.json",
                                          NULL};
    static const char *const sources[] = {".ts", ".mts", ".cts", ".tsx", NULL};
    struct str base = path_base(handler);
    ptrdiff_t dot = str_find_char(base, '.', 0);
    if (dot < 0)
        return false;
    struct str stem = path_clean(a, str_sub(handler, 0, handler.n - base.n + (size_t)dot));
    ret->expected = str_concat(a, stem, STR(".js"));
    if (has_any(a, list, stem, sources))
        ret->hint =
            str_fmt(a,
                    "there is '%.*s.ts', and Lambda runs JavaScript: where esbuild is installed, "
                    "it is built (npm install --save-dev esbuild)",
                    STR_ARG(stem));
    struct str package = str_concat(a, STR("node_modules/"), stem);
    return has_any(a, list, stem, endings) || has_any(a, list, stem, indexes) ||
           has_any(a, list, package, endings) || has_any(a, list, package, indexes);
}

/* Python: everything up to the last dot is a module, with dots or slashes between its parts.
 * Source: aws-lambda-python-runtime-interface-client, bootstrap. */
static bool find_python(struct arena *a, const struct file_list *list, struct str handler,
                        struct finding *ret)
{
    static const char *const packages[] = {"/__init__.py", "/__init__.pyc", NULL};
    static const char *const endings[] = {".py", ".pyc", NULL};
    ptrdiff_t dot = str_rfind_char(handler, '.');
    if (dot <= 0)
        return false;
    struct str module = str_replace(a, str_sub(handler, 0, (size_t)dot), STR("."), STR("/"));
    struct str stem = path_clean(a, module);
    ret->expected = str_concat(a, stem, STR(".py"));
    if (has_any(a, list, stem, endings) || has_any(a, list, stem, packages))
        return true;
    /* Compiled modules: "name.cpython-312-x86_64-linux-gnu.so", "name.abi3.so", "name.so". */
    struct str prefix = str_concat(a, stem, STR("."));
    for (size_t i = 0; i < list->count; i++)
        if (str_starts(list->files[i]->name, prefix) && str_ends(list->files[i]->name, STR(".so")))
            return true;
    return false;
}

/* Ruby: the file up to the first dot.
 * Source: aws-lambda-ruby-runtime-interface-client, LambdaHandler. */
static bool find_ruby(struct arena *a, const struct file_list *list, struct str handler,
                      struct finding *ret)
{
    ptrdiff_t dot = str_find_char(handler, '.', 0);
    if (dot <= 0)
        return false;
    struct str stem = path_clean(a, str_sub(handler, 0, (size_t)dot));
    ret->expected = str_concat(a, stem, STR(".rb"));
    return find_file(list, ret->expected) != NULL;
}

/* Provided runtimes start the executable 'bootstrap', whatever the handler says.
 * Source: Lambda developer guide, "Building a custom runtime". */
static bool find_bootstrap(struct arena *a, const struct file_list *list, struct str handler,
                           struct finding *ret)
{
    (void)handler;
    ret->expected = STR("bootstrap");
    const struct file *f = find_file(list, ret->expected);
    if (!f)
        ret->hint = STR("Lambda starts the program 'bootstrap' with this runtime, whatever the "
                        "handler says: pack it under this name");
    ret->in_vain = f && !f->executable;
    if (ret->in_vain)
        ret->hint = str_fmt(a, "'%.*s' may not be executed; allow it with: chmod +x %.*s",
                            STR_ARG(f->path), STR_ARG(f->path));
    return f && f->executable;
}

static const struct {
    const char *runtime; /* prefix of the runtime's name */
    const char *path;    /* variable with further folders to look in, or NULL */
    bool by_layers;      /* it is the layers that usually bring the file */
    bool (*find)(struct arena *a, const struct file_list *list, struct str handler,
                 struct finding *ret);
} rules[] = {
    {"nodejs", "NODE_PATH", false, find_node},
    {"python", "PYTHONPATH", false, find_python},
    {"ruby", "RUBYLIB", false, find_ruby},
    {"provided", NULL, true, find_bootstrap},
};

/* The dialect's default. */
static const char default_runtime[] = "nodejs24.x";

/* The runtime of a function: its own, the provider's, or the dialect's default. */
static struct str runtime_of(const struct service *service, const struct function *fn)
{
    struct str own = node_text(node_get_c(fn->node, "runtime"));
    if (own.n)
        return own;
    return node_text_or(node_path(service->root, "provider.runtime"), str_c(default_runtime));
}

static bool has_layers(const struct service *service, const struct function *fn)
{
    const struct node *own = node_get_c(fn->node, "layers");
    return node_count(node_empty(own) ? node_path(service->root, "provider.layers") : own) > 0;
}

/* Does the function have variable `name`? */
static bool has_variable(const struct service *service, const struct function *fn, const char *name)
{
    return name && (node_get_c(node_get_c(fn->node, "environment"), name) ||
                    node_get_c(node_path(service->root, "provider.environment"), name));
}

static int missing(const struct function *fn, const struct node *handler, struct str zip,
                   bool certain, const struct finding *finding, struct err *err)
{
    bool mode = finding->in_vain;
    err_at(err, handler ? node_pos(handler) : fn->pos, ERR_CONFIG,
           "handler '%.*s' of function '%.*s' %s: %s '%.*s' %s%.*s%s", STR_ARG(node_text(handler)),
           STR_ARG(fn->key), mode ? "cannot be started" : "does not exist",
           mode ? "nobody may execute" : "no file", STR_ARG(finding->expected),
           zip.n  ? "in '"
           : mode ? "as it is packed"
                  : "is packed",
           STR_ARG(zip), zip.n ? "'" : "");
    if (!certain)
        return err_help(err, "that is fine if one of its layers, or its wrapper, has it");
    if (finding->hint.n)
        return err_help(err, "%.*s", STR_ARG(finding->hint));
    return err_help(err, zip.n ? "check the path, and what the zip is made of"
                               : "check the path, and that package patterns do not exclude it");
}

static int no_form(const struct function *fn, const struct node *handler, struct err *err)
{
    if (!handler) {
        err_at(err, fn->pos, ERR_CONFIG, "function '%.*s' has no handler", STR_ARG(fn->key));
        return err_help(err, "add one: the file without its ending, a dot and the function, like "
                             "'handler: src/api.handler'");
    }
    err_at(err, node_pos(handler), ERR_CONFIG,
           "handler '%.*s' of function '%.*s' names no function", STR_ARG(node_text(handler)),
           STR_ARG(fn->key));
    return err_help(err,
                    "write the file without its ending, a dot and the function: src/api.handler");
}

/* Layers are unpacked there. */
static bool is_in_layer(const struct node *handler)
{
    return str_starts(node_text(handler), STR("/opt/"));
}

int handler_check(const struct service *service, const struct function *fn,
                  const struct file_list *list, struct str zip, bool *ret_certain, struct err *err)
{
    struct str runtime = runtime_of(service, fn);
    const struct node *handler = node_get_c(fn->node, "handler");
    bool layers = has_layers(service, fn);
    *ret_certain = !layers && !has_variable(service, fn, "AWS_LAMBDA_EXEC_WRAPPER");
    if (node_is(handler, NODE_MAP) ||
        (layers && is_in_layer(handler))) /* CloudFormation names it */
        return 0;
    cleanup_arena struct arena *scratch = arena_new();
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!str_starts(runtime, str_c(rules[i].runtime)) ||
            has_variable(service, fn, rules[i].path) || (layers && rules[i].by_layers))
            continue;
        struct finding finding = {0};
        if (rules[i].find(scratch, list, node_text(handler), &finding))
            return 0;
        if (zip.n && rules[i].find == find_node) /* it is not built */
            finding.hint = (struct str){"", 0};
        return finding.expected.n ? missing(fn, handler, zip, *ret_certain, &finding, err)
                                  : no_form(fn, handler, err);
    }
    return 0;
}
