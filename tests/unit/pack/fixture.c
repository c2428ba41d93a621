#include "fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "doc/yaml.h"

static void must(bool done, const char *what)
{
    if (!done)
        fail_msg("cannot %s", what);
}

static struct str place(struct fixture *f, struct str path)
{
    struct err err = {0};
    struct str full = path_join(f->arena, f->dir, path);
    check_ok(fs_mkdirs(path_dir(f->arena, path_clean(f->arena, full)), &err), &err);
    return full;
}

void fixture_file(struct fixture *f, const char *path, struct str content, mode_t mode)
{
    struct err err = {0};
    struct str full = place(f, str_c(path));
    check_ok(fs_write(full, content, mode, &err), &err);
}

/* One line of a tree: "path", "path 0755", "path = content" or "path -> target". */
static void lay_out(struct fixture *f, struct str line)
{
    ptrdiff_t at;
    if ((at = str_find(line, STR(" -> "), 0)) > 0) {
        struct str full = place(f, str_sub(line, 0, (size_t)at));
        must(symlink(str_z(f->arena, str_sub(line, (size_t)at + 4, line.n)), full.p) == 0, "link");
        return;
    }
    struct str path = line, content;
    unsigned mode = 0644;
    if ((at = str_find(line, STR(" = "), 0)) > 0) {
        path = str_sub(line, 0, (size_t)at);
        content = str_sub(line, (size_t)at + 3, line.n);
    } else {
        if ((at = str_rfind_char(line, ' ')) > 0 && line.p[at + 1] == '0') {
            path = str_sub(line, 0, (size_t)at);
            mode = (unsigned)strtoul(line.p + at + 1, NULL, 8);
        }
        content = str_concat(f->arena, path, STR("\n"));
    }
    fixture_file(f, str_z(f->arena, path), content, mode);
}

static void load(struct fixture *f, struct str yaml)
{
    struct err err = {0};
    f->source = (struct source){STR("serverless.yml"), yaml};
    const struct node *root = yaml_read(f->arena, &f->source, &err);
    check_ok(root ? 0 : -1, &err);
    const struct node *functions = node_get_c(root, "functions");
    f->service = (struct service){.name = node_text(node_get_c(root, "service")),
                                  .dir = f->dir,
                                  .file = STR("serverless.yml"),
                                  .root = root};
    f->service.functions = ARENA_ARRAY(f->arena, node_count(functions) + 1, struct function);
    member_each (m, functions)
        f->service.functions[f->service.function_count++] =
            (struct function){.key = m->key, .name = m->key, .node = m->value, .pos = m->key_pos};
}

static void keep_warning(void *context, struct pos pos, struct str msg, struct str help)
{
    struct fixture *f = context;
    (void)pos, (void)help;
    f->warning = str_dup(f->arena, msg);
}

void fixture_make(struct fixture *f, struct str tree, struct str yaml)
{
    char name[] = "/tmp/troupe-pack-XXXXXX";
    *f = (struct fixture){.arena = arena_new()};
    must(mkdtemp(name) != NULL, "make a scratch folder");
    f->top = str_dup(f->arena, str_c(name));
    f->dir = str_concat(f->arena, f->top, STR("/parent/service"));
    must(setenv("XDG_CACHE_HOME", str_concat(f->arena, f->top, STR("/cache")).p, 1) == 0, "setenv");
    f->options = (struct pack_options){.warn = keep_warning, .warn_context = f};
    struct str line;
    while (str_cut(&tree, '\n', &line))
        if (line.n && line.p[0] != '#')
            lay_out(f, line);
    fixture_file(f, "serverless.yml", yaml, 0644);
    load(f, yaml);
}

void fixture_remove(struct fixture *f)
{
    struct err err = {0};
    check_ok(fs_remove_all(f->top, &err), &err);
    arena_free(f->arena);
}

struct str fixture_bytes(struct fixture *f, const struct artifact *artifact)
{
    struct err err = {0};
    struct str mapped;
    check_ok(artifact_map(artifact, &mapped, &err), &err);
    struct str bytes = str_dup(f->arena, mapped);
    artifact_unmap(&mapped);
    return bytes;
}

int fixture_pack(struct fixture *f, struct packed *ret, struct err *err)
{
    return pack_service(f->arena, &f->service, &f->options, ret, err);
}
