/* Looking at a stack that is to be taken over: every case of tests/golden/release/adopt.
 *
 * A case has the stack ("stack": its template, "tags"), what the service has by now ("service"),
 * what the file makes of it ("layout"), others' stacks and custom domains, and what comes out. */
#include "fixture.h"

#include "base/fs.h"
#include "records.h"
#include "release/adopt/adopt.h"

static struct str tests_dir;

struct looking {
    struct fixture *f;
    const struct node *c;
    struct service service;
    struct layout layout;
    struct layout_function function;
    struct str patterns[4];
    struct target ready, target;
    struct world world;
    struct release release;
};

/* As the small AWS keeps it. */
static const struct node *kept(const struct node *n)
{
    return n ? node_deep(cloud->arena, n) : NULL;
}

static void add_stack(const char *name, const struct node *tags, const struct node *template)
{
    struct fake_stack *s = fake_stack_add(cloud, name, "", "", "UPDATE_COMPLETE",
                                          json_text(cloud->arena, template, 0).p);
    s->tags = kept(tags);
}

static void add_world(struct looking *x)
{
    struct fixture *f = x->f;
    struct world *w = &x->world;
    const struct node *stack = node_get_c(x->c, "stack"), *service = node_get_c(x->c, "service");
    struct node *body = node_map(f->arena);
    if (node_get_c(x->c, "needs"))
        node_put_c(f->arena, body, "needs", node_get_c(x->c, "needs"));
    *w = (struct world){.stage_name = STR("shop-dev"), .service_name = STR("shop")};
    w->record.body = body_of(f->arena, json_text(f->arena, body, 0).p);
    w->stage_template = stack;
    w->service_template = service;
    cloud->domains = kept(node_get_c(x->c, "domains"));
    if (service)
        add_stack("shop", NULL, service);
    member_each (m, node_get_c(x->c, "others"))
        add_stack(str_z(cloud->arena, m->key), node_get_c(m->value, "tags"),
                  node_get_c(m->value, "template"));
    if (!stack)
        return;
    add_stack("shop-dev", node_get_c(x->c, "tags"), stack);
    w->stage_exists = true;
    check_ok(cloudformation_describe(f->arena, f->aws, STR("shop-dev"), &w->stage, &f->err),
             &f->err);
}

static void add_service(struct looking *x)
{
    const struct node *layout = node_get_c(x->c, "layout");
    size_t n = 0;
    x->service = (struct service){
        .name = STR("shop"), .stage = STR("dev"), .address = STR("dev"), .root = x->c};
    node_each (pattern, node_get_c(x->c, "moves"))
        x->patterns[n++] = pattern->text;
    x->service.settings.service_resources = x->patterns;
    x->service.settings.service_resource_count = n;
    x->function = (struct layout_function){.key = STR("api"),
                                           .name = STR("shop-api"),
                                           .logical_id = STR("ApiLambdaFunction"),
                                           .definition = node_get_c(layout, "function")};
    x->layout = (struct layout){.functions = &x->function,
                                .function_count = 1,
                                .stage_template = node_get_c(layout, "stage"),
                                .service_template = node_get_c(layout, "service")};
    x->ready = (struct target){.layout = &x->layout};
    x->release = (struct release){.arena = x->f->arena, .aws = x->f->aws, .service = &x->service};
}

/* What is known then, in a form that is easily read. */
static struct str outcome(struct looking *x)
{
    struct arena *a = x->f->arena;
    const struct adoption *adoption = x->target.adoption;
    struct node *out = node_map(a), *items = node_seq(a);
    node_put_str(a, out, "by", adoption->by);
    for (size_t i = 0; i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        node_push(a, items,
                  node_strf(a, "%.*s %s%s%.*s", STR_ARG(item->id), adopt_fate_words[item->fate],
                            item->reason.n ? ": " : "", STR_ARG(item->reason)));
    }
    node_put_c(a, out, "items", items);
    if (adoption->refused)
        node_put_c(a, out, "refused", node_int(a, (int64_t)adoption->refused));
    if (node_count(adoption->taken))
        node_put_c(a, out, "taken", adoption->taken);
    if (!adoption->original)
        node_put_c(a, out, "original", node_null(a));
    for (size_t i = 0; i < x->target.note_count; i++)
        node_put_str(a, out, "note", x->target.notes[i]);
    return json_text(a, out, 2);
}

static void check_case(struct fixture *f, const char *file)
{
    struct looking x = {.f = f, .c = data_json(f->arena, file)};
    const struct node *want = node_get_c(x.c, "expect"), *fails = node_get_c(want, "error");
    struct str denied = node_text(node_get_c(x.c, "denied"));
    add_service(&x);
    add_world(&x);
    if (denied.n)
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, str_z(f->arena, denied), NULL, 403,
                                              "AccessDeniedException", "no"});
    struct goal goal = goal_adopt(&x.ready);
    int done = goal.find(&goal, &x.release, &x.world, &x.target, &f->err);
    if (fails) {
        assert_int_equal(done, -1);
        check_has(f->err.msg, str_z(f->arena, node_text(fails)));
        err_clear(&f->err);
        return;
    }
    check_ok(done, &f->err);
    assert_int_equal(fake_calls(cloud, "UpdateStack"), 0);
    check_str(outcome(&x), json_text(f->arena, want, 2).p);
}

static void test_cases(void **state)
{
    struct fixture *f = *state;
    struct str *files;
    size_t n;
    check_ok(fs_list(f->arena, str_fmt(f->arena, "%.*s/golden/release/adopt", STR_ARG(tests_dir)),
                     &files, &n, &f->err),
             &f->err);
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        print_message("%.*s\n", STR_ARG(files[i]));
        fake_aws_reset(cloud);
        check_case(f, str_fmt(f->arena, "adopt/%.*s", STR_ARG(files[i])).p);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {FIXTURE_TEST(test_cases)};
    (void)argc;
    tests_dir = str_c(argv[1]);
    return FIXTURE_RUN("adopt_goal", tests, argv);
}
