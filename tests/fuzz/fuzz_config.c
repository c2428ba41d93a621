/* A whole service file of arbitrary bytes: loading it never crashes, and an error names a place or
 * the file. */
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

#include "fuzz.h"
#include "base/fs.h"
#include "doc/json.h"

enum { INPUT_MAX = 16 * 1024 };

static char dir[] = "/tmp/troupe-fuzz-config-XXXXXX";

static void remove_dir(void)
{
    struct err err = {0};
    fs_remove_all(str_c(dir), &err);
    err_clear(&err);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!mkdtemp(dir))
        abort();
    atexit(remove_dir);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct err err = {0};
    struct str path = path_join(a, str_c(dir), STR("serverless.yml"));
    if (fs_write(path, (struct str){(const char *)data, size}, 0600, &err) < 0)
        abort();
    struct config_options options = {.dir = str_c(dir), .stage = STR("dev"), .lenient = size % 2};
    struct service service;
    if (service_load(a, &options, &service, &err) < 0) {
        fuzz_check(err.kind == ERR_CONFIG);
        fuzz_check_error(a, &err);
    } else {
        json_text(a, service.root, 0);
    }
    err_clear(&err);
    arena_free(a);
    return 0;
}
