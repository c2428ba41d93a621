/* Packaging: handlers, limits, given artifacts, determinism, sharing. What is selected is tested by
 * the golden cases. */
#include "fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"
#include "pack/zip_read.h"

/* A service with one function. */
static struct str service(struct arena *a, const char *runtime, const char *handler,
                          const char *more)
{
    return str_fmt(a,
                   "service: one\nprovider:\n  name: aws\n  runtime: %s\nfunctions:\n  api:\n"
                   "    handler: %s\n%s",
                   runtime, handler, more);
}

static const struct {
    const char *runtime, *handler, *tree, *more;
    const char *error; /* error: NULL: it is packaged */
} handlers[] = {
    {"nodejs22.x", "index.handler", "index.js", "", NULL},
    {"nodejs22.x", "src/index.handler", "src/index.mjs", "", NULL},
    {"nodejs22.x", "src/index.handler", "src/index.cjs", "", NULL},
    {"nodejs22.x", "./src/index.handler", "src/index.js", "", NULL},
    {"nodejs22.x", "src/index.a.b", "src/index.js", "", NULL},
    {"nodejs22.x", "src.d/index.handler", "src.d/index.js", "", NULL},
    {"nodejs22.x", "src/api.handler", "src/api/index.js", "", NULL},
    {"nodejs22.x", "wrap/handler.handler", "node_modules/wrap/handler.js", "", NULL},
    {"nodejs22.x", "/opt/x.handler", "a", "    layers: [arn]\n", NULL},
    {"nodejs22.x", "index.handler", "other.js", "",
     "handler 'index.handler' of function 'api' does not exist: no file 'index.js' is packed"},
    {"nodejs22.x", "index.handler", "index.js\nb.js", "package:\n  patterns: ['!index.js']\n",
     "no file 'index.js' is packed"},
    {"nodejs22.x", "index.handler", "index.ts", "", "no file 'index.js' is packed"},
    {"nodejs22.x", "index", "index.js", "", "names no function"},
    {"python3.12", "app.handler", "app.py", "", NULL},
    {"python3.12", "pkg/app.handler", "pkg/app.py", "", NULL},
    {"python3.12", "pkg.app.handler", "pkg/app.py", "", NULL},
    {"python3.12", "pkg.handler", "pkg/__init__.py", "", NULL},
    {"python3.12", "fast.handler", "fast.cpython-312-x86_64-linux-gnu.so", "", NULL},
    {"python3.12", "app.handler", "app.pyc", "", NULL},
    {"python3.12", "app.handler", "app.js", "", "no file 'app.py' is packed"},
    {"python3.12", "app.handler", "lib/app.py", "    environment: {PYTHONPATH: /var/task/lib}\n",
     NULL},
    {"python3.12", "handler", "handler.py", "", "names no function"},
    {"ruby3.3", "app.Lib::Api.call", "app.rb", "", NULL},
    {"ruby3.3", "app.handler", "app.py", "", "no file 'app.rb' is packed"},
    {"provided.al2023", "anything", "bootstrap 0755", "", NULL},
    {"provided.al2023", "anything", "bootstrap", "", "nobody may execute 'bootstrap'"},
    {"provided.al2023", "anything", "main 0755", "", "no file 'bootstrap' is packed"},
    {"java21", "example.Handler", "a.class", "", NULL},
    {"dotnet8", "A::B.C::D", "a.dll", "", NULL},
    {"future1.x", "x", "a", "", NULL},
};

static void test_handlers(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        struct fixture f;
        struct err err = {0};
        struct packed packed;
        fixture_make(&f, str_c(handlers[i].tree),
                     service(a, handlers[i].runtime, handlers[i].handler, handlers[i].more));
        int status = fixture_pack(&f, &packed, &err);
        const char *want = handlers[i].error;
        if ((status < 0) != (want != NULL) || (want && str_find(err.msg, str_c(want), 0) < 0))
            fail_msg("%s in '%s' of %s: %s", handlers[i].handler, handlers[i].tree,
                     handlers[i].runtime, str_z(a, err.msg));
        if (want) {
            assert_int_equal(err.kind, ERR_CONFIG);
            assert_int_equal(err.pos.line, 7);
            assert_true(err.help.n > 0);
        }
        err_clear(&err);
        fixture_remove(&f);
    }
}

static void test_handler_hints(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(&f, STR("bin/bootstrap\nbootstrap"), service(a, "provided.al2", "x", ""));
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    check_str(err.help, "'bootstrap' may not be executed; allow it with: chmod +x bootstrap");
    err_clear(&err);
    fixture_remove(&f);
    fixture_make(&f, STR("bin/hello 0755"), service(a, "provided.al2023", "bin/hello", ""));
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    assert_true(str_starts(err.help, STR("Lambda starts the program 'bootstrap'")));
    err_clear(&err);
    fixture_remove(&f);
    fixture_make(&f, STR("src/index.ts"), service(a, "nodejs22.x", "src/index.handler", ""));
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    check_str(err.help,
              "there is 'src/index.ts', and Lambda runs JavaScript: where esbuild is installed, "
              "it is built (npm install --save-dev esbuild)");
    err_clear(&err);
    fixture_remove(&f);
}

static const struct {
    const char *runtime, *architecture;
    const char *name;
    int machine, second; /* e_machine of the file and of another one; 0: none */
    const char *error, *warning;
} binaries[] = {
    {"python3.12", "arm64", "x.so", 62, 0, NULL,
     "function 'api' runs on arm64, but 'x.so' is for x86_64"},
    {"python3.12", "x86_64", "x.so", 183, 0, NULL,
     "function 'api' runs on x86_64, but 'x.so' is for arm64"},
    {"python3.12", "x86_64", "x.so", 62, 0, NULL, NULL},
    {"python3.12", "arm64", "x.so", 62, 183, NULL, NULL}, /* one fits */
    {"python3.12", "arm64", "x.so", 40, 0, NULL, NULL},   /* for no processor that Lambda has */
    {"provided.al2023", "arm64", "bootstrap", 62, 183,
     "function 'api' runs on arm64, but 'bootstrap' is for x86_64", NULL},
    {"provided.al2023", "x86_64", "bootstrap", 62, 0, NULL, NULL},
};

static void elf(struct fixture *f, const char *name, int machine)
{
    char header[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    header[18] = (char)machine;
    if (machine)
        fixture_file(f, name, (struct str){header, sizeof header}, 0755);
}

static void test_binaries(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        struct fixture f;
        cleanup_err struct err err = {0};
        struct packed packed;
        struct str more = str_fmt(a, "    architecture: %s\n", binaries[i].architecture);
        fixture_make(&f, STR("app.py"), service(a, binaries[i].runtime, "app.h", more.p));
        elf(&f, binaries[i].name, binaries[i].machine);
        elf(&f, "other.so", binaries[i].second);
        for (int again = 0; again < 2; again++) { /* the second time from the cache */
            f.warning = (struct str){0};
            err_clear(&err);
            int done = fixture_pack(&f, &packed, &err);
            const char *error = binaries[i].error, *warning = binaries[i].warning;
            assert_int_equal(done, error ? -1 : 0);
            check_str(err.msg, error ? error : "");
            check_str(f.warning, warning ? warning : "");
            assert_true(!error || (err.pos.line == 8 && err.help.n));
        }
        fixture_remove(&f);
    }
}

/* Make a file of `bytes` that takes no room on the disk. */
static void sparse(struct fixture *f, const char *name, off_t bytes)
{
    fixture_file(f, name, STR(""), 0644);
    struct str full = path_join(f->arena, f->dir, str_c(name));
    assert_int_equal(truncate(full.p, bytes), 0);
}

static void test_too_large(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(&f, STR("index.js = 12345"),
                 service(a, "nodejs22.x", "index.handler",
                         "package:\n  patterns: ['!serverless.yml', '!small']\n"));
    sparse(&f, "models/big.bin", 262144000 - 4);
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    check_str(err.msg,
              "'one.zip' has 250.0 MB unzipped: Lambda takes at most 250 MB, layers included");
    check_str(err.note->text, "the largest in it: models 250.0 MB, index.js 0.0 MB");
    err_clear(&err);
    fixture_remove(&f);
}

/* A zip with one entry whose directory says `size`. */
static struct str given_zip(struct arena *a, uint32_t size)
{
    struct buf b = BUF(a);
    char *central = buf_room(&b, 46 + 1 + 22);
    memset(central, 0, 46 + 1 + 22);
    memcpy(central, "PK\1\2", 4);
    memcpy(central + 24, &size, 4);
    central[28] = 1;
    central[46] = 'x';
    char *end = central + 47;
    memcpy(end, "PK\5\6", 4);
    end[8] = end[10] = 1;
    end[12] = 47;
    return buf_str(&b);
}

static const struct {
    struct str content;
    const char *error;
} damaged[] = {
    {{"", 0}, "not a zip file"},
    {{"PK\3\4 no end", 11}, "not a zip file"},
    {{"PK\5\6\0\0\0\0\1\0\1\0\xff\xff\xff\xff\0\0\0\0\0\0", 22}, "not a zip file"},
    {{"PK\5\6\0\0\0\0\5\0\5\0\0\0\0\0\0\0\0\0\0\0", 22}, "not a zip file"},
};

static void test_given(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(
        &f, STR("index.js"),
        service(a, "nodejs22.x", "nowhere.handler", "    package:\n      artifact: out/a.zip\n"));
    f.options.handlers_may_lack = true;                    /* the zip has none */
    assert_int_equal(fixture_pack(&f, &packed, &err), -1); /* the artifact is missing */
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_int_equal(err.pos.line, 9);
    err_clear(&err);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        fixture_file(&f, "out/a.zip", damaged[i].content, 0644);
        assert_int_equal(fixture_pack(&f, &packed, &err), -1);
        assert_true(str_find(err.msg, str_c(damaged[i].error), 0) >= 0);
        err_clear(&err);
    }
    fixture_file(&f, "out/a.zip", given_zip(a, 300000000), 0644);
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    assert_true(str_find(err.msg, STR("286.1 MB unzipped"), 0) >= 0);
    err_clear(&err);
    struct str good = given_zip(a, 5);
    fixture_file(&f, "out/a.zip", good, 0644);
    struct str dir = path_join(f.arena, f.top, STR("written"));
    check_ok(fixture_pack(&f, &packed, &err), &err);
    check_ok(pack_write(f.arena, &f.service, &f.options, &packed, dir, &err), &err);
    assert_int_equal(packed.artifact_count, 1);
    assert_ptr_equal(packed.of_function[0], &packed.artifacts[0]);
    check_str(packed.artifacts[0].name, "a.zip");
    assert_true(str_ends(packed.artifacts[0].path, STR("/parent/service/out/a.zip")));
    assert_true(str_eq(fixture_bytes(&f, &packed.artifacts[0]), good));
    assert_int_equal(packed.artifacts[0].unzipped_bytes, 5);
    assert_int_equal(packed.artifacts[0].file_count, 1);
    assert_false(fs_exists(path_join(f.arena, dir, STR("a.zip"))));
    fixture_remove(&f);
}

static const char several[] = "service: several\nprovider: {name: aws, runtime: nodejs22.x}\n"
                              "package: {artifact: all.zip}\n"
                              "functions:\n"
                              "  a: {handler: a.h}\n"
                              "  b: {handler: b.h, package: {artifact: ./b.zip}}\n"
                              "  c: {handler: src/c.h, package: {individually: true}}\n"
                              "  d: {image: 'repo@sha256:00'}\n"
                              "  e: {handler: e.h}\n";

/* The service's artifact is for all functions but those with one of their own, or packaged on their
 * own. */
static void test_which_artifact(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed p;
    fixture_make(&f, STR("src/c.js"), str_c(several));
    f.options.handlers_may_lack = true; /* no zip has any */
    fixture_file(&f, "all.zip", given_zip(a, 1), 0644);
    fixture_file(&f, "b.zip", given_zip(a, 2), 0644);
    check_ok(fixture_pack(&f, &p, &err), &err);
    assert_int_equal(p.artifact_count, 3);
    check_str(p.of_function[0]->name, "all.zip");
    check_str(p.of_function[1]->name, "b.zip");
    check_str(p.of_function[2]->name, "c.zip");
    assert_null(p.of_function[3]);
    assert_ptr_equal(p.of_function[4], p.of_function[0]);
    fixture_remove(&f);
}

static void test_s3_artifact(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(
        &f, STR("index.js"),
        service(a, "nodejs22.x", "index.handler", "package:\n  artifact: s3://bucket/key.zip\n"));
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_true(err.help.n > 0);
    err_clear(&err);
    fixture_remove(&f);
}

static void test_ignored_patterns(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(
        &f, STR("index.js\nb.js"),
        service(a, "nodejs22.x", "index.handler", "    package:\n      patterns: ['!b.js']\n"));
    check_ok(fixture_pack(&f, &packed, &err), &err);
    assert_int_equal(packed.artifacts[0].file_count, 2);
    check_str(f.warning,
              "patterns of function 'api' are ignored: its code is packaged with the service");
    fixture_remove(&f);
}

static const char tree[] = "index.js\nz.txt\na/b.txt = same\na/c.txt = same\nbin/tool 0755\n"
                           "link -> a\n";

static struct str pack_one(mode_t mask, time_t time, unsigned jobs, struct arena *a)
{
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    mode_t old = umask(mask);
    fixture_make(&f, str_c(tree), service(a, "nodejs22.x", "index.handler", ""));
    umask(old);
    const char *names[] = {"index.js", "z.txt", "a/b.txt", "a/c.txt", "bin/tool"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time + (time_t)i}};
        struct str full = path_join(f.arena, f.dir, str_c(names[i]));
        assert_int_equal(utimensat(AT_FDCWD, full.p, times, 0), 0);
    }
    f.options.jobs = jobs;
    check_ok(fixture_pack(&f, &packed, &err), &err);
    struct str bytes = str_dup(a, fixture_bytes(&f, &packed.artifacts[0]));
    check_str(packed.artifacts[0].sha256_hex, sha256_hex(a, bytes).p);
    check_str(packed.artifacts[0].sha256_base64, sha256_base64(a, bytes).p);
    fixture_remove(&f);
    return bytes;
}

/* The same files give the same bytes, whenever, wherever and by whomever they were made. */
static void test_deterministic(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct str first = pack_one(022, 1000000000, 1, a);
    assert_true(str_eq(first, pack_one(077, 1700000000, 4, a)));
    assert_true(str_eq(first, pack_one(0, 315532800, 2, a)));
}

static void test_written(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    struct str on_disk;
    fixture_make(&f, STR("index.js"), service(a, "nodejs22.x", "index.handler", ""));
    struct str dir = path_join(f.arena, f.dir, STR(".serverless"));
    check_ok(fixture_pack(&f, &packed, &err), &err);
    check_ok(pack_write(f.arena, &f.service, &f.options, &packed, dir, &err), &err);
    struct str path = path_join(f.arena, dir, STR("one.zip"));
    check_ok(fs_read(f.arena, path, 1 << 20, &on_disk, &err), &err);
    assert_true(str_eq(on_disk, fixture_bytes(&f, &packed.artifacts[0])));
    struct str first = packed.artifacts[0].sha256_hex;
    check_ok(fixture_pack(&f, &packed, &err), &err); /* its own output is not packaged */
    assert_true(str_eq(first, packed.artifacts[0].sha256_hex));
    fixture_remove(&f);
}

/* A walk ends although links lead back into their own folder. */
static void test_circle(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(&f, STR("index.js\nsub/up -> ..\nsub/self -> ../sub\nloop -> loop"),
                 service(a, "nodejs22.x", "index.handler", ""));
    check_ok(fixture_pack(&f, &packed, &err), &err);
    assert_int_equal(packed.artifacts[0].file_count, 1);
    fixture_remove(&f);
}

static const char three[] =
    "service: three\nprovider: {name: aws, runtime: python3.12}\n"
    "package: {individually: true}\n"
    "functions:\n"
    "  a: {handler: f0.h, package: {patterns: ['!d1/**']}}\n"
    "  b: {handler: f0.h, package: {patterns: ['!d2/**']}}\n"
    "  c: {handler: f0.h, package: {patterns: ['!**', 'f0.py', 'd3/**']}}\n";

/* Threads that share files and contents write the same bytes as one thread. */
static void test_parallel(void **state)
{
    (void)state;
    enum { FILES = 1500, CONTENTS = 300, FUNCTIONS = 3 };
    struct fixture f;
    struct err err = {0};
    struct packed alone, together;
    fixture_make(&f, STR("f0.py"), str_c(three));
    for (int i = 0; i < FILES; i++)
        fixture_file(&f, str_fmt(f.arena, "d%d/%d.py", i % 5, i).p,
                     str_fmt(f.arena, "%0*d", i % CONTENTS * 10 + 1, i % CONTENTS), 0644);
    f.options.no_cache = true;
    f.options.jobs = 1;
    check_ok(fixture_pack(&f, &alone, &err), &err);
    f.options.jobs = 8;
    check_ok(fixture_pack(&f, &together, &err), &err);
    assert_int_equal(alone.artifact_count, FUNCTIONS);
    assert_int_equal(alone.artifacts[2].file_count, 1 + FILES / 5);
    for (size_t i = 0; i < FUNCTIONS; i++)
        assert_true(str_eq(fixture_bytes(&f, &alone.artifacts[i]),
                           fixture_bytes(&f, &together.artifacts[i])));
    fixture_remove(&f);
}

static int add_to_buf(void *context, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(context, bytes);
    return 0;
}

static size_t count_entries(struct arena *a, struct str bytes)
{
    struct err err = {0};
    struct zip_entry *entries;
    size_t n;
    FILE *file = tmpfile();
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fflush(file), 0);
    check_ok(zip_entries(a, fileno(file), bytes.n, &entries, &n, &err), &err);
    fclose(file);
    return n;
}

/* More entries than the old format can count. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 66000 };
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    char name[] = "/tmp/troupe-many-XXXXXX";
    struct str dir = str_c(mkdtemp(name));
    struct file *files = ARENA_ARRAY(a, N, struct file);
    struct file_list list = {ARENA_ARRAY(a, N, struct file *), N};
    check_ok(fs_write(path_join(a, dir, STR("one")), STR("x"), 0644, &err), &err);
    for (size_t i = 0; i < N; i++) {
        files[i] = (struct file){.path = STR("one"), .name = str_fmt(a, "f%05zu", i)};
        list.files[i] = &files[i];
    }
    struct content_store *store = content_store_new(a, dir, STR("x"), false);
    check_ok(content_store_add(store, &list, 1, 2, &err), &err);
    struct buf b = BUF(a);
    check_ok(zip_make(store, &list, add_to_buf, &b, &err), &err);
    assert_int_equal(count_entries(a, buf_str(&b)), N);
    content_store_drop(store);
    check_ok(fs_remove_all(dir, &err), &err);
}

/* ---- zips made again ---- */

/* What is deployed of the zip that this Python script writes. */
static struct str made_again(struct fixture *f, const char *script)
{
    struct err err = {0};
    struct packed packed;
    struct str command =
        str_fmt(f->arena, "cd '%s' && rm -f a.zip && python3 -c \"%s\"", f->dir.p, script);
    assert_int_equal(system(command.p), 0);
    f->options.make_given_again = true;
    check_ok(fixture_pack(f, &packed, &err), &err);
    struct str bytes = fixture_bytes(f, &packed.artifacts[0]);
    check_str(packed.artifacts[0].sha256_hex, sha256_hex(f->arena, bytes).p);
    assert_int_equal(packed.artifacts[0].zip_bytes, bytes.n);
    check_ok(fixture_pack(f, &packed, &err), &err); /* known by now */
    check_str(packed.artifacts[0].sha256_hex, sha256_hex(f->arena, bytes).p);
    assert_true(str_eq(bytes, fixture_bytes(f, &packed.artifacts[0])));
    return bytes;
}

#define WRITE                                                                                 \
    "import zipfile as z; f = z.ZipFile('a.zip', 'w'); E = z.ZipInfo\n"                       \
    "def w(name, text, year=2001, mode=0o644, how=8):\n"                                      \
    "  e = E(name, (year, 1, 1, 0, 0, 0)); e.external_attr = mode << 16; e.comment = b'x' * " \
    "(year % 7)\n"                                                                            \
    "  e.compress_type = how; f.writestr(e, text)\n"

/* Entries, modes and contents make the zip; times, order, comments and compression do not. */
static void test_made_again(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    fixture_make(&f, STR("index.js"),
                 service(a, "nodejs22.x", "a.h", "    package: {artifact: a.zip}\n"));
    struct str first = made_again(&f, WRITE "w('a.js', 'A' * 900); w('b/c', 'C'); f.close()");
    assert_int_equal(count_entries(a, first), 2);
    static const struct {
        const char *script;
        bool same;
    } others[] = {
        {WRITE "w('b/c', 'C', 2020); w('a.js', 'A' * 900, 2024, how=0); f.close()", true},
        {WRITE "w('a.js', 'A' * 900, mode=0o755); w('b/c', 'C'); f.close()", false},
        {WRITE "w('a.js', 'A' * 901); w('b/c', 'C'); f.close()", false},
        {WRITE "w('a.js', 'A' * 900); w('b/d', 'C'); f.close()", false},
        {WRITE "w('a.js', 'A' * 900); w('b/c', 'C'); w('d/', ''); f.close()", false},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(str_eq(first, made_again(&f, others[i].script)), others[i].same);
    fixture_remove(&f);
}

/* A damaged entry is found before anything is uploaded. */
static void test_made_again_damaged(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    struct str zip;
    fixture_make(&f, STR("index.js"),
                 service(a, "nodejs22.x", "a.h", "    package: {artifact: a.zip}\n"));
    made_again(&f, WRITE "w('a.js', 'abc' * 900); f.close()");
    struct str path = path_join(f.arena, f.dir, STR("a.zip"));
    check_ok(fs_read(f.arena, path, 1 << 20, &zip, &err), &err);
    char *bad = arena_dup(f.arena, zip.p, zip.n);
    bad[42] ^= 1;
    fixture_file(&f, "a.zip", (struct str){bad, zip.n}, 0644);
    assert_int_equal(fixture_pack(&f, &packed, &err), -1);
    check_str(err.msg, "cannot use artifact 'a.zip': the entry 'a.js' is damaged");
    err_clear(&err);
    fixture_remove(&f);
}

/* ---- the cache ---- */

static struct str cache_dir(struct fixture *f)
{
    return path_join(f->arena, f->top, STR("cache/troupe/packages"));
}

/* Path of the cache's file with this ending; empty: there is none. */
static struct str cache_file(struct fixture *f, const char *ending)
{
    cleanup_err struct err err = {0};
    struct str *names;
    size_t n;
    if (fs_list(f->arena, cache_dir(f), &names, &n, &err) < 0)
        return (struct str){"", 0};
    for (size_t i = 0; i < n; i++)
        if (str_ends(names[i], str_c(ending)))
            return path_join(f->arena, cache_dir(f), names[i]);
    return (struct str){"", 0};
}

/* Let the file system's clock go on, so that what was written before is older than it. */
static void let_age(void)
{
    struct timespec first, now;
    clock_gettime(CLOCK_REALTIME_COARSE, &first);
    do {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } while (now.tv_sec == first.tv_sec && now.tv_nsec == first.tv_nsec);
}

/* Package, and compare with what is packaged without a cache. */
static struct str pack_checked(struct fixture *f)
{
    struct err err = {0};
    struct packed with, without;
    check_ok(fixture_pack(f, &with, &err), &err);
    struct str bytes = fixture_bytes(f, &with.artifacts[0]);
    f->options.no_cache = true;
    check_ok(fixture_pack(f, &without, &err), &err);
    f->options.no_cache = false;
    check_str(with.artifacts[0].sha256_hex, without.artifacts[0].sha256_hex.p);
    assert_int_equal(with.artifacts[0].zip_bytes, without.artifacts[0].zip_bytes);
    assert_int_equal(with.artifacts[0].unzipped_bytes, without.artifacts[0].unzipped_bytes);
    assert_true(str_eq(bytes, fixture_bytes(f, &without.artifacts[0])));
    return bytes;
}

static ino_t inode_of(struct str path)
{
    struct stat st;
    return stat(path.p, &st) == 0 ? st.st_ino : 0;
}

static void cached_service(struct fixture *f, struct arena *a)
{
    fixture_make(f, STR("index.js\na.txt = first\nb.txt = other\nsub/c 0755"),
                 service(a, "nodejs22.x", "index.handler", ""));
    let_age();
}

/* The second run writes no cache: it found nothing new. */
static void test_cache_reads_nothing(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    cached_service(&f, a);
    struct str first = pack_checked(&f), path = cache_file(&f, ".pieces");
    ino_t inode = inode_of(path);
    assert_true(path.n && inode);
    assert_true(str_eq(first, pack_checked(&f)));
    assert_int_equal(inode_of(path), inode); /* nothing was new */
    fixture_remove(&f);
}

/* Another content of the same size and with the same mtime, at once: never the old one. */
static void test_cache_sees_changes(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct stat st;
    cached_service(&f, a);
    struct str path = path_join(f.arena, f.dir, STR("a.txt"));
    for (int i = 0; i < 40; i++) {
        assert_int_equal(stat(path.p, &st), 0);
        FILE *file = fopen(path.p, "r+"); /* the same inode */
        assert_true(file && fprintf(file, "%05d", i) == 5);
        fclose(file);
        struct timespec times[2] = {st.st_atim, st.st_mtim};
        assert_int_equal(utimensat(AT_FDCWD, path.p, times, 0), 0);
        pack_checked(&f);
        if (i % 8 == 0)
            let_age();
    }
    fixture_file(&f, "a.txt", STR("a new file"), 0755);
    pack_checked(&f);
    assert_int_equal(unlink(path.p), 0);
    pack_checked(&f);
    fixture_remove(&f);
}

/* Whatever is in the cache's file, the zip is right; and afterwards the cache is, too. */
static void test_cache_damaged(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct str good;
    cached_service(&f, a);
    struct str zip = pack_checked(&f);
    check_ok(fs_read(a, cache_file(&f, ".pieces"), 1 << 20, &good, &err), &err);
    for (size_t at = 0; at < good.n; at += 5) {
        struct str path = path_join(a, cache_dir(&f), path_base(cache_file(&f, ".pieces")));
        char *bad = arena_dup(a, good.p, good.n);
        bad[at] ^= (char)(1 << at % 8);
        struct str cut = {bad, at % 3 ? good.n : at};
        check_ok(fs_write(path, cut, 0600, &err), &err);
        struct packed packed;
        check_ok(fixture_pack(&f, &packed, &err), &err);
        assert_true(str_eq(zip, fixture_bytes(&f, &packed.artifacts[0])));
        if (!cache_file(&f, ".pieces").n)
            check_ok(fixture_pack(&f, &packed, &err), &err); /* it was removed */
    }
    pack_checked(&f);
    fixture_remove(&f);
}

/* A directory that others may write to is not used, and packaging works without it. */
static void test_cache_of_others(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    cached_service(&f, a);
    check_ok(fs_mkdirs(cache_dir(&f), &err), &err);
    assert_int_equal(chmod(cache_dir(&f).p, 0777), 0);
    pack_checked(&f);
    assert_int_equal(cache_file(&f, ".pieces").n, 0);
    fixture_remove(&f);
}

/* When most of the pieces are of no use any more, the rest is copied. */
static void test_cache_compacted(void **state)
{
    (void)state;
    enum { LARGE = 100000 };
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct stat st;
    cached_service(&f, a);
    fixture_file(&f, "large", random_hex(a, LARGE), 0644);
    let_age();
    pack_checked(&f);
    assert_int_equal(unlink(path_join(a, f.dir, STR("large")).p), 0);
    fixture_file(&f, "a.txt", STR("changed"), 0644);
    let_age();
    pack_checked(&f);
    assert_int_equal(stat(cache_file(&f, ".pieces").p, &st), 0);
    assert_in_range(st.st_size, 1, LARGE / 2);
    struct str zip = pack_checked(&f);
    assert_true(str_eq(zip, pack_checked(&f)));
    fixture_remove(&f);
}

/* What a run that fails or was killed has written is not left in the cache. */
static void test_cache_left(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    cached_service(&f, a);
    pack_checked(&f);
    struct str old = path_join(a, cache_dir(&f), STR("x.pieces.new.abcdef"));
    check_ok(fs_write(old, STR("half"), 0600, &err), &err);
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, old.p, times, 0), 0);
    fixture_file(&f, "bootstrap", STR("x"), 0644);
    check_ok(fixture_pack(&f, &packed, &err), &err);
    assert_false(fs_exists(old));
    assert_int_equal(cache_file(&f, ".new.").n, 0);
    fixture_remove(&f);
}

/* What `package` wrote stays while nobody changes it. */
static void test_written_once(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    cached_service(&f, a);
    struct str dir = path_join(a, f.top, STR("out")), zip = path_join(a, dir, STR("one.zip"));
    ino_t inodes[4];
    for (int i = 0; i < 4; i++) {
        if (i == 2) { /* the same size, and another content */
            struct str bytes;
            check_ok(fs_read(a, zip, 1 << 20, &bytes, &err), &err);
            FILE *file = fopen(zip.p, "r+");
            assert_true(file && fputc(bytes.p[0] ^ 1, file) != EOF);
            fclose(file);
        }
        check_ok(fixture_pack(&f, &packed, &err), &err);
        check_ok(pack_write(a, &f.service, &f.options, &packed, dir, &err), &err);
        inodes[i] = inode_of(zip);
        struct str on_disk;
        check_ok(fs_read(a, zip, 1 << 20, &on_disk, &err), &err);
        check_str(sha256_hex(a, on_disk), packed.artifacts[0].sha256_hex.p);
    }
    assert_int_equal(inodes[0], inodes[1]);
    assert_int_not_equal(inodes[1], inodes[2]);
    fixture_remove(&f);
}

/* ---- what an earlier deployment packaged ---- */

static const char recorded_service[] =
    "service: one\nprovider: {name: aws, runtime: nodejs22.x}\nfunctions:\n"
    "  a: {handler: x.y}\n"
    "  b: {handler: x.y}\n"
    "  picture: {image: {uri: 1.dkr.ecr.x/y@sha256:z}}\n"
    "  c: {handler: x.y, package: {individually: true}}\n";

/* The hashes are those of the zips, and no file is needed. */
static void test_recorded(void **state)
{
    (void)state;
    struct fixture f;
    struct err err = {0};
    struct packed packed;
    fixture_make(&f, STR("x.js"), str_c(recorded_service));
    struct str one = STR("content"), two = STR("other content");
    struct map functions = MAP(f.arena), none = MAP(f.arena);
    static const char *const keys[] = {"a", "b", "c", "removed"};
    struct str of_one = sha256_hex(f.arena, one), of_two = sha256_hex(f.arena, two);
    for (size_t i = 0; i < 4; i++)
        map_put(&functions, str_c(keys[i]), i == 2 ? &of_two : &of_one);
    check_ok(fs_remove_all(f.top, &err), &err);
    check_ok(pack_recorded(f.arena, &f.service, &functions, &none, NULL, &packed, &err), &err);
    assert_int_equal(packed.artifact_count, 2);
    assert_ptr_equal(packed.of_function[0], &packed.artifacts[0]);
    assert_ptr_equal(packed.of_function[1], &packed.artifacts[0]);
    assert_null(packed.of_function[2]);
    assert_ptr_equal(packed.of_function[3], &packed.artifacts[1]);
    check_str(packed.artifacts[0].name, "a.zip");
    check_str(packed.artifacts[1].name, "c.zip");
    check_str(packed.artifacts[0].sha256_hex, sha256_hex(f.arena, one).p);
    check_str(packed.artifacts[0].sha256_base64, sha256_base64(f.arena, one).p);
    check_str(packed.artifacts[1].sha256_hex, sha256_hex(f.arena, two).p);
    check_str(packed.artifacts[1].sha256_base64, sha256_base64(f.arena, two).p);
    assert_null(packed.artifacts[0].source);
    assert_int_equal(packed.artifacts[0].path.n, 0);
    fixture_remove(&f);
}

static const struct {
    const char *artifact; /* of function b; NULL: it is not in the record */
    enum err_kind kind;
    const char *error;
} lacking[] = {
    {NULL, ERR_CONFIG, "function 'b' was not part of that deployment, so there is no code for it"},
    {"", ERR_CONFIG, "function 'b' ran an image in that deployment, so there is no code for it"},
    {"12ab", ERR_FAILED,
     "the record is damaged: the artifact of function 'b' is no SHA-256: '12ab'"},
    {"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", ERR_FAILED,
     "the record is damaged: the artifact of function 'b' is no SHA-256: "
     "'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855'"},
};

static void test_recorded_lacks(void **state)
{
    (void)state;
    struct fixture f;
    struct packed packed;
    fixture_make(&f, STR("x.js"), str_c(recorded_service));
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        cleanup_err struct err err = {0};
        struct map functions = MAP(f.arena), none = MAP(f.arena);
        struct str of_a = sha256_hex(f.arena, STR("a")), of_b = str_c(lacking[i].artifact);
        map_put(&functions, STR("a"), &of_a);
        if (lacking[i].artifact)
            map_put(&functions, STR("b"), &of_b);
        assert_int_equal(pack_recorded(f.arena, &f.service, &functions, &none, NULL, &packed, &err),
                         -1);
        check_str(err.msg, lacking[i].error);
        assert_int_equal(err.kind, lacking[i].kind);
        assert_int_equal(err.pos.line, lacking[i].kind == ERR_CONFIG ? 5 : 0);
    }
    cleanup_err struct err err = {0};
    struct map none = MAP(f.arena);
    assert_int_equal(pack_recorded(f.arena, &f.service, &none, &none, NULL, &packed, &err), -1);
    assert_int_equal(err.pos.line, 4);
    fixture_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handlers),
        cmocka_unit_test(test_handler_hints),
        cmocka_unit_test(test_binaries),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_which_artifact),
        cmocka_unit_test(test_s3_artifact),
        cmocka_unit_test(test_ignored_patterns),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_made_again),
        cmocka_unit_test(test_made_again_damaged),
        cmocka_unit_test(test_cache_reads_nothing),
        cmocka_unit_test(test_cache_sees_changes),
        cmocka_unit_test(test_cache_damaged),
        cmocka_unit_test(test_cache_of_others),
        cmocka_unit_test(test_cache_compacted),
        cmocka_unit_test(test_cache_left),
        cmocka_unit_test(test_written_once),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_recorded_lacks),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
