/* The objects of the bucket: what is read is what is written, and docs/bucket.md has all of it. */
#include "base/fs.h"
#include "base/vec.h"
#include "records.h"
#include "release/bucket/lease_content.h"
#include "release/bucket/stage_address.h"

static const char *tests_folder;

static const struct object_table *const tables[] = {
    &record_table, &removal_table, &versions_table, &outcome_table,
    &mark_table,   &region_table,  &lease_table,    &source_bundle_table};
enum { TABLES = sizeof tables / sizeof *tables };

union any {
    struct object object;
    struct lease_content lease;
    struct source_bundle bundle;
    struct record_body body;
    struct record_versions versions;
    struct record_outcome outcome;
};

static void check_read(struct arena *a, const struct object_table *table, const char *text,
                       union any *ret)
{
    cleanup_err struct err err = {0};
    check_ok(object_read(a, table, json_of(a, text), ret, &err), &err);
}

/* ---- round trips ---- */

static const struct {
    const struct object_table *table;
    const char *text;
} written[] = {
    {&record_table,
     "{\"format\":1,\"service\":\"shop\",\"stage\":\"dev\",\"region\":\"eu-west-1\",\"what\":"
     "\"rollback to 9\",\"restores\":9,\"to\":8,\"flips\":true,\"shift\":false,\"adopted\":{\"by\":"
     "\"x\",\"template\":\"t\",\"moved\":[\"A\"],\"later\":[1]},\"sources\":\"\",\"functions\":{"
     "\"f\":{\"name\":\"shop-f\",\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"\","
     "\"parts\":{\"code\":\"c\"},\"later\":{}},\"g\":{\"name\":\"\",\"layout\":\"perStage\"}},"
     "\"apis\":{\"A\":{\"id\":\"\",\"fingerprint\":\"p\",\"kind\":\"http\"}},\"needs\":[],"
     "\"logGroups\":[\"g\"],\"content\":\"h\",\"number\":10,\"nonce\":\"n\",\"lease\":\"\","
     "\"when\":\"w\",\"who\":\"a\",\"source\":\"\",\"tool\":\"1\",\"before\":0,"
     "\"before_digest\":\"\",\"later\":null}"},
    {&record_table, "{\"format\":1}"},
    {&removal_table, "{\"format\":1,\"what\":\"remove\",\"number\":3,\"deleted\":[{\"type\":"
                     "\"stack\",\"name\":\"shop-dev\",\"why\":\"\"}],\"kept\":[]}"},
    {&versions_table, "{\"format\":1,\"functions\":{\"f\":{\"name\":\"shop-f\",\"fingerprint\":"
                      "\"p\",\"version\":\"3\",\"format\":7}},\"apis\":{},\"percent\":20,"
                      "\"stage_template\":\"t\",\"later\":true}"},
    {&outcome_table, "{\"format\":1,\"outcome\":\"superseded\",\"reason\":\"\"}"},
    {&mark_table, "{\"format\":1,\"when\":\"w\",\"tool\":\"2\"}"},
    {&region_table, "{\"format\":1,\"region\":\"eu-west-1\"}"},
    {&lease_table, "{\"format\":1,\"nonce\":\"n\",\"of\":\"m\",\"pid\":0,\"lasts_ms\":0,\"x\":1}"},
    {&source_bundle_table,
     "{\"format\":1,\"main\":\"m\",\"files\":{\"m\":\"\"},\"externals\":{\"ssm:/a\":null,\"env:B\":"
     "\"b\"},\"absent\":[\"file(x)\"],\"params\":{},\"options\":{\"o\":\"1\"},\"dotenv\":[],\"x\":["
     "]}"},
};

/* Every member, also those of a later troupe; twice. The hash that vouches for it stays. */
static void what_is_read_is_written(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        union any object;
        const struct node *n = json_of(a, written[i].text);
        check_read(a, written[i].table, written[i].text, &object);
        for (int k = 0; k < 2; k++) {
            const char *text = object_text(a, written[i].table, &object).p;
            check_str(json_canonical(a, json_of(a, text)), json_canonical(a, n).p);
            check_read(a, written[i].table, text, &object);
        }
    }
    arena_free(a);
}

/* One member is changed: the others stay, whoever wrote them. */
static void a_change_keeps_the_rest(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    union any object;
    check_read(a, &versions_table, written[3].text, &object);
    object.versions.percent = 0;
    object.versions.functions.p[0].version = STR("4");
    check_str(json_canonical(a, object_node(a, &versions_table, &object, 0)),
              "{\"apis\":{},\"format\":1,\"functions\":{\"f\":{\"fingerprint\":\"p\",\"format\":7,"
              "\"name\":\"shop-f\",\"version\":\"4\"}},\"later\":true,\"percent\":0,"
              "\"stage_template\":\"t\"}");
    arena_free(a);
}

/* The bytes of objects that are made anew, as every troupe of format 1 has written them. */
static void new_objects_have_these_bytes(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct record_body removal = {.removal = true,
                                  .service = STR("shop"),
                                  .stage = STR("dev"),
                                  .number = 3,
                                  .what = STR(RECORD_REMOVAL)};
    check_str(
        json_text(a, record_body_node(a, &removal), 0),
        "{\"format\":1,\"service\":\"shop\",\"stage\":\"dev\",\"number\":3,\"what\":"
        "\"remove\",\"nonce\":\"\",\"when\":\"\",\"who\":\"\",\"source\":\"\",\"tool\":\"\"}");
    struct record_function functions[] = {
        {.object.key = STR("f"), .name = STR("shop-f"), .layout = LAYOUT_PER_STAGE}};
    struct record_body body = {.what = STR("deploy"), .shifts = true, .functions = {functions, 1}};
    check_str(json_text(a, record_body_node(a, &body), 0),
              "{\"format\":1,\"service\":\"\",\"stage\":\"\",\"region\":\"\",\"what\":\"deploy\","
              "\"shift\":true,\"sources\":\"\",\"functions\":{\"f\":{\"name\":\"shop-f\","
              "\"layout\":\"perStage\"}},\"apis\":{},\"content\":\"\",\"number\":0,\"nonce\":\"\","
              "\"lease\":\"\",\"when\":\"\",\"who\":\"\",\"source\":\"\",\"tool\":\"\","
              "\"before\":0,\"before_digest\":\"\"}");
    struct record_versions versions = {0};
    check_str(json_text(a, object_node(a, &versions_table, &versions, 0), 0),
              "{\"format\":1,\"functions\":{},\"apis\":{}}");
    struct record_outcome outcome = {
        .outcome = OUTCOME_FAILED, .reason = STR("r"), .when = STR("w")};
    check_str(object_text(a, &outcome_table, &outcome),
              "{\n \"format\": 1,\n \"outcome\": \"failed\",\n \"reason\": \"r\",\n \"when\": "
              "\"w\"\n}");
    struct lease_content lease = {.nonce = STR("n"), .host = STR("h"), .pid = 7};
    check_str(json_text(a, object_node(a, &lease_table, &lease, 0), 0),
              "{\"format\":1,\"nonce\":\"n\",\"host\":\"h\",\"pid\":7,\"lasts_ms\":0}");
    arena_free(a);
}

/* ---- what is refused ---- */

static void wrong_members_are_named(void **state)
{
    static const struct {
        const struct object_table *table;
        const char *text, *error;
    } cases[] = {
        {&record_table, "[]", "it is a list, not a map"},
        {&record_table, "{\"what\":null}", "'what' is null, not a string"},
        {&record_table, "{\"before\":\"7\"}", "'before' is a string, not a whole number"},
        {&record_table, "{\"before\":1.5}", "'before' is a number, not a whole number"},
        {&record_table, "{\"before\":9223372036854775808}",
         "'before' is a number, not a whole number"},
        {&record_table, "{\"flips\":1}", "'flips' is a number, not a boolean"},
        {&record_table, "{\"needs\":[\"A\",1]}", "'needs' has a number in it, not strings alone"},
        {&record_table, "{\"functions\":[]}", "'functions' is a list, not a map of maps"},
        {&record_table, "{\"functions\":{\"f\":7}}", "functions.f: it is a number, not a map"},
        {&record_table, "{\"functions\":{\"f\":{\"layout\":\"own\"}}}",
         "functions.f: 'layout' is 'own', which this troupe does not know"},
        {&record_table, "{\"functions\":{\"f\":{\"parts\":{\"code\":1}}}}",
         "functions.f: 'code' of 'parts' is a number, not a string"},
        {&record_table, "{\"adopted\":true}", "'adopted' is a boolean, not a map"},
        {&removal_table, "{\"deleted\":[{\"why\":1}]}", "deleted: 'why' is a number, not a string"},
        {&outcome_table, "{}", "'outcome' is missing"},
        {&outcome_table, "{\"outcome\":\"\"}", "'outcome' is '', which this troupe does not know"},
    };
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_err struct err err = {0};
        union any object;
        assert_int_equal(object_read(a, cases[i].table, json_of(a, cases[i].text), &object, &err),
                         -1);
        assert_int_equal(err.kind, ERR_FAILED);
        check_str(err.msg, cases[i].error);
    }
    arena_free(a);
}

static void unknown_formats_are_refused(void **state)
{
    static const struct {
        const char *text, *error, *help;
    } cases[] = {
        {"{\"format\":2,\"tool\":\"3.1.0\"}",
         "'k' has format 2, written by troupe 3.1.0; troupe " TROUPE_VERSION " reads format 1",
         "update troupe"},
        {"{\"format\":3}",
         "'k' has format 3, written by a newer troupe; troupe " TROUPE_VERSION " reads format 1",
         "update troupe"},
        {"{\"format\":0}", "it has no format", NULL},
        {"{\"format\":\"1\"}", "it has no format", NULL},
        {"{}", "it has no format", NULL},
        {"7", "it has no format", NULL},
    };
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_err struct err err = {0};
        assert_int_equal(object_check(json_of(a, cases[i].text), STR("k"), &err), -1);
        assert_int_equal(err.kind, ERR_FAILED);
        check_str(err.msg, cases[i].error);
        assert_int_equal(cases[i].help && str_starts(err.help, str_c(cases[i].help)),
                         cases[i].help != NULL);
    }
    cleanup_err struct err err = {0};
    check_ok(object_check(json_of(a, "{\"format\":1}"), STR("k"), &err), &err);
    arena_free(a);
}

/* ---- the same content ---- */

static void the_signature_does_not_count(void **state)
{
    static const struct {
        const char *x, *y;
        bool same;
    } cases[] = {
        {"{\"what\":\"deploy\",\"number\":1,\"nonce\":\"a\",\"when\":\"w\",\"before_digest\":"
         "\"d\"}",
         "{\"before\":7,\"who\":\"me\",\"content\":\"c\",\"what\":\"deploy\"}", true},
        {"{\"what\":\"deploy\"}", "{\"what\":\"deploy\",\"sources\":\"evil\"}", false},
        {"{\"what\":\"deploy\"}", "{\"what\":\"deploy\",\"later\":1}", false},
    };
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(str_eq(record_content(a, body_of(a, cases[i].x)),
                                record_content(a, body_of(a, cases[i].y))),
                         cases[i].same);
    arena_free(a);
}

/* ---- what users call them ---- */

static void addresses_of_stages_and_deployments(void **state)
{
    static const struct {
        const char *text, *stage, *error;
        int64_t number;
    } cases[] = {
        {"prod", "prod", NULL, 0},
        {"prod#12", "prod", NULL, 12},
        {"prod@eu-west-1", "prod@eu-west-1", NULL, 0},
        {"prod@eu-west-1#3", "prod@eu-west-1", NULL, 3},
        {"", NULL, "'' names no deployment", 0},
        {"#3", NULL, "'#3' names no deployment", 0},
        {"prod#", NULL, "'prod#' names no deployment", 0},
        {"prod#0", NULL, "'prod#0' names no deployment", 0},
        {"prod#-1", NULL, "'prod#-1' names no deployment", 0},
        {"prod#x", NULL, "'prod#x' names no deployment", 0},
        {"prod#1#2", NULL, "'prod#1#2' names no deployment", 0},
        {"prod@EU/1", NULL, "'EU/1' is no region", 0},
        {"pr.od", NULL, "'pr.od' cannot be a stage name", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_err struct err err = {0};
        struct str stage;
        int64_t number;
        int done = record_address(str_c(cases[i].text), &stage, &number, &err);
        if (!cases[i].error) {
            check_ok(done, &err);
            check_str(stage, cases[i].stage);
            assert_int_equal(number, cases[i].number);
            continue;
        }
        assert_int_equal(done, -1);
        assert_true(err.kind == ERR_USAGE || err.kind == ERR_CONFIG);
        assert_true(str_starts(err.msg, str_c(cases[i].error)));
    }
}

/* ---- the page ---- */

static const char *const types[] = {
    [OBJECT_TEXT] = "text",   [OBJECT_WHOLE] = "whole", [OBJECT_FLAG] = "flag",
    [OBJECT_WORD] = "word",   [OBJECT_TEXTS] = "texts", [OBJECT_NAMED] = "names",
    [OBJECT_TREE] = "values", [OBJECT_PART] = "",       [OBJECT_LIST] = "list of ",
    [OBJECT_MAP] = "map of "};

static struct str row_of(struct arena *a, const struct object_member *m)
{
    return str_fmt(a, "| `%s` | %s%s%s%s%s |", m->name, types[m->type], m->of ? m->of->name : "",
                   m->flags & OBJECT_REQUIRED ? ", must" : "",
                   m->flags & OBJECT_ALWAYS ? ", always" : "",
                   m->flags & OBJECT_SIGNATURE ? ", signature" : "");
}

/* The rows of the table below heading `name`. */
static struct str table_of(struct arena *a, struct str page, const char *name)
{
    ptrdiff_t at = str_find(page, str_fmt(a, "\n## %s\n", name), 0);
    if (at < 0)
        at = str_find(page, str_fmt(a, "\n### %s\n", name), 0);
    if (at < 0)
        fail_msg("docs/bucket.md has no heading '%s'", name);
    struct str head = STR("| --- | --- | --- | --- |\n");
    ptrdiff_t start = str_find(page, head, (size_t)at);
    ptrdiff_t end = str_find(page, STR("\n\n"), (size_t)start);
    assert_true(start > 0 && end > start);
    size_t from = (size_t)start + head.n;
    return str_sub(page, from, (size_t)end + 1 - from);
}

static void check_page(struct arena *a, struct str page, const struct object_table *table)
{
    struct str rows = table_of(a, page, table->name), line;
    for (const struct object_member *m = table->members; m->name; m++) {
        struct str want = row_of(a, m);
        if (!str_cut(&rows, '\n', &line) || !str_starts(line, want))
            fail_msg("docs/bucket.md, %s: '%.*s' where '%s' is to be", table->name, STR_ARG(line),
                     want.p);
        for (const char *const *word = m->words; word && *word; word++)
            if (str_find(line, str_fmt(a, "`%s`", *word), 0) < 0)
                fail_msg("docs/bucket.md, %s: word '%s' is not named", table->name, *word);
        if (m->of)
            check_page(a, page, m->of);
    }
    if (rows.n)
        fail_msg("docs/bucket.md, %s: no such member: %.*s", table->name, STR_ARG(rows));
}

static void the_page_has_every_member(void **state)
{
    (void)state;
    cleanup_err struct err err = {0};
    struct arena *a = arena_new();
    struct str page;
    check_ok(fs_read(a, str_fmt(a, "%s/../docs/bucket.md", tests_folder), 1 << 20, &page, &err),
             &err);
    for (size_t i = 0; i < TABLES; i++)
        check_page(a, page, tables[i]);
    arena_free(a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written),
        cmocka_unit_test(a_change_keeps_the_rest),
        cmocka_unit_test(new_objects_have_these_bytes),
        cmocka_unit_test(wrong_members_are_named),
        cmocka_unit_test(unknown_formats_are_refused),
        cmocka_unit_test(the_signature_does_not_count),
        cmocka_unit_test(addresses_of_stages_and_deployments),
        cmocka_unit_test(the_page_has_every_member),
    };
    tests_folder = argc > 1 ? argv[1] : "tests";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
