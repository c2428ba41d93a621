/* Signature Version 4 against the public test suite, every stage of every case, and against the
 * examples for S3 in the API reference. */
#include "check.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"
#include "aws/client/sigv4.h"

enum { FILE_MAX = 1 << 20, CASES_MIN = 30 };

static const char *tests_dir;

/* ---- the suite ---- */

struct parsed {
    struct str method, path, query, body;
    VEC(struct header) headers;
};

/* Header lines; an indented one continues the value before. */
static struct str read_headers(struct arena *a, struct str rest, struct parsed *ret)
{
    struct str line;
    while (str_cut(&rest, '\n', &line) && line.n) {
        ptrdiff_t colon = str_find_char(line, ':', 0);
        if (line.p[0] == ' ') {
            assert_true(ret->headers.n > 0);
            struct str *value = &ret->headers.p[ret->headers.n - 1].value;
            *value = str_fmt(a, "%.*s\n%.*s", STR_ARG(*value), STR_ARG(line));
            continue;
        }
        assert_true(colon > 0);
        vec_push(a, &ret->headers,
                 (struct header){str_sub(line, 0, (size_t)colon),
                                 str_sub(line, (size_t)colon + 1, line.n)});
    }
    return rest;
}

static void parse_request(struct arena *a, struct str text, struct parsed *ret)
{
    struct str rest = text, line;
    assert_true(str_cut(&rest, '\n', &line));
    assert_true(str_ends(line, STR(" HTTP/1.1"))); /* paths may hold spaces */
    line.n -= sizeof " HTTP/1.1" - 1;
    assert_true(str_cut(&line, ' ', &ret->method));
    assert_true(str_cut(&line, '?', &ret->path));
    ret->query = line;
    ret->body = read_headers(a, rest, ret);
}

static struct str stage_file(struct arena *a, struct str folder, const char *suffix)
{
    struct err err = {0};
    struct str text = {0};
    struct str name = str_fmt(a, "%.*s.%s", STR_ARG(path_base(folder)), suffix);
    check_ok(fs_read(a, path_join(a, folder, name), FILE_MAX, &text, &err), &err);
    return str_replace(a, text, STR("\r\n"), STR("\n"));
}

static int compare(struct arena *a, struct str folder, const char *stage, struct str got,
                   struct str want)
{
    if (str_eq(got, want))
        return 0;
    print_error("%s: %s\n--- want\n%s\n--- got\n%s\n", str_z(a, path_base(folder)), stage,
                str_z(a, want), str_z(a, got));
    return 1;
}

/* One case has no session token in its request: the signer is to add it. */
static void add_signed_token(struct arena *a, struct str folder, struct parsed *p)
{
    struct parsed done = {0};
    struct str token = STR("X-Amz-Security-Token");
    vec_each (&p->headers, h)
        if (str_eq(h->name, token))
            return;
    parse_request(a, stage_file(a, folder, "sreq"), &done);
    if (str_find(stage_file(a, folder, "authz"), STR("x-amz-security-token"), 0) < 0)
        return;
    vec_each (&done.headers, h)
        if (str_eq(h->name, token))
            vec_push(a, &p->headers, *h);
}

static int run_case(struct arena *a, struct str folder)
{
    struct parsed p = {0};
    parse_request(a, stage_file(a, folder, "req"), &p);
    add_signed_token(a, folder, &p);
    struct sigv4 s = {.region = STR("us-east-1"),
                      .service = STR("service"),
                      .access_key = STR("AKIDEXAMPLE"),
                      .secret_key = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
    assert_true(time_parse(STR("2015-08-30T12:36:00Z"), &s.wall_ms));
    struct sigv4_request r = {str_z(a, p.method), p.path,      p.query,
                              p.headers.p,        p.headers.n, sha256_hex(a, p.body)};
    struct str names, canonical = sigv4_canonical(a, &s, &r, &names);
    struct str to_sign = sigv4_string_to_sign(a, &s, canonical);
    return compare(a, folder, "canonical request", canonical, stage_file(a, folder, "creq")) +
           compare(a, folder, "string to sign", to_sign, stage_file(a, folder, "sts")) +
           compare(a, folder, "authorization", sigv4_authorization(a, &s, &r),
                   stage_file(a, folder, "authz"));
}

/* Run every folder below `dir` that has a request in it. */
static void run_folder(struct arena *a, struct str dir, int *cases, int *wrong)
{
    struct err err = {0};
    struct str *names;
    size_t n;
    check_ok(fs_list(a, dir, &names, &n, &err), &err);
    struct str request = str_fmt(a, "%.*s.req", STR_ARG(path_base(dir)));
    if (fs_is_file(path_join(a, dir, request))) {
        ++*cases;
        *wrong += run_case(a, dir);
    }
    for (size_t i = 0; i < n; i++)
        if (fs_is_dir(path_join(a, dir, names[i])))
            run_folder(a, path_join(a, dir, names[i]), cases, wrong);
}

static struct str fetch_suite(struct arena *a)
{
    char path[4096] = "";
    FILE *script = popen(str_fmt(a, "'%s/unit/aws/fetch_vectors.sh'", tests_dir).p, "r");
    assert_non_null(script);
    bool read = fgets(path, sizeof path, script) != NULL;
    assert_int_equal(pclose(script), 0);
    assert_true(read);
    return str_dup(a, str_trim(str_c(path)));
}

static void every_case_of_the_public_suite_is_signed_as_published(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    int cases = 0, wrong = 0;
    run_folder(a, fetch_suite(a), &cases, &wrong);
    print_message("%d cases\n", cases);
    assert_true(cases >= CASES_MIN);
    assert_int_equal(wrong, 0);
}

/* ---- S3 ---- */

static const struct s3_example {
    const char *method, *path, *query, *body, *signature;
    struct header more[4];
} s3_examples[] = {
    {"GET",
     "/test.txt",
     "",
     "",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
     {{{"Range", 5}, {"bytes=0-9", 9}}}},
    {"PUT",
     "/test%24file.text",
     "",
     "Welcome to Amazon S3.",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
     {{{"Date", 4}, {"Fri, 24 May 2013 00:00:00 GMT", 29}},
      {{"x-amz-storage-class", 19}, {"REDUCED_REDUNDANCY", 18}}}},
    {"GET",
     "/",
     "lifecycle",
     "",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
     {{{0}}}},
    {"GET",
     "/",
     "max-keys=2&prefix=J",
     "",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
     {{{0}}}},
};

static struct str sign_s3(struct arena *a, const struct s3_example *e)
{
    struct sigv4 s = {.region = STR("us-east-1"),
                      .service = STR("s3"),
                      .access_key = STR("AKIAIOSFODNN7EXAMPLE"),
                      .secret_key = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                      .s3 = true};
    assert_true(time_parse(STR("2013-05-24T00:00:00Z"), &s.wall_ms));
    VEC(struct header) headers = {0};
    for (size_t i = 0; e->more[i].name.n; i++)
        vec_push(a, &headers, e->more[i]);
    vec_push(a, &headers, (struct header){STR("Host"), STR("examplebucket.s3.amazonaws.com")});
    vec_push(a, &headers, (struct header){STR("x-amz-date"), STR("20130524T000000Z")});
    struct str hash = sha256_hex(a, str_c(e->body));
    vec_push(a, &headers, (struct header){STR("x-amz-content-sha256"), hash});
    struct sigv4_request r = {e->method, str_c(e->path), str_c(e->query),
                              headers.p, headers.n,      hash};
    struct str names, canonical = sigv4_canonical(a, &s, &r, &names);
    return sigv4_signature(a, &s, sigv4_string_to_sign(a, &s, canonical));
}

static void s3_requests_are_signed_as_in_the_api_reference(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof s3_examples / sizeof *s3_examples; i++)
        check_str(sign_s3(a, &s3_examples[i]), s3_examples[i].signature);
}

/* An encoded path is encoded once more for all services but S3, whose keys keep "." and "//". */
static void only_s3_signs_the_path_as_it_is(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct sigv4 s = {0};
    struct sigv4_request r = {"GET", STR("/a%3Ab//./c"), {0}, NULL, 0, STR("hash")};
    struct str names;
    check_str(sigv4_canonical(a, &s, &r, &names), "GET\n/a%253Ab/c\n\n\n\n\nhash");
    s.s3 = true;
    check_str(sigv4_canonical(a, &s, &r, &names), "GET\n/a%3Ab//./c\n\n\n\n\nhash");
}

int main(int argc, char **argv)
{
    assert_true(argc > 1);
    tests_dir = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_public_suite_is_signed_as_published),
        cmocka_unit_test(s3_requests_are_signed_as_in_the_api_reference),
        cmocka_unit_test(only_s3_signs_the_path_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
