/* Every folder of tests/golden/pack: the same entries, modes and contents as the reference packs.
 */
#include "fixture.h"

#include <libdeflate.h>

#include "base/buf.h"
#include "base/fs.h"

static const char *tests_dir;

static uint32_t number(struct str s, size_t at, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)(unsigned char)s.p[at + i] << 8 * i;
    return value;
}

/* Unpack one entry with a decoder of the test's own and check its sum; `at`: its central header. */
static void check_entry(struct arena *a, struct str zip, size_t at)
{
    uint32_t packed = number(zip, at + 20, 4), size = number(zip, at + 24, 4);
    size_t local = number(zip, at + 42, 4);
    assert_int_equal(number(zip, local, 4), 0x04034b50);
    struct str data = str_sub(zip, local + 30 + number(zip, local + 26, 2), packed);
    char *out = arena_alloc(a, size + 1);
    if (number(zip, at + 10, 2) == 8) {
        struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
        assert_int_equal(libdeflate_deflate_decompress(z, data.p, data.n, out, size, NULL), 0);
        libdeflate_free_decompressor(z);
    } else {
        assert_int_equal(packed, size);
        memcpy(out, data.p, size);
    }
    assert_int_equal(libdeflate_crc32(0, out, size), number(zip, at + 16, 4));
}

/* The lines of `expected` for one zip. */
static void describe(struct fixture *f, struct buf *b, const struct artifact *artifact)
{
    struct arena *a = f->arena;
    struct str zip = fixture_bytes(f, artifact);
    size_t end = zip.n - 22, at = number(zip, end + 16, 4);
    buf_fmt(b, "%.*s\n", STR_ARG(artifact->name));
    for (uint32_t i = 0, n = number(zip, end + 10, 2); i < n; i++) {
        struct str name = str_sub(zip, at + 46, number(zip, at + 28, 2));
        check_entry(a, zip, at);
        buf_fmt(b, "  %04o %08x %u %.*s\n", number(zip, at + 40, 2) & 07777,
                number(zip, at + 16, 4), number(zip, at + 24, 4), STR_ARG(name));
        at += 46 + name.n;
    }
    assert_int_equal(at, end);
}

static int by_name(const void *x, const void *y)
{
    return str_cmp(((const struct artifact *)x)->name, ((const struct artifact *)y)->name);
}

static struct str pack_text(struct fixture *f)
{
    struct packed packed;
    cleanup_err struct err err = {0};
    if (fixture_pack(f, &packed, &err) < 0) {
        bool nothing = str_starts(err.msg, STR("no file matches"));
        return nothing ? STR("error: no file matches\n") : err_render(f->arena, &err, false);
    }
    struct buf b = BUF(f->arena);
    if (packed.artifact_count)
        qsort(packed.artifacts, packed.artifact_count, sizeof *packed.artifacts, by_name);
    for (size_t i = 0; i < packed.artifact_count; i++)
        describe(f, &b, &packed.artifacts[i]);
    return buf_str(&b);
}

static struct str read_case(struct arena *a, struct str dir, const char *name)
{
    struct err err = {0};
    struct str text;
    check_ok(fs_read(a, path_join(a, dir, str_c(name)), 1 << 20, &text, &err), &err);
    return text;
}

static bool run_case(struct str dir)
{
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    fixture_make(&f, read_case(a, dir, "tree"), read_case(a, dir, "serverless.yml"));
    struct str got = pack_text(&f), want = read_case(a, dir, "expected");
    bool same = str_eq(got, want);
    if (!same)
        print_error("%.*s\n--- expected\n%.*s--- got\n%.*s", STR_ARG(dir), STR_ARG(want),
                    STR_ARG(got));
    fixture_remove(&f);
    return same;
}

static void test_cases(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct str root = path_join(a, str_c(tests_dir), STR("golden/pack")), *names;
    size_t n, cases = 0, wrong = 0;
    check_ok(fs_list(a, root, &names, &n, &err), &err);
    for (size_t i = 0; i < n; i++) {
        struct str dir = path_join(a, root, names[i]);
        if (!fs_is_file(path_join(a, dir, STR("tree"))))
            continue;
        cases++;
        wrong += !run_case(dir);
    }
    assert_true(cases >= 25);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? argv[1] : "tests";
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests_name("pack golden", tests, NULL, NULL);
}
