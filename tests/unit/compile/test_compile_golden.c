/* Every case of tests/golden/compile: the template that troupe compiles equals what the dialect's
 * reference packages, value by value. The folder says how cases look and what is normalised. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "base/fs.h"
#include "base/vec.h"
#include "build/build.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "compile/compile.h"
#include "config/sharing.h"
#include "layout/layout.h"
#include "release/image/image.h"

enum { FILE_MAX_BYTES = 16 * 1024 * 1024 };

struct golden {
    struct str name, dir;
};

static struct str golden_root;

/* ---- how a case is called ---- */

typedef VEC(struct str) words;

/* Words of a command line as a shell would split it, with double quotes. */
static words split_words(struct arena *a, struct str line)
{
    words out = {0};
    struct buf word = BUF(a);
    bool is_quoted = false, has_word = false;
    for (size_t i = 0; i <= line.n; i++) {
        char ch = i < line.n ? line.p[i] : ' ';
        if (ch == '"') {
            is_quoted = !is_quoted;
            has_word = true;
        } else if (!is_quoted && (ch == ' ' || ch == '\n')) {
            if (has_word)
                vec_push(a, &out, str_dup(a, buf_str(&word)));
            word = BUF(a);
            has_word = false;
        } else {
            buf_char(&word, ch);
            has_word = true;
        }
    }
    return out;
}

static struct str *boxed(struct arena *a, struct str s)
{
    struct str *p = ARENA_NEW(a, struct str);
    *p = s;
    return p;
}

static struct str read_optional(struct arena *a, struct str dir, const char *name)
{
    struct err err = {0};
    struct str text = STR("");
    if (fs_read(a, path_join(a, dir, str_c(name)), FILE_MAX_BYTES, &text, &err) < 0)
        text = STR("");
    err_clear(&err);
    return text;
}

/* "--stage prod --param a=b" */
static void read_args(struct arena *a, struct str text, struct config_options *o, struct map *opts,
                      struct map *params)
{
    words w = split_words(a, text);
    for (size_t i = 0; i + 1 < w.n; i += 2) {
        struct str key = str_sub(w.p[i], 2, SIZE_MAX), value = w.p[i + 1];
        ptrdiff_t equals = str_find_char(value, '=', 0);
        if (str_eq(key, STR("param"))) {
            assert_true(equals > 0);
            map_put(params, str_sub(value, 0, (size_t)equals),
                    boxed(a, str_sub(value, (size_t)equals + 1, SIZE_MAX)));
            continue;
        }
        if (str_eq(key, STR("stage")))
            o->stage = value;
        if (str_eq(key, STR("region")))
            o->region = value;
        map_put(opts, key, boxed(a, value));
    }
}

/* Set the variables of a case's `env`; with `set` false unset them. */
static void environment(struct arena *a, struct str text, bool set)
{
    struct str line;
    while (str_cut(&text, '\n', &line)) {
        ptrdiff_t equals = str_find_char(line, '=', 0);
        if (equals <= 0)
            continue;
        const char *name = str_z(a, str_sub(line, 0, (size_t)equals));
        if (set)
            setenv(name, str_z(a, str_sub(line, (size_t)equals + 1, SIZE_MAX)), 1);
        else
            unsetenv(name);
    }
}

/* ---- normalising ---- */

struct renaming {
    struct str from, to;
};
typedef VEC(struct renaming) renamings;

static bool is_word(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

static struct str renamed(struct arena *a, struct str s, const renamings *r)
{
    for (size_t k = 0; k < r->n; k++) {
        struct str from = r->p[k].from;
        for (ptrdiff_t at; (at = str_find(s, from, 0)) >= 0;) {
            size_t end = (size_t)at + from.n;
            if ((at > 0 && is_word(s.p[at - 1])) || (end < s.n && is_word(s.p[end])))
                break;
            s = str_fmt(a, "%.*s%.*s%.*s", STR_ARG(str_sub(s, 0, (size_t)at)), STR_ARG(r->p[k].to),
                        STR_ARG(str_sub(s, end, SIZE_MAX)));
        }
    }
    return s;
}

static const struct node *rename_deep(struct arena *a, const struct node *n, const renamings *r)
{
    if (n->kind == NODE_STRING)
        return node_from(node_str(a, renamed(a, n->text, r)), n);
    if (n->kind == NODE_SEQ) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, rename_deep(a, item, r));
        return out;
    }
    if (n->kind != NODE_MAP)
        return n;
    struct node *out = node_map(a);
    member_each (m, n)
        node_put(a, out, renamed(a, m->key, r), rename_deep(a, m->value, r));
    return out;
}

static void note_renaming(struct arena *a, renamings *r, const struct member *m)
{
    const struct node *type = node_get_c(m->value, "Type");
    struct str to = STR("");
    if (node_is_text(type, "AWS::Lambda::Version")) {
        struct str function = node_text(node_path(m->value, "Properties.FunctionName.Ref"));
        if (!str_ends(function, STR("LambdaFunction")))
            return;
        struct str stem =
            str_concat(a, str_sub(function, 0, function.n - STR("Function").n), STR("Version"));
        if (str_starts(m->key, stem))
            to = str_concat(a, stem, STR("HASH"));
    } else if (node_is_text(type, "AWS::ApiGateway::Deployment") &&
               str_starts(m->key, STR("ApiGatewayDeployment"))) {
        to = STR("ApiGatewayDeploymentID");
    } else if (node_is_text(type, "AWS::ApiGatewayV2::Deployment") &&
               str_starts(m->key, STR("WebsocketsDeployment"))) {
        to = STR("WebsocketsDeploymentHASH");
    }
    enum { SHA1_DIGITS = 40 };
    if (str_starts(node_text(type), STR("AWS::Lambda::LayerVersion")) && m->key.n > SHA1_DIGITS) {
        struct str stem = str_sub(m->key, 0, m->key.n - SHA1_DIGITS);
        if (str_ends(stem, STR("LambdaLayer")) || str_ends(stem, STR("LambdaLayerPermission")))
            to = str_concat(a, stem, STR("HASH"));
    }
    if (to.n)
        vec_push(a, r, (struct renaming){m->key, to});
}

static const struct node *normalised(struct arena *a, const struct node *template,
                                     struct str timestamp)
{
    renamings r = {0};
    vec_push(a, &r, (struct renaming){timestamp, STR("TIMESTAMP")});
    member_each (m, node_get_c(template, "Resources"))
        note_renaming(a, &r, m);
    const struct node *out = rename_deep(a, template, &r);
    struct node *resources = node_map(a);
    member_each (m, node_get_c(out, "Resources")) {
        bool hashed = node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Version") &&
                      node_path(m->value, "Properties.CodeSha256");
        bool forced = str_starts(node_text(node_get_c(m->value, "Type")), STR("Custom::")) &&
                      node_path(m->value, "Properties.ForceDeploy");
        const struct node *value = m->value;
        if (hashed)
            value = cfn_with_property(a, value, "CodeSha256", node_str(a, STR("SHA256")));
        if (forced)
            value = cfn_with_property(a, value, "ForceDeploy", node_int(a, 0));
        node_put(a, resources, m->key, value);
    }
    struct node *outputs = node_map(a);
    member_each (m, node_get_c(out, "Outputs"))
        node_put(a, outputs, m->key,
                 node_is_text(node_get_c(m->value, "Description"), "Current Lambda layer hash")
                     ? cfn_with(a, m->value, "Value", node_str(a, STR("HASH")))
                     : m->value);
    out = cfn_with(a, out, "Outputs", outputs);
    return cfn_with(a, out, "Resources", resources);
}

/* ---- comparing ---- */

static void print_side(struct arena *a, const char *sign, const struct node *n)
{
    struct str text = n ? json_text(a, n, 0) : STR("(absent)");
    print_error("    %s %.*s\n", sign, (int)(text.n > 400 ? 400 : text.n), text.p);
}

static size_t show_differences(struct arena *a, const struct node *want, const struct node *got)
{
    struct node_change *changes;
    size_t n;
    node_diff(a, want, got, &changes, &n);
    for (size_t i = 0; i < n; i++) {
        print_error("  %.*s\n", STR_ARG(changes[i].path));
        print_side(a, "want", changes[i].before);
        print_side(a, "got ", changes[i].after);
    }
    return n;
}

static const struct node *read_json(struct arena *a, struct str path, struct err *err)
{
    struct str text;
    if (fs_read(a, path, FILE_MAX_BYTES, &text, err) < 0)
        return NULL;
    return json_parse(a, path, text, err);
}

/* Every resource says where in the configuration it comes from. */
static int check_places(const struct node *template, struct err *err)
{
    member_each (m, node_get_c(template, "Resources"))
        if (!m->value->pos.source)
            return err_set(err, ERR_FAILED, "resource '%.*s' has no place", STR_ARG(m->key));
    return 0;
}

/* Is it one of the custom resources, or what they need? Those that let API Gateway write logs set
 * up the account and belong to no stage. */
static bool is_of_account(struct str id)
{
    return str_starts(id, STR("CustomDashresource")) ||
           str_starts(id, STR("CustomApiGatewayAccount")) ||
           str_starts(id, STR("IamRoleCustomResources"));
}

/* With stages CloudFormation makes the rules that a custom resource makes otherwise. */
static bool has_custom_rules(const struct node *template)
{
    member_each (m, node_get_c(template, "Resources"))
        if (node_is_text(node_get_c(m->value, "Type"), "Custom::EventBridge"))
            return true;
    return false;
}

/* `n` without the aliases that the dialect itself makes, and without versions that only these need:
 * troupe has the stage's alias in their place. */
static size_t count_resources(const struct node *template)
{
    size_t n = 0;
    member_each (m, node_get_c(template, "Resources"))
        n += !is_of_account(m->key) &&
             !node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Alias") &&
             !node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Version");
    return n;
}

/* `package` only warns of what AWS refuses. */
static void ignore_refusal(void *context, struct pos pos, struct str msg, struct str help)
{
    (void)context;
    (void)pos;
    (void)msg;
    (void)help;
}

/* Check `refused.txt` of the case: everything that the reference takes and AWS would refuse.
 * `refused` has what compiling found; else the checks of the layout are asked. */
static int check_refusals(struct arena *a, const struct service *service,
                          const struct compiled *compiled, struct err *refused, struct err *err)
{
    struct str got = STR(""), want = read_optional(a, service->dir, "refused.txt");
    const char *bless = getenv("BLESS");
    if (refused->kind || layout_check(a, service, compiled, refused) < 0)
        got = err_render(a, refused, false);
    if (str_eq(got, want))
        return 0;
    if (bless && *bless == '1')
        return fs_write(path_join(a, service->dir, STR("refused.txt")), got, 0644, err);
    return err_set(err, ERR_FAILED, "refused for\n%.*sinstead of\n%.*s", STR_ARG(got),
                   STR_ARG(want));
}

/* Stage-free naming makes the same resources as the other naming, except for the REST API; and no
 * function's name that is made up here has the stage in it. */
static int check_shared(struct arena *a, const struct service *service, const struct packed *packed,
                        const struct node *flat, struct err *err)
{
    struct compile_options o = {.naming = NAMING_SHARED};
    struct compiled shared = {0};
    cleanup_err struct err refused = {0};
    bool is_compiled = compile_service(a, service, packed, &o, &shared, &refused) == 0;
    if (check_refusals(a, service, &shared, &refused, err) < 0)
        return -1;
    if (!is_compiled)
        return 0;
    const struct node *resources = node_get_c(shared.template, "Resources");
    if (!shared.rest_api_id.n && !has_custom_rules(flat) &&
        count_resources(shared.template) != count_resources(flat))
        return err_set(err, ERR_FAILED, "stage-free naming makes %zu resources instead of %zu",
                       node_count(resources), node_count(node_get_c(flat, "Resources")));
    for (size_t i = 0; i < shared.function_count; i++) {
        const struct function *f = shared.functions[i].function;
        const struct node *p =
            node_get_c(node_get(resources, shared.functions[i].logical_id), "Properties");
        if (!f->name_explicit && !sharing_is_per_stage(service, f) &&
            node_flags_deep(node_get_c(p, "FunctionName")) & NODE_STAGE)
            return err_set(err, ERR_FAILED, "shared function '%.*s' has a name of the stage",
                           STR_ARG(f->key));
    }
    return 0;
}

/* The digests that account.js and docker of tests/reference give: of a tag, and of what is built.
 */
static int images_as_blessed(struct arena *a, const struct service *service,
                             const struct node **ret, struct err *err)
{
    struct compile_image *images;
    size_t n;
    if (compile_images(a, service, &images, &n, err) < 0)
        return -1;
    struct node *map = node_map(a);
    char digest[2][65] = {{0}, {0}};
    memset(digest[0], 'a', 64);
    memset(digest[1], 'b', 64);
    for (size_t i = 0; i < n; i++) {
        struct str rest = images[i].uri, repository;
        str_cut(&rest, ':', &repository);
        struct str uri =
            images[i].uri.n
                ? str_fmt(a, "%.*s@sha256:%s", STR_ARG(repository), digest[0])
                : str_fmt(a, "123456789012.dkr.ecr.us-east-1.amazonaws.com/%.*s@sha256:%s",
                          STR_ARG(image_repository_flat(a, service)), digest[1]);
        node_put_str(a, map, str_z(a, images[i].key), uri);
    }
    *ret = map;
    return 0;
}

/* A golden template, compiled from `dir`. */
static int compile_case(struct arena *a, struct str dir, const struct node **ret, struct err *err)
{
    enum { SOME_TIME_MS = 1700000000 };
    struct map options = MAP(a), params = MAP(a);
    struct config_options o = {.dir = dir,
                               .default_stage = STR("dev"),
                               .options = &options,
                               .params = &params,
                               .dialect =
                                   fs_exists(path_join(a, dir, STR("dialect"))) ? DIALECT_4 : 0,
                               .lenient = true};
    read_args(a, read_optional(a, dir, "args"), &o, &options, &params);
    struct service service = {0};
    if (service_load(a, &o, &service, err) < 0)
        return -1;
    int64_t time_ms = (int64_t)SOME_TIME_MS * 1000 + 7;
    struct compile_options compile = {.naming = NAMING_FLAT,
                                      .artifact_dir = compile_artifact_dir(a, &service, time_ms),
                                      .time_ms = time_ms,
                                      .warn = ignore_refusal};
    struct pack_options pack = {.jobs = 1};
    struct packed packed = {0};
    struct compiled compiled = {0};
    if (images_as_blessed(a, &service, &compile.images, err) < 0)
        return -1;
    /* builders write into the service's folder: where there are some, nothing is packed */
    const struct packed *made = build_is_needed(&service) ? NULL : &packed;
    if ((made && pack_service(a, &service, &pack, &packed, err) < 0) ||
        compile_service(a, &service, made, &compile, &compiled, err) < 0 ||
        check_places(compiled.template, err) < 0 ||
        check_shared(a, &service, made, compiled.template, err) < 0)
        return -1;
    *ret = normalised(a, compiled.template, STR("1700000000007-2023-11-14T22:13:20.007Z"));
    return 0;
}

/* Run a case. False when it does not come out as it should, which it says. It frees everything
 * first, because a check that fails does not return. */
static bool is_equal(const struct golden *g)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct str env = read_optional(a, g->dir, "env");
    const struct node *got = NULL, *want = NULL;
    environment(a, env, true);
    if (compile_case(a, g->dir, &got, &err) == 0)
        want = read_json(a, path_join(a, g->dir, STR("expected.json")), &err);
    environment(a, env, false);
    if (want)
        return show_differences(a, want, got) == 0;
    print_error("%s", str_z(a, err_render(a, &err, false)));
    return false;
}

static void test_case(void **state)
{
    assert_true(is_equal(*state));
}

/* ---- all cases ---- */

static bool is_asked_for(struct str name)
{
    const char *only = getenv("GOLDEN");
    return !only || settings_glob(str_c(only), name);
}

int main(int argc, char **argv)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    VEC(struct CMUnitTest) tests = {0};
    struct str *names;
    size_t n;
    golden_root = path_join(a, path_absolute(a, argc > 1 ? str_c(argv[1]) : STR("tests")),
                            STR("golden/compile"));
    if (fs_list(a, golden_root, &names, &n, &err) < 0) {
        fprintf(stderr, "%s", str_z(a, err_render(a, &err, false)));
        return 1;
    }
    static const char *const foreign[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        unsetenv(foreign[i]);
    for (size_t i = 0; i < n; i++) {
        struct golden *g = ARENA_NEW(a, struct golden);
        *g = (struct golden){names[i], path_join(a, golden_root, names[i])};
        if (!fs_is_file(path_join(a, g->dir, STR("expected.json"))) || !is_asked_for(g->name))
            continue;
        struct CMUnitTest test = {str_z(a, names[i]), test_case, NULL, NULL, g};
        vec_push(a, &tests, test);
    }
    if (!tests.n) {
        fprintf(stderr, "no cases in %s\n", str_z(a, golden_root));
        return 1;
    }
    return _cmocka_run_group_tests("compile_golden", tests.p, tests.n, NULL, NULL);
}
