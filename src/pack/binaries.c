/* Programs and libraries for another processor than the function's. Lambda says so only when they
 * are loaded. A package may well have them for several, of which it takes the one that fits: so it
 * is certain for `bootstrap` alone. */
#include "pack/content.h"

#include <elf.h>

static const struct machine {
    const char *architecture; /* Lambda's name */
    uint16_t machine;         /* ELF's */
    const char *npm, *pip;
} machines[] = {{"x86_64", EM_X86_64, "x64", "manylinux2014_x86_64"},
                {"arm64", EM_AARCH64, "arm64", "manylinux2014_aarch64"}};
enum { MACHINE_COUNT = sizeof machines / sizeof *machines };

static const struct machine *machine_of(struct str architecture)
{
    for (size_t i = 0; i < MACHINE_COUNT; i++)
        if (str_eq(architecture, str_c(machines[i].architecture)))
            return &machines[i];
    return NULL;
}

uint64_t machine_bit(uint16_t machine)
{
    for (size_t i = 0; i < MACHINE_COUNT; i++)
        if (machines[i].machine == machine)
            return (uint64_t)1 << i;
    return 0;
}

static const struct machine *other_than(const struct machine *own, const struct file *f)
{
    for (size_t i = 0; i < MACHINE_COUNT; i++)
        if (&machines[i] != own && f->content && machines[i].machine == f->content->machine)
            return &machines[i];
    return NULL;
}

/* `architecture:` of the function or of the provider, or NULL. */
static const struct node *architecture_of(const struct service *service, const struct function *fn)
{
    const struct node *own = node_get_c(fn->node, "architecture");
    return node_empty(own) ? node_path(service->root, "provider.architecture") : own;
}

static int refuse(const struct service *service, const struct function *fn,
                  const struct machine *own, const struct file *f, struct err *err)
{
    const struct node *said = architecture_of(service, fn);
    const struct machine *other = other_than(own, f);
    struct pos pos = node_empty(said) ? fn->pos : node_pos(said);
    err_at(err, pos, ERR_CONFIG, "function '%.*s' runs on %s, but '%.*s' is for %s",
           STR_ARG(fn->key), own->architecture, STR_ARG(f->name), other->architecture);
    return err_help(err,
                    "build it for %s (npm install --os=linux --cpu=%s, pip install --platform %s), "
                    "or set 'architecture: %s'",
                    own->architecture, own->npm, own->pip, other->architecture);
}

/* Of the function; NULL: Lambda has no such processor. */
static const struct machine *own_machine(const struct service *service, const struct function *fn)
{
    const struct node *said = architecture_of(service, fn);
    return machine_of(node_empty(said) ? STR("x86_64") : node_text(said)); /* Lambda's default */
}

bool binaries_may_misfit(const struct service *service, const struct function *fn,
                         uint64_t machines_there)
{
    const struct machine *own = own_machine(service, fn);
    return own && machines_there & ~machine_bit(own->machine);
}

int binaries_check(const struct service *service, const struct function *fn,
                   const struct file_list *list, bool *ret_certain, struct err *err)
{
    const struct machine *own = own_machine(service, fn);
    struct str runtime = node_text_or(node_get_c(fn->node, "runtime"),
                                      node_text(node_path(service->root, "provider.runtime")));
    const struct file *wrong = NULL;
    bool fits = false;
    *ret_certain = false;
    for (size_t i = 0; own && i < list->count; i++) {
        const struct file *f = list->files[i];
        fits = fits || (f->content && f->content->machine == own->machine);
        if (!other_than(own, f))
            continue;
        wrong = wrong ? wrong : f;
        if (str_eq(f->name, STR("bootstrap")) && str_starts(runtime, STR("provided"))) {
            *ret_certain = true;
            return refuse(service, fn, own, f, err);
        }
    }
    return wrong && !fits ? refuse(service, fn, own, wrong, err) : 0;
}
