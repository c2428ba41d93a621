/* The local cloud's life, with a stand-in for MiniStack: fake_cloud.py. */
#include "check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "local/internal.h"

static const char *tests_dir;
static struct arena *arena;
static struct str top, package;

static struct str inside(const char *name)
{
    return path_join(arena, top, str_c(name));
}

static void write_file(struct str path, struct str text)
{
    struct err err = {0};
    check_ok(fs_mkdirs(path_dir(arena, path), &err), &err);
    check_ok(fs_write(path, text, 0644, &err), &err);
}

static int set_up(void **state)
{
    (void)state;
    char name[] = "/tmp/troupe-local-XXXXXX";
    struct err err = {0};
    struct str fake;
    arena = arena_new();
    top = str_dup(arena, str_c(mkdtemp(name)));
    package = inside("package");
    check_ok(fs_read(arena, path_join(arena, str_c(tests_dir), STR("unit/local/fake_cloud.py")),
                     1 << 20, &fake, &err),
             &err);
    write_file(path_join(arena, package, STR("requirements.txt")), STR("# nothing\n"));
    write_file(path_join(arena, package, STR("troupe_cloud/__main__.py")), fake);
    setenv("XDG_CACHE_HOME", inside("cache").p, 1);
    setenv("TROUPE_LOCAL_DIR", inside("cloud").p, 1);
    setenv("TROUPE_LOCALCLOUD_DIR", package.p, 1);
    unsetenv("TROUPE_CLOUD_TEST");
    unsetenv("TROUPE_PYTHON");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct err err = {0};
    bool was;
    check_ok(local_down(&was, &err), &err);
    check_ok(fs_remove_all(top, &err), &err);
    arena_free(arena);
    return 0;
}

/* Each test begins stopped and without data. */
static int reset(void **state)
{
    (void)state;
    struct err err = {0};
    bool was;
    unsetenv("TROUPE_CLOUD_TEST");
    check_ok(local_down(&was, &err), &err);
    check_ok(fs_remove_all(inside("cloud"), &err), &err);
    return 0;
}

static struct local_cloud up(bool persist)
{
    struct err err = {0};
    struct local_cloud cloud = {0};
    struct local_options options = {.persist = persist};
    check_ok(local_up(arena, &options, &cloud, &err), &err);
    return cloud;
}

static bool down(void)
{
    struct err err = {0};
    bool was;
    check_ok(local_down(&was, &err), &err);
    return was;
}

static long child_pid(void)
{
    struct err err = {0};
    struct str text;
    int64_t pid;
    check_ok(fs_read(arena, inside("cloud/child"), 64, &text, &err), &err);
    assert_true(str_to_int(text, &pid));
    return (long)pid;
}

static void test_up_and_down(void **state)
{
    (void)state;
    struct err err = {0};
    struct str endpoint;
    assert_false(local_find(arena, &endpoint));
    struct local_cloud cloud = up(false), found;
    assert_true(cloud.running && cloud.port > 0 && cloud.pid > 1 && !cloud.persist);
    assert_true(local_find(arena, &endpoint));
    assert_true(str_eq(endpoint, cloud.endpoint));
    check_ok(local_status(arena, &found, &err), &err);
    assert_true(found.running && found.pid == cloud.pid && found.since_ms == cloud.since_ms);
    assert_int_equal(getpgid((pid_t)cloud.pid), cloud.pid);
    assert_int_equal(getsid((pid_t)cloud.pid), cloud.pid);
    assert_int_equal(up(false).pid, cloud.pid); /* not a second one */
    long child = child_pid();
    assert_true(process_began(arena, child).n > 0);
    assert_true(down());
    assert_int_equal(process_began(arena, cloud.pid).n, 0);
    for (int i = 0; i < 100 && process_began(arena, child).n; i++)
        clock_sleep_ms(10);
    assert_int_equal(process_began(arena, child).n, 0); /* what it started is gone too */
    assert_false(local_find(arena, &endpoint));
    assert_false(down());
    assert_int_equal(up(false).port, cloud.port); /* the port stays the same */
}

static void *up_thread(void *ret)
{
    struct err err = {0};
    struct arena *a = arena_new();
    struct local_options options = {0};
    struct local_cloud cloud = {0};
    if (local_up(a, &options, &cloud, &err) < 0)
        err_clear(&err);
    *(long *)ret = cloud.pid;
    arena_free(a);
    return NULL;
}

static void test_two_at_once(void **state)
{
    (void)state;
    enum { N = 4 };
    pthread_t threads[N];
    long pids[N] = {0};
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, up_thread, &pids[i]), 0);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    assert_true(pids[0] > 0);
    for (int i = 1; i < N; i++)
        assert_int_equal(pids[i], pids[0]);
}

static void test_killed_from_outside(void **state)
{
    (void)state;
    struct local_cloud cloud = up(false);
    kill((pid_t)-cloud.pid, SIGKILL);
    for (int i = 0; i < 200 && process_began(arena, cloud.pid).n; i++)
        clock_sleep_ms(10);
    struct str endpoint;
    assert_false(local_find(arena, &endpoint));
    assert_int_not_equal(up(false).pid, cloud.pid);
}

/* The number of a process that ended may belong to another one by now: that one is left alone. */
static void test_number_used_again(void **state)
{
    (void)state;
    struct err err = {0};
    struct local_paths paths = local_paths(arena);
    check_ok(fs_mkdirs(paths.dir, &err), &err);
    struct local_state other = {.pid = getpid(), .process_start = STR("1"), .port = 1};
    check_ok(state_write(&paths, &other, &err), &err);
    struct local_cloud cloud;
    check_ok(local_status(arena, &cloud, &err), &err);
    assert_false(cloud.running);
    assert_false(down());
}

static void test_damaged_state(void **state)
{
    (void)state;
    struct err err = {0};
    struct local_cloud cloud;
    write_file(inside("cloud/state.json"), STR("{\"format\":1,\"pid\":"));
    check_ok(local_status(arena, &cloud, &err), &err);
    assert_false(cloud.running);
    assert_true(up(false).running);
}

static void test_persist(void **state)
{
    (void)state;
    struct err err = {0};
    struct local_options options = {.persist = true};
    struct local_cloud cloud = up(false);
    assert_int_equal(local_up(arena, &options, &cloud, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_true(err.help.n > 0);
    err_clear(&err);
    down();
    assert_true(up(true).persist);
    down();
    assert_true(fs_is_file(inside("cloud/data/state/kept")));
    assert_true(up(false).persist); /* what was kept is not forgotten by the way */
    check_ok(local_wipe(arena, &options, &cloud, &err), &err);
    assert_true(cloud.running && cloud.persist);
    assert_false(fs_exists(inside("cloud/data/state/kept")));
    down();
    check_ok(local_wipe(arena, &options, &cloud, &err), &err);
    assert_false(cloud.running || cloud.persist);
    assert_false(fs_exists(inside("cloud/data")));
}

static void test_stubborn(void **state)
{
    (void)state;
    setenv("TROUPE_CLOUD_TEST", "stubborn", 1);
    struct local_cloud cloud = up(false);
    int64_t began = clock_mono_ms();
    assert_true(down());
    assert_true(clock_mono_ms() - began < 8000);
    assert_int_equal(process_began(arena, cloud.pid).n, 0);
}

static bool has_note(const struct err *err, const char *text)
{
    for (const struct err_note *n = err->note; n; n = n->next)
        if (str_find(n->text, str_c(text), 0) >= 0)
            return true;
    return false;
}

static void fails(const struct local_options *options, const char *message, const char *note)
{
    struct err err = {0};
    struct local_cloud cloud;
    assert_int_equal(local_up(arena, options, &cloud, &err), -1);
    struct str shown = err_render(arena, &err, false);
    if (str_find(err.msg, str_c(message), 0) < 0 || (note && !has_note(&err, note)))
        fail_msg("unexpected error:\n%s", shown.p);
    assert_true(err.help.n > 0);
    err_clear(&err);
}

static void test_dies(void **state)
{
    (void)state;
    setenv("TROUPE_CLOUD_TEST", "die", 1);
    fails(&(struct local_options){0}, "died while starting", "last words: no stack left");
}

static void test_port_taken(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    fails(&(struct local_options){.port = ntohs(at.sin_port)}, "is taken", NULL);
    close(fd);
    struct local_options same = {.port = ntohs(at.sin_port)};
    struct err err = {0};
    struct local_cloud cloud;
    check_ok(local_up(arena, &same, &cloud, &err), &err);
    assert_int_equal(cloud.port, same.port);
}

static void test_python(void **state)
{
    (void)state;
    setenv("TROUPE_PYTHON", "/nonexistent/python3", 1);
    fails(&(struct local_options){0}, "needs Python", NULL);
    setenv("TROUPE_PYTHON", "/bin/false", 1);
    fails(&(struct local_options){0}, "venv", NULL);
    unsetenv("TROUPE_PYTHON");
}

static void test_pip(void **state)
{
    (void)state;
    struct str requirements = path_join(arena, package, STR("requirements.txt"));
    write_file(requirements, STR("no-hash-for-this==1.0\n"));
    fails(&(struct local_options){0}, "cannot install MiniStack", "no-hash-for-this");
    write_file(requirements, STR("# nothing\n"));
}

static void test_no_package(void **state)
{
    (void)state;
    setenv("TROUPE_LOCALCLOUD_DIR", "", 1);
    fails(&(struct local_options){0}, "cannot find the files", NULL);
    setenv("TROUPE_LOCALCLOUD_DIR", package.p, 1);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? argv[1] : "tests";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_up_and_down, reset),
        cmocka_unit_test_setup(test_two_at_once, reset),
        cmocka_unit_test_setup(test_killed_from_outside, reset),
        cmocka_unit_test_setup(test_number_used_again, reset),
        cmocka_unit_test_setup(test_damaged_state, reset),
        cmocka_unit_test_setup(test_persist, reset),
        cmocka_unit_test_setup(test_stubborn, reset),
        cmocka_unit_test_setup(test_dies, reset),
        cmocka_unit_test_setup(test_port_taken, reset),
        cmocka_unit_test_setup(test_python, reset),
        cmocka_unit_test_setup(test_pip, reset),
        cmocka_unit_test_setup(test_no_package, reset),
    };
    return cmocka_run_group_tests_name("local", tests, set_up, tear_down);
}
