/* Variables and the whole way from a service file to the model: the input is a serverless.yml. No
 * input may crash it or run away, and what is accepted must be free of variables' unresolved ends.
 * The file lies in a folder of its own, with one file beside it that `file()` finds. */
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "config/config.h"
#include "config/variables.h"

static char folder[] = "/tmp/fuzz-variables-XXXXXX";

static void remove_folder(void)
{
    struct err err = {0};
    fs_remove_all(str_c(folder), &err);
    err_clear(&err);
}

static void make_folder(void)
{
    struct err err = {0};
    fuzz_check(mkdtemp(folder) && chdir(folder) == 0);
    fuzz_check(
        fs_write(STR("part.yml"), STR("a: ${self:custom.a, 'b'}\nc: [1, two]\n"), 0600, &err) == 0);
    atexit(remove_folder);
}

/* The reader of templates alone, on the very bytes: replacements lie in the text, in order. */
static void check_template(struct arena *a, struct str text)
{
    struct template t;
    struct template_error error = {0};
    if (!template_read(a, text, &t, &error)) {
        fuzz_check(error.what && error.offset <= error.end && error.end <= text.n);
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < t.variable_count; i++) {
        fuzz_check(t.variables[i].start >= at && t.variables[i].end > t.variables[i].start);
        at = t.variables[i].end;
    }
    fuzz_check(at <= text.n);
}

static void check_service(struct arena *a, struct str text)
{
    struct err err = {0};
    struct service service;
    struct config_options options = {.path = STR("serverless.yml"), .default_stage = STR("dev")};
    fuzz_check(fs_write(options.path, text, 0600, &err) == 0);
    if (service_load(a, &options, &service, &err) < 0)
        fuzz_check_error(a, &err);
    else
        fuzz_check(service.name.n && service.stage.n && node_is(service.root, NODE_MAP));
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        make_folder();
        ready = true;
    }
    struct arena *a = arena_new();
    struct str text = {(const char *)data, size};
    check_template(a, text);
    check_service(a, text);
    arena_free(a);
    return 0;
}
