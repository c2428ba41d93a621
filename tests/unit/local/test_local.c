/* The local cloud's life, with a stand-in for MiniStack: fake_cloud.py. */
#include "check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "local/local_internal.h"

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

/* Each test begins without a running local cloud and without data. */
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

static bool running(void)
{
    struct err err = {0};
    struct local_cloud cloud;
    check_ok(local_status(arena, &cloud, &err), &err);
    return cloud.running;
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

static bool is_installing(void)
{
    struct err ignored = {0};
    struct str *names = NULL;
    size_t n = 0;
    bool found = false;
    fs_list(arena, inside("cache/troupe/venv"), &names, &n, &ignored);
    err_clear(&ignored);
    for (size_t i = 0; i < n; i++)
        found = found || str_find_char(names[i], '.', 0) >= 0;
    return found;
}

/* A command that is killed while it installs leaves nothing that hinders the next one. */
static void killed_while_installing(void)
{
    struct err err = {0};
    pid_t command = fork();
    if (command == 0) {
        struct local_cloud cloud;
        _exit(local_up(arena, &(struct local_options){0}, &cloud, &err) < 0);
    }
    while (!is_installing())
        clock_sleep_ms(5);
    kill(command, SIGKILL);
    assert_int_equal(waitpid(command, NULL, 0), command);
}

/* Files named after Python's own modules, where Python looks for modules unless it is told not to:
 * in the current folder and in PYTHONPATH. */
static void test_first_installation(void **state)
{
    (void)state;
    static const char *const names[] = {"venv",     "ensurepip",  "logging",       "runpy",
                                        "types",    "http",       "sitecustomize", "usercustomize",
                                        "tempfile", "subprocess", "json",          "pip"};
    struct err err = {0};
    struct str service = inside("service"), witness = inside("witness");
    struct str code = str_fmt(arena, "open('%s', 'a').write(__name__ + '\\n')\n", witness.p);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_file(path_join(arena, service, str_fmt(arena, "%s.py", names[i])), code);
        write_file(path_join(arena, service, str_fmt(arena, "%s/__init__.py", names[i])), code);
    }
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(service.p), 0);
    setenv("PYTHONPATH", service.p, 1);
    setenv("PYTHONSTARTUP", path_join(arena, service, STR("venv.py")).p, 1);
    killed_while_installing();
    assert_true(up(false).running);
    unsetenv("PYTHONPATH");
    unsetenv("PYTHONSTARTUP");
    assert_int_equal(chdir(before), 0);
    free(before);
    struct str seen = STR("");
    if (fs_exists(witness))
        check_ok(fs_read(arena, witness, 1 << 20, &seen, &err), &err);
    if (seen.n)
        fail_msg("Python ran files of the service's folder:\n%s", seen.p);
}

static void test_up_and_down(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(running());
    struct local_cloud cloud = up(false), found;
    assert_true(cloud.running && cloud.port > 0 && cloud.pid > 1 && !cloud.persist);
    assert_true(cloud.access_key.n == 12 && cloud.secret_key.n == 40);
    check_ok(local_status(arena, &found, &err), &err);
    assert_true(str_eq(found.endpoint, cloud.endpoint));
    assert_true(str_eq(found.secret_key, cloud.secret_key));
    assert_true(found.running && found.pid == cloud.pid && found.since_ms == cloud.since_ms);
    assert_int_equal(getpgid((pid_t)cloud.pid), cloud.pid);
    assert_int_equal(getsid((pid_t)cloud.pid), cloud.pid);
    assert_int_equal(up(false).pid, cloud.pid); /* no second one is started */
    long child = child_pid();
    assert_true(process_began(arena, child).n > 0);
    assert_true(down());
    assert_int_equal(process_began(arena, cloud.pid).n, 0);
    for (int i = 0; i < 100 && process_began(arena, child).n; i++)
        clock_sleep_ms(10);
    /* the process that it started is gone, too */
    assert_int_equal(process_began(arena, child).n, 0);
    assert_false(running());
    assert_false(down());
    found = up(false);
    assert_int_equal(found.port, cloud.port); /* the port stays the same */
    assert_false(str_eq(found.secret_key, cloud.secret_key));
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
    assert_false(running());
    assert_int_not_equal(up(false).pid, cloud.pid);
}

/* The number of a process that ended may belong to another one by now, which must live. */
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

/* A local cloud that an older troupe started has no secret that this one knows. */
static void test_running_without_secret(void **state)
{
    (void)state;
    struct err err = {0};
    struct local_cloud cloud = up(false);
    struct local_paths paths = local_paths(arena);
    struct local_state kept = state_read(arena, &paths);
    kept.secret = STR("");
    check_ok(state_write(&paths, &kept, &err), &err);
    assert_int_equal(local_up(arena, &(struct local_options){0}, &cloud, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    err_clear(&err);
    assert_true(down());
}

static mode_t mode_of(struct str path)
{
    struct stat st;
    assert_int_equal(stat(path.p, &st), 0);
    return st.st_mode & 07777;
}

/* Whatever the umask is, nobody else can read the secret or change what is run. */
static void test_folders_are_the_users(void **state)
{
    (void)state;
    mode_t before = umask(0);
    up(false);
    umask(before);
    assert_int_equal(mode_of(inside("cloud")), 0700);
    assert_int_equal(mode_of(inside("cloud/state.json")), 0600);
    assert_int_equal(mode_of(inside("cloud/log")), 0600);
    assert_int_equal(mode_of(inside("cache/troupe")), 0700);
    assert_int_equal(mode_of(inside("cache/troupe/venv")), 0700);
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
    /* starting it again without --persist does not forget what was kept */
    assert_true(up(false).persist);
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

/* A folder that others could have filled is not used: troupe runs what is in it. */
static void test_folders_of_others(void **state)
{
    (void)state;
    static const char *const folders[] = {"cloud", "cache/troupe", "cache/troupe/venv"};
    up(false);
    down();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct str path = inside(folders[i]);
        for (mode_t mode = 0720; mode; mode = mode == 0720 ? 0702 : 0) {
            assert_int_equal(chmod(path.p, mode), 0);
            fails(&(struct local_options){0}, "others may write", NULL);
        }
        assert_int_equal(chmod(path.p, 0700), 0);
        if (geteuid() != 0)
            continue;
        assert_int_equal(chown(path.p, 12345, 12345), 0);
        fails(&(struct local_options){0}, "belongs to user 12345", NULL);
        assert_int_equal(chown(path.p, 0, 0), 0);
    }
    assert_true(up(false).running);
}

/* Without variables the cache is in the user's home as the user database has it, never in /tmp. */
static void test_no_home(void **state)
{
    (void)state;
    static const char *const homes[] = {NULL, "", ".", "tmp"};
    struct str given = str_dup(arena, str_c(getenv("XDG_CACHE_HOME"))),
               home = str_dup(arena, str_c(getenv("HOME")));
    const struct passwd *user = getpwuid(geteuid());
    struct str wanted =
        path_join(arena, str_c(user ? user->pw_dir : "/nonexistent"), STR(".cache/troupe"));
    unsetenv("XDG_CACHE_HOME");
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        if (homes[i])
            setenv("HOME", homes[i], 1);
        else
            unsetenv("HOME");
        assert_true(str_eq(path_cache(arena), wanted));
    }
    setenv("XDG_CACHE_HOME", given.p, 1);
    setenv("HOME", home.p, 1);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? argv[1] : "tests";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_installation, reset),
        cmocka_unit_test_setup(test_up_and_down, reset),
        cmocka_unit_test_setup(test_two_at_once, reset),
        cmocka_unit_test_setup(test_killed_from_outside, reset),
        cmocka_unit_test_setup(test_number_used_again, reset),
        cmocka_unit_test_setup(test_damaged_state, reset),
        cmocka_unit_test_setup(test_running_without_secret, reset),
        cmocka_unit_test_setup(test_folders_are_the_users, reset),
        cmocka_unit_test_setup(test_persist, reset),
        cmocka_unit_test_setup(test_stubborn, reset),
        cmocka_unit_test_setup(test_dies, reset),
        cmocka_unit_test_setup(test_port_taken, reset),
        cmocka_unit_test_setup(test_python, reset),
        cmocka_unit_test_setup(test_pip, reset),
        cmocka_unit_test_setup(test_no_package, reset),
        cmocka_unit_test_setup(test_folders_of_others, reset),
        cmocka_unit_test_setup(test_no_home, reset),
    };
    return cmocka_run_group_tests_name("local", tests, set_up, tear_down);
}
