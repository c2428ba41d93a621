/* Splitting and joining: services as they are laid out, and generated templates. */
#include "check.h"

#include "doc/json.h"
#include "layout/layout_internal.h"
#include "layout/split/split.h"

static const struct split_limits small = {.alone = 20,
                                          .fill = 16,
                                          .most = 28,
                                          .fill_bytes = 5000,
                                          .most_bytes = 9000,
                                          .names = 12,
                                          .most_names = 24};

struct placed {
    const struct node *flat;
    struct split split;
    struct map where; /* where every resource is */
};

/* ---- what every split must be ---- */

static const struct node *template_of(const struct split *s, size_t i)
{
    return i ? s->nested[i - 1].template : s->root;
}

struct reading {
    const struct node *template;
    struct map seen;
};

static void check_known(void *context, const struct cfn_value *v)
{
    struct reading *r = context;
    struct str id = v->id;
    if (str_starts(id, STR("AWS::")))
        return;
    if (!node_member(node_get_c(r->template, "Resources"), id) &&
        !node_member(node_get_c(r->template, "Parameters"), id))
        fail_msg("'%.*s' is not known where it is used", STR_ARG(id));
    map_put(&r->seen, id, r);
}

static void visit_stack(struct arena *a, const struct node *template, struct str id,
                        struct map *state)
{
    static int open, done;
    struct reading r = {template, MAP(a)};
    const struct node *resource = node_get(node_get_c(template, "Resources"), id);
    if (!resource || map_get(state, id) == &done)
        return;
    if (map_get(state, id) == &open)
        fail_msg("'%.*s' needs itself", STR_ARG(id));
    map_put(state, id, &open);
    cfn_each_value(resource, check_known, &r);
    size_t n;
    const struct node *const *depends = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++)
        check_known(&r, &(struct cfn_value){.id = node_text(depends[i])});
    for (size_t i = 0; i < r.seen.n; i++)
        visit_stack(a, template, r.seen.entries[i].key, state);
    map_put(state, id, &done);
}

/* Check that each template has everything that it uses, and that nothing in it goes round in a
 * circle. */
static void check_sound(struct arena *a, const struct node *template)
{
    struct map state = MAP(a);
    struct reading r = {template, MAP(a)};
    member_each (m, node_get_c(template, "Resources")) {
        const struct node *condition = node_get_c(m->value, "Condition");
        if (condition)
            assert_non_null(node_get(node_get_c(template, "Conditions"), node_text(condition)));
        visit_stack(a, template, m->key, &state);
    }
    cfn_each_value(node_get_c(template, "Outputs"), check_known, &r);
    cfn_each_value(node_get_c(template, "Conditions"), check_known, &r);
}

static void check_limits(struct arena *a, const struct split *s, const struct split_limits *l)
{
    for (size_t i = 0; i <= s->nested_count; i++) {
        const struct node *t = template_of(s, i);
        assert_true(node_count(node_get_c(t, "Resources")) <= l->most + (i ? 0 : s->nested_count));
        assert_true(json_text(a, node_get_c(t, "Resources"), 0).n <= l->most_bytes * 2);
        if (i) {
            assert_true(node_count(node_get_c(t, "Resources")) > 0);
            assert_true(node_count(node_get_c(t, "Parameters")) <= l->most_names);
            assert_true(node_count(node_get_c(t, "Outputs")) <= l->most_names);
        }
    }
}

static void check_arguments(const struct split *s)
{
    for (size_t i = 0; i < s->nested_count; i++) {
        const struct node *stack = node_get(node_get_c(s->root, "Resources"), s->nested[i].id);
        const struct node *given = node_path(stack, "Properties.Parameters");
        const struct node *wanted = node_get_c(s->nested[i].template, "Parameters");
        assert_int_equal(node_count(given), node_count(wanted));
        member_each (m, wanted)
            assert_non_null(node_get(given, m->key));
    }
}

static void check_joined(struct arena *a, struct placed *p)
{
    struct err err = {0};
    struct map nested = MAP(a);
    const struct node *joined;
    p->where = MAP(a);
    for (size_t i = 0; i < p->split.nested_count; i++)
        map_put(&nested, p->split.nested[i].id, p->split.nested[i].template);
    check_ok(layout_join(a, p->split.root, &nested, &joined, &p->where, &err), &err);
    if (!node_equal(joined, p->flat)) {
        struct node_change *changes;
        size_t n;
        node_diff(a, p->flat, joined, &changes, &n);
        for (size_t i = 0; i < n; i++)
            print_error("%s: %s, now %s\n", str_z(a, changes[i].path),
                        changes[i].before ? str_z(a, json_text(a, changes[i].before, 0)) : "-",
                        changes[i].after ? str_z(a, json_text(a, changes[i].after, 0)) : "-");
        fail();
    }
    assert_int_equal(p->where.n, node_count(node_get_c(p->flat, "Resources")) +
                                     node_count(node_get_c(p->flat, "Outputs")));
}

static char last_refusal; /* why: 'c': a circle, 'n': names or room */

/* Split again. False: refused, because a circle cannot be avoided. */
static bool split(struct arena *a, const struct node *flat, const struct placed *before,
                  const struct split_limits *limits, struct placed *ret)
{
    struct err err = {0};
    *ret = (struct placed){.flat = flat};
    if (layout_split(a, flat, before ? &before->where : NULL, limits, &ret->split, &err) < 0) {
        assert_int_equal(err.kind, ERR_FAILED);
        last_refusal = str_find(err.msg, STR("circle"), 0) >= 0 ? 'c' : 'n';
        err_clear(&err);
        return false;
    }
    for (size_t i = 0; i <= ret->split.nested_count; i++)
        check_sound(a, template_of(&ret->split, i));
    check_arguments(&ret->split);
    check_limits(a, &ret->split, limits);
    check_joined(a, ret);
    for (size_t i = 0; before && i < before->where.n; i++) {
        const struct map_entry *e = &before->where.entries[i];
        const char *now = map_get(&ret->where, e->key);
        bool output = str_find_char(e->key, '/', 0) >= 0;
        if (now && !output && !str_eq(str_c(now), str_c(e->value)))
            fail_msg("'%.*s' moved from '%s' to '%s'", STR_ARG(e->key), (const char *)e->value,
                     now);
    }
    return true;
}

static const char *place(const struct placed *p, const char *id)
{
    const char *found = map_get(&p->where, str_c(id));
    return found ? found : "nowhere";
}

/* ---- a service ---- */

static struct node *fn(struct arena *a, const char *text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("test"), str_c(text), &err);
    check_ok(n ? 0 : -1, &err);
    return node_shallow(a, n);
}

/* The stage template of functions with REST events: aliases, permissions, a stage after them all.
 */
static const struct node *rest_stage(struct arena *a, size_t from, size_t to)
{
    struct node *t = node_map(a), *resources = node_map(a), *depends = node_seq(a);
    for (size_t i = from; i < to; i++) {
        struct str alias = str_fmt(a, "F%zuLambdaAlias", i);
        struct str permission = str_fmt(a, "F%zuLambdaPermissionApiGateway", i);
        node_put(a, resources, alias,
                 fn(a, str_z(a, str_fmt(a,
                                        "{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"Name\":"
                                        "\"dev\",\"FunctionName\":\"f%zu\"}}",
                                        i))));
        node_put(a, resources, permission,
                 fn(a, str_z(a, str_fmt(a,
                                        "{\"Type\":\"AWS::Lambda::Permission\",\"Properties\":{"
                                        "\"FunctionName\":{\"Ref\":\"F%zuLambdaAlias\"},"
                                        "\"SourceArn\":{\"Fn::Sub\":\"arn:${AWS::Region}:"
                                        "${ApiGatewayRestApi}/x\"}}}",
                                        i))));
        node_push(a, depends, node_str(a, permission));
    }
    struct node *stage = fn(a, "{\"Type\":\"AWS::ApiGateway::Stage\",\"Properties\":{\"RestApiId\":"
                               "{\"Ref\":\"ApiGatewayRestApi\"}}}");
    node_put_c(a, stage, "DependsOn", depends);
    node_put_c(a, resources, "ApiGatewayStage", stage);
    node_put_c(a, resources, "Jobs", fn(a, "{\"Type\":\"AWS::SQS::Queue\"}"));
    node_put_str(a, t, "AWSTemplateFormatVersion", STR("2010-09-09"));
    node_put_str(a, t, "Description", STR("shop, stage dev"));
    node_put_c(a, t, "Parameters", fn(a, "{\"ApiGatewayRestApi\":{\"Type\":\"String\"}}"));
    node_put_c(a, t, "Resources", resources);
    node_put_c(a, t, "Outputs", fn(a, "{\"Url\":{\"Value\":{\"Ref\":\"ApiGatewayStage\"}}}"));
    return t;
}

static void test_small_templates_stay_as_they_are(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p;
    assert_true(split(a, rest_stage(a, 0, 199), NULL, &split_limits, &p));
    assert_int_equal(p.split.nested_count, 0);
    assert_ptr_equal(p.split.root, p.flat);
}

static void test_a_function_stays_whole(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p, grown;
    assert_true(split(a, rest_stage(a, 0, 1000), NULL, &split_limits, &p));
    assert_int_equal(p.split.nested_count, 6);
    assert_string_equal(place(&p, "ApiGatewayStage"), "");
    assert_string_equal(place(&p, "Jobs"), "");
    for (size_t i = 0; i < 1000; i++)
        assert_string_equal(place(&p, str_z(a, str_fmt(a, "F%zuLambdaAlias", i))),
                            place(&p, str_z(a, str_fmt(a, "F%zuLambdaPermissionApiGateway", i))));
    const struct node *depends = node_path(p.split.root, "Resources.ApiGatewayStage.DependsOn");
    assert_int_equal(node_count(depends), 6);
    assert_true(split(a, rest_stage(a, 10, 1100), &p, &split_limits, &grown));
}

/* Every function has an Output: too many for one stack. */
static const struct node *told_stage(struct arena *a, size_t to)
{
    struct node *t = node_shallow(a, rest_stage(a, 0, to));
    struct node *outputs = node_shallow(a, node_get_c(t, "Outputs"));
    for (size_t i = 0; i < to; i++)
        node_put(a, outputs, str_fmt(a, "F%zuLambdaAlias", i),
                 fn(a, str_z(a, str_fmt(a,
                                        "{\"Value\":{\"Ref\":\"F%zuLambdaAlias\"},\"Export\":{"
                                        "\"Name\":{\"Fn::Sub\":\"${AWS::StackName}-%zu\"}}}",
                                        i, i))));
    node_put_c(a, t, "Outputs", outputs);
    return t;
}

static void test_outputs_go_with_what_they_tell(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p, grown, alone;
    assert_true(split(a, told_stage(a, 500), NULL, &split_limits, &p));
    assert_int_equal(node_count(node_get_c(p.split.root, "Outputs")), 1);
    assert_string_equal(place(&p, "Outputs/F0LambdaAlias"), "TroupePart1");
    assert_true(split(a, told_stage(a, 700), &p, &split_limits, &grown));
    for (size_t i = 0; i < 500; i++) { /* an exported Output cannot move */
        const char *id = str_z(a, str_fmt(a, "Outputs/F%zuLambdaAlias", i));
        assert_string_equal(place(&grown, id), place(&p, id));
    }
    assert_true(split(a, told_stage(a, 170), NULL, &split_limits, &alone));
    assert_int_equal(alone.split.nested_count, 0);
    assert_true(split(a, told_stage(a, 260), &alone, &split_limits, &grown));
    assert_string_equal(place(&grown, "Outputs/F0LambdaAlias"), "");
    assert_string_equal(place(&grown, "Outputs/F259LambdaAlias"), "TroupePart1");
}

static void test_empty_nested_stacks_go(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p, less, few;
    assert_true(split(a, rest_stage(a, 0, 400), NULL, &split_limits, &p));
    assert_int_equal(p.split.nested_count, 3);
    assert_true(split(a, rest_stage(a, 180, 400), &p, &split_limits, &less));
    assert_int_equal(less.split.nested_count, 2);
    assert_string_equal(place(&less, "F399LambdaAlias"), "TroupePart3");
    assert_true(split(a, rest_stage(a, 390, 400), &less, &split_limits, &few));
    assert_int_equal(few.split.nested_count, 1); /* an Output that exists does not move back */
}

static void test_an_old_stack_grows_nested_ones(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p, grown;
    assert_true(split(a, rest_stage(a, 0, 199), NULL, &split_limits, &p));
    assert_true(split(a, rest_stage(a, 0, 260), &p, &split_limits, &grown));
    assert_int_equal(grown.split.nested_count, 1);
    assert_string_equal(place(&grown, "F0LambdaAlias"), "");
    assert_string_equal(place(&grown, "F259LambdaAlias"), "TroupePart1");
}

/* ---- steps ---- */

static void check_step(struct arena *a, const struct node *before, const struct node *step,
                       size_t most)
{
    const struct node *was = node_get_c(before, "Resources"), *is = node_get_c(step, "Resources");
    size_t grown = node_count(is) - node_count(was);
    assert_true(grown > 0 && grown <= most);
    member_each (m, was)
        assert_ptr_equal(node_get(is, m->key), m->value);
    check_sound(a, step);
}

static void test_large_changes_go_in_steps(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    const struct node *target = rest_stage(a, 0, 1000), *now = NULL, *step;
    size_t steps = 0;
    struct placed p = {0}, next;
    while ((step = layout_grow(a, now, target, 800))) {
        check_step(a, now, step, 800);
        assert_true(split(a, step, now ? &p : NULL, &split_limits, &next)); /* nothing moves */
        p = next;
        now = step;
        steps++;
    }
    assert_int_equal(steps, 2);
    /* the stage is last: it needs everything else */
    assert_null(node_path(now, "Resources.ApiGatewayStage"));
    assert_true(split(a, target, &p, &split_limits, &next));
    assert_null(layout_grow(a, target, rest_stage(a, 100, 400), 800 * 3));
    for (now = target, steps = 0; (step = layout_shrink(a, now, 800)); now = step, steps++) {
        assert_int_equal(node_count(node_get_c(step, "Resources")),
                         node_count(node_get_c(now, "Resources")) - 800);
        assert_null(node_path(step, "Resources.ApiGatewayStage"));
        assert_null(node_path(step, "Outputs.Url"));
        check_sound(a, step);
    }
    assert_int_equal(steps, 2);
}

/* ---- crossings ---- */

static const char *const crossings[][2] = {
    {"{\"Ref\":\"Jobs\"}", "{\"Ref\":\"Jobs\"}"},
    {"{\"Fn::GetAtt\":[\"Jobs\",\"Arn\"]}", "{\"Ref\":\"JobsArn\"}"},
    {"{\"Fn::Sub\":\"x${Jobs.Arn}${!Jobs}${AWS::Region}\"}",
     "{\"Fn::Sub\":\"x${JobsArn}${!Jobs}${AWS::Region}\"}"},
    {"{\"Fn::Sub\":[\"${Jobs}${y}\",{\"y\":{\"Ref\":\"Jobs\"}}]}",
     "{\"Fn::Sub\":[\"${Jobs}${y}\",{\"y\":{\"Ref\":\"Jobs\"}}]}"},
    {"{\"Ref\":\"AWS::StackName\"}", "{\"Ref\":\"TroupeAWSStackName\"}"},
    {"{\"Fn::Sub\":\"${AWS::StackName}\"}", "{\"Fn::Sub\":\"${TroupeAWSStackName}\"}"},
    {"{\"Ref\":\"ApiGatewayRestApi\"}", "{\"Ref\":\"ApiGatewayRestApi\"}"},
    {"{\"Ref\":\"AWS::Region\"}", "{\"Ref\":\"AWS::Region\"}"},
};

static void test_values_come_in_as_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crossings / sizeof *crossings; i++) {
        cleanup_arena struct arena *a = arena_new();
        struct placed p;
        struct node *t = node_shallow(a, rest_stage(a, 0, 300));
        struct node *resources = node_shallow(a, node_get_c(t, "Resources"));
        struct str text = str_fmt(a,
                                  "{\"Type\":\"AWS::Lambda::Url\",\"Properties\":{\"A\":{\"Ref\":"
                                  "\"F0LambdaAlias\"},\"B\":%s}}",
                                  crossings[i][0]);
        node_put_c(a, resources, "Extra", fn(a, text.p));
        node_put_c(a, t, "Resources", resources);
        assert_true(split(a, t, NULL, &split_limits, &p));
        assert_string_equal(place(&p, "Extra"), "TroupePart1");
        const struct node *b =
            node_path(p.split.nested[0].template, "Resources.Extra.Properties.B");
        check_str(json_text(a, b, 0), crossings[i][1]);
    }
}

static void test_conditions_and_lists_go_along(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p;
    struct node *t = node_shallow(a, rest_stage(a, 0, 300));
    struct node *resources = node_shallow(a, node_get_c(t, "Resources"));
    node_put_c(a, t, "Conditions",
               fn(a,
                  "{\"Big\":{\"Fn::Equals\":[{\"Ref\":\"Size\"},\"big\"]},\"Small\":{\"Fn::Not\":"
                  "[{\"Condition\":\"Big\"}]},\"Unused\":{\"Fn::Equals\":[1,2]}}"));
    node_put_c(a, t, "Mappings", fn(a, "{\"M\":{\"a\":{\"b\":\"c\"}}}"));
    node_put_c(a, t, "Parameters",
               fn(a, "{\"ApiGatewayRestApi\":{\"Type\":\"String\"},\"Size\":{\"Type\":\"String\"},"
                     "\"Nets\":{\"Type\":\"List<AWS::EC2::Subnet::Id>\"}}"));
    node_put_c(a, resources, "Jobs", fn(a, "{\"Type\":\"AWS::SQS::Queue\",\"Condition\":\"Big\"}"));
    node_put_c(
        a, resources, "Extra",
        fn(a, "{\"Type\":\"AWS::Lambda::Url\",\"Condition\":\"Small\",\"Properties\":{"
              "\"A\":{\"Ref\":\"F0LambdaAlias\"},\"B\":{\"Fn::If\":[\"Big\",{\"Ref\":"
              "\"Jobs\"},{\"Fn::FindInMap\":[\"M\",\"a\",\"b\"]}]},\"C\":{\"Ref\":\"Nets\"}}}"));
    node_put_c(a, t, "Resources", resources);
    assert_true(split(a, t, NULL, &split_limits, &p));
    const struct node *inner = p.split.nested[0].template;
    assert_string_equal(place(&p, "Extra"), "TroupePart1");
    assert_non_null(node_path(inner, "Conditions.Big"));
    assert_non_null(node_path(inner, "Conditions.Small"));
    assert_null(node_path(inner, "Conditions.Unused"));
    assert_non_null(node_path(inner, "Mappings.M"));
    check_str(node_text(node_path(inner, "Parameters.Nets.Type")), "CommaDelimitedList");
    const struct node *given =
        node_path(p.split.root, "Resources.TroupePart1.Properties.Parameters");
    check_str(json_text(a, node_get_c(given, "Nets"), 0),
              "{\"Fn::Join\":[\",\",{\"Ref\":\"Nets\"}]}");
    check_str(json_text(a, node_get_c(given, "Jobs"), 0),
              "{\"Fn::If\":[\"Big\",{\"Ref\":\"Jobs\"},\"\"]}");
}

/* ---- a new resource between others ---- */

static void test_between_goes_into_the_nested_stack(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p, next;
    assert_true(split(a, rest_stage(a, 0, 300), NULL, &split_limits, &p));
    struct node *t = node_shallow(a, rest_stage(a, 0, 300));
    struct node *resources = node_shallow(a, node_get_c(t, "Resources"));
    node_put_c(a, resources, "Between",
               fn(a, "{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"A\":{\"Ref\":"
                     "\"F0LambdaAlias\"}}}"));
    node_put_c(a, resources, "F1LambdaAlias",
               fn(a, "{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"A\":{\"Ref\":"
                     "\"Between\"}}}"));
    node_put_c(a, t, "Resources", resources);
    assert_true(split(a, t, &p, &split_limits, &next));
    assert_string_equal(place(&next, "Between"), "TroupePart1");
}

static void test_an_unavoidable_circle_is_named(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct placed p;
    struct split ret;
    struct err err = {0};
    assert_true(split(a, rest_stage(a, 0, 300), NULL, &split_limits, &p));
    struct node *t = node_shallow(a, rest_stage(a, 0, 300));
    struct node *resources = node_shallow(a, node_get_c(t, "Resources"));
    node_put_c(a, resources, "Jobs",
               fn(a, "{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"A\":{\"Ref\":"
                     "\"F0LambdaAlias\"}}}"));
    node_put_c(a, resources, "F1LambdaAlias",
               fn(a, "{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"A\":{\"Ref\":"
                     "\"Jobs\"}}}"));
    node_put_c(a, t, "Resources", resources);
    assert_int_equal(layout_split(a, t, &p.where, &split_limits, &ret, &err), -1);
    assert_true(str_find(err.msg, STR("'Jobs'"), 0) >= 0);
    assert_true(str_find(err.msg, STR("'TroupePart1'"), 0) >= 0);
    err_clear(&err);
}

/* ---- generated templates ---- */

static uint64_t random_state;

static size_t pick(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % n);
}

static struct str random_reference(struct arena *a, size_t to)
{
    static const char *const forms[] = {
        "{\"Ref\":\"R%zu\"}",
        "{\"Fn::GetAtt\":[\"R%zu\",\"Arn\"]}",
        "{\"Fn::GetAtt\":\"R%zu.Arn\"}",
        "{\"Fn::GetAtt\":[\"R%zu\",\"Deep.Name\"]}",
        "{\"Fn::Sub\":\"a${R%zu}b${R%zu.Arn}${AWS::StackName}\"}",
        "{\"Fn::Sub\":[\"${x}${R%zu.Name}\",{\"x\":{\"Ref\":\"R%zu\"}}]}",
        "{\"Fn::If\":[\"C0\",{\"Ref\":\"R%zu\"},{\"Ref\":\"P1\"}]}",
        "{\"Fn::Join\":[\",\",{\"Ref\":\"P2\"}]}",
        "{\"Fn::FindInMap\":[\"M\",\"a\",\"R%zu\"]}"};
    const char *form = forms[pick(sizeof forms / sizeof *forms)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    return str_fmt(a, form, to, to);
#pragma GCC diagnostic pop
}

static const struct node *random_resource(struct arena *a, const size_t *ids, size_t before)
{
    static const char *const types[] = {"AWS::Lambda::Alias", "AWS::Lambda::Permission",
                                        "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::IAM::Role"};
    struct node *r = node_map(a), *properties = node_map(a), *depends = node_seq(a);
    size_t near = before > 4 ? before - 4 : 0;
    for (size_t k = pick(4); before && k-- > 0;) {
        size_t to = pick(3) ? near + pick(before - near) : pick(before);
        node_put(a, properties, str_fmt(a, "X%zu", k), fn(a, random_reference(a, ids[to]).p));
    }
    for (size_t k = pick(6) ? 0 : pick(12); before && k-- > 0;)
        node_push(a, depends, node_strf(a, "R%zu", ids[pick(before)]));
    node_put_str(a, r, "Type", str_c(types[pick(5)]));
    if (!pick(8))
        node_put_str(a, r, "Condition", STR("C1"));
    if (!pick(9))
        node_put_str(a, r, "DeletionPolicy", STR("Retain"));
    if (depends->count == 1 && pick(2))
        node_put_c(a, r, "DependsOn", depends->items[0]);
    else if (depends->count)
        node_put_c(a, r, "DependsOn", depends);
    node_put_c(a, r, "Properties", properties);
    return r;
}

/* Put resources `ids` in an order without circles. Those that `old` has mostly stay as they are. */
static const struct node *random_template(struct arena *a, const size_t *ids, size_t n,
                                          const struct node *old, bool rewire)
{
    struct node *t = fn(a, "{\"Description\":\"d\",\"Mappings\":{\"M\":{\"a\":{\"R1\":\"x\"}}},"
                           "\"Parameters\":{\"P1\":{\"Type\":\"Number\"},\"P2\":{\"Type\":"
                           "\"CommaDelimitedList\"}},\"Conditions\":{\"C0\":{\"Fn::Equals\":[{"
                           "\"Ref\":\"P1\"},1]},\"C1\":{\"Fn::Not\":[{\"Condition\":\"C0\"}]}}}");
    struct node *resources = node_map(a), *outputs = node_map(a);
    for (size_t i = 0; i < n; i++) {
        struct str id = str_fmt(a, "R%zu", ids[i]);
        const struct node *was = node_get(node_get_c(old, "Resources"), id);
        node_put(a, resources, id,
                 was && !(rewire && !pick(20)) ? was : random_resource(a, ids, i));
    }
    for (size_t i = 0; i < 14; i++)
        node_put(a, outputs, str_fmt(a, "O%zu", i),
                 node_fn(a, "Value", fn(a, random_reference(a, ids[pick(n)]).p)));
    node_put_c(a, t, "Resources", resources);
    node_put_c(a, t, "Outputs", outputs);
    return t;
}

/* Remove references to what is gone. */
static const struct node *without_dangling(struct arena *a, const struct node *t)
{
    struct node *out = node_shallow(a, t), *resources = node_map(a);
    member_each (m, node_get_c(t, "Resources")) {
        struct node *r = node_shallow(a, m->value), *properties = node_map(a);
        struct node *depends = node_seq(a);
        const struct node *was = node_get_c(r, "DependsOn");
        member_each (p, node_get_c(r, "Properties")) {
            struct str text = json_text(a, p->value, 0);
            bool dangling = false;
            for (ptrdiff_t at = -1; (at = str_find(text, STR("R"), (size_t)(at + 1))) >= 0;) {
                size_t end = (size_t)at + 1;
                while (end < text.n && text.p[end] >= '0' && text.p[end] <= '9')
                    end++;
                struct str id = str_sub(text, (size_t)at, end - (size_t)at);
                dangling |= id.n > 1 && !node_member(node_get_c(t, "Resources"), id);
            }
            if (!dangling)
                node_put(a, properties, p->key, p->value);
        }
        if (node_is(was, NODE_STRING))
            node_push(a, depends, was);
        node_each (item, was)
            node_push(a, depends, item);
        struct node *kept = node_seq(a);
        node_each (item, depends)
            if (node_member(node_get_c(t, "Resources"), node_text(item)))
                node_push(a, kept, item);
        node_drop(r, STR("DependsOn"));
        if (kept->count)
            node_put_c(a, r, "DependsOn", kept);
        node_put_c(a, r, "Properties", properties);
        node_put(a, resources, m->key, r);
    }
    node_put_c(a, out, "Resources", resources);
    return out;
}

enum { MOST = 160 };

/* Some resources go, some come anywhere in the order. */
static size_t change_ids(size_t *ids, size_t n, size_t *next)
{
    size_t out[MOST * 2], k = 0;
    for (size_t i = 0; i < n; i++) {
        if (k < MOST && !pick(8))
            out[k++] = (*next)++;
        if (pick(12))
            out[k++] = ids[i];
    }
    while (k < MOST && pick(6))
        out[k++] = (*next)++;
    k = k < MOST ? k : MOST;
    for (size_t i = 0; i < k; i++)
        ids[i] = out[i];
    return k;
}

static void test_generated_templates(void **state)
{
    (void)state;
    size_t circles = 0, done = 0, refused = 0, refused_only_added = 0, nested = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        cleanup_arena struct arena *a = arena_new();
        size_t ids[MOST * 2], n = 10 + seed % 60, next = 1000;
        struct placed before = {0}, now;
        random_state = seed * 0x9E3779B97F4A7C15u;
        for (size_t i = 0; i < n; i++)
            ids[i] = i;
        bool there = false;
        for (size_t step = 0; step < 8; step++) {
            bool rewire = !pick(4);
            const struct node *flat =
                without_dangling(a, random_template(a, ids, n, there ? before.flat : NULL, rewire));
            bool good = split(a, flat, there ? &before : NULL, &small, &now);
            assert_true(good || there); /* a first deployment is never refused */
            done += good;
            refused += !good;
            circles += !good && last_refusal == 'c';
            refused_only_added += !good && !rewire && last_refusal == 'c';
            if (good) {
                before = now;
                there = true;
                nested += now.split.nested_count;
            }
            n = change_ids(ids, n, &next);
            n = n > 90 ? 90 : n;
        }
    }
    print_message("%zu splits with %zu parts, %zu refused, %zu for circles\n", done, nested,
                  refused, circles);
    assert_true(nested > done);
    assert_true(done > refused * 4);
    assert_int_equal(refused_only_added, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_templates_stay_as_they_are),
        cmocka_unit_test(test_a_function_stays_whole),
        cmocka_unit_test(test_outputs_go_with_what_they_tell),
        cmocka_unit_test(test_empty_nested_stacks_go),
        cmocka_unit_test(test_an_old_stack_grows_nested_ones),
        cmocka_unit_test(test_large_changes_go_in_steps),
        cmocka_unit_test(test_values_come_in_as_parameters),
        cmocka_unit_test(test_conditions_and_lists_go_along),
        cmocka_unit_test(test_between_goes_into_the_nested_stack),
        cmocka_unit_test(test_an_unavoidable_circle_is_named),
        cmocka_unit_test(test_generated_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
