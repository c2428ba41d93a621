/* Reading YAML: values as JSON, errors with their places. */
#include "check.h"

#include "doc/json.h"
#include "doc/yaml.h"

static const struct {
    const char *text, *json;
} accepted[] = {
    {"", "null"},
    {"# nothing\n", "null"},
    {"a: 1", "{\"a\":1}"},
    {"[yes, on, no, true, False, null, ~, '']",
     "[\"yes\",\"on\",\"no\",true,false,null,null,\"\"]"},
    {"[017, 0x1F, 0o17, 0b11, 1_000, +3, -4]", "[17,31,15,3,\"1_000\",3,-4]"},
    {"[1.0, .5, 1e3, 1., 1e, -.5]", "[1,0.5,1000,1,\"1e\",\"-.5\"]"},
    {"[4e84730, 12e4567, -1e999, 1e-999]", "[\"4e84730\",\"12e4567\",\"-1e999\",0]"},
    {"[.inf, -.INF, +.Inf, .nan, -.nan]", "[null,null,null,null,\"-.nan\"]"},
    {"[2020-01-01, 12:30, 1.2.3]", "[\"2020-01-01\",\"12:30\",\"1.2.3\"]"},
    {"a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}"},
    {"a: >-\n  x\n  y\n", "{\"a\":\"x y\"}"},
    {"a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
    {"a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n",
     "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"c\":3,\"b\":1}}"},
    {"d: {<<: [{a: 1}, {a: 2, b: 3}]}", "{\"d\":{\"a\":1,\"b\":3}}"},
    {"!Ref x", "{\"Ref\":\"x\"}"},
    {"!Condition x", "{\"Condition\":\"x\"}"},
    {"!Ref 12", "{\"Ref\":\"12\"}"},
    {"!GetAtt a.b.c", "{\"Fn::GetAtt\":[\"a\",\"b.c\"]}"},
    {"!GetAtt [a, b]", "{\"Fn::GetAtt\":[\"a\",\"b\"]}"},
    {"!Sub ['${x}', {x: !Ref y}]", "{\"Fn::Sub\":[\"${x}\",{\"x\":{\"Ref\":\"y\"}}]}"},
    {"!If [c, !Ref AWS::NoValue, 1]", "{\"Fn::If\":[\"c\",{\"Ref\":\"AWS::NoValue\"},1]}"},
    {"!!str 12", "\"12\""},
    {"'12'", "\"12\""},
    {"12: a", "{\"12\":\"a\"}"},
    {"\"\\u00e9\\t\"", "\"\xC3\xA9\\t\""},
    {"---\na: 1\n...\n", "{\"a\":1}"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        struct source source = {STR("test.yml"), str_c(accepted[i].text)};
        const struct node *n = yaml_read(a, &source, &err);
        check_ok(n ? 0 : -1, &err);
        check_str(json_text(a, n, 0), accepted[i].json);
        err_clear(&err);
        arena_free(a);
    }
}

static const struct {
    const char *text, *rendered;
} refused[] = {
    {"a: 1\na: 2\n", "error: key 'a' is there twice\n"
                     "  --> test.yml:2:1\n     |\n   2 | a: 2\n     | ^\n"
                     "  = note: first at test.yml:1:1\n"},
    {"a: *b\n", "error: unknown YAML anchor 'b'\n"
                "  --> test.yml:1:4\n     |\n   1 | a: *b\n     |    ^^\n"},
    {"a: !Frob b\n",
     "error: unknown YAML tag '!Frob'\n"
     "  --> test.yml:1:4\n     |\n   1 | a: !Frob b\n     |    ^^^^^^^\n"
     "  = help: CloudFormation functions such as !Ref, !Sub and !GetAtt can be used\n"},
    {"[a]: 1\n", "error: a key must be a string\n"
                 "  --> test.yml:1:1\n     |\n   1 | [a]: 1\n     | ^\n"},
    {"a: 1\n---\nb: 2\n", "error: a second YAML document starts here\n"
                          "  --> test.yml:2:1\n     |\n   2 | ---\n     | ^^^\n"
                          "  = help: keep one document in the file, without '---' between parts\n"},
    {"a: \xff\n", "error: invalid UTF-8: byte 0xff\n"
                  "  --> test.yml:1:4\n     |\n   1 | a: \\xff\n     |    ^^^^\n"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        struct source source = {STR("test.yml"), str_c(refused[i].text)};
        assert_null(yaml_read(a, &source, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        check_str(err_render(a, &err, false), refused[i].rendered);
        err_clear(&err);
        arena_free(a);
    }
}

static int read_text(struct str text)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct source source = {STR("test.yml"), text};
    const struct node *n = yaml_read(a, &source, &err);
    int line = n ? 0 : (int)err.pos.line;
    err_clear(&err);
    arena_free(a);
    return line;
}

/* Aliases of aliases expand to billions of values. */
static void test_expansion(void **state)
{
    (void)state;
    assert_int_equal(read_text(STR("a: &a [x, x, x, x, x, x, x, x, x, x]\n"
                                   "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
                                   "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
                                   "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
                                   "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
                                   "f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n"
                                   "g: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n")),
                     7);
}

static void test_depth_nul_and_size(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct buf deep = BUF(a), large = BUF(a);
    buf_lit(&deep, "a: ");
    for (int i = 0; i < 10000; i++)
        buf_char(&deep, '[');
    assert_int_equal(read_text(buf_str(&deep)), 1);
    assert_int_equal(read_text((struct str){"a: 1\nb: \0\n", 10}), 2);
    memset(buf_room(&large, DOC_BYTES_MAX + 1), ' ', DOC_BYTES_MAX + 1);
    assert_int_equal(read_text(buf_str(&large)), 1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_depth_nul_and_size),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
