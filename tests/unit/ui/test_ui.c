/* What people see, byte by byte: progress with a clock that stands still, tables, plans. */
#include "check.h"

#include "doc/json.h"
#include "ui/plan_text.h"
#include "ui/progress.h"
#include "ui/table.h"

static int64_t now;

static int64_t fake_clock(void)
{
    return now;
}

struct screen {
    char *text;
    size_t size;
    FILE *out;
    struct progress *progress;
    struct observer observer;
};

static void screen_open(struct screen *s, enum progress_mode mode, unsigned width)
{
    now = 0;
    s->out = open_memstream(&s->text, &s->size);
    struct progress_look look = {.mode = mode, .width = width};
    s->progress = progress_new(s->out, &look, fake_clock);
    s->observer = progress_observer(s->progress);
}

static void screen_check(struct screen *s, const char *want)
{
    progress_free(s->progress);
    fclose(s->out);
    assert_string_equal(s->text, want);
    free(s->text);
}

static void test_lines(void **state)
{
    (void)state;
    struct screen s = {0};
    screen_open(&s, PROGRESS_LINES, 80);
    s.observer.progress(s.progress, TOLD_METER, "stack", STR("for a terminal only"));
    s.observer.progress(s.progress, TOLD_STEP, "stack", STR("CREATE_COMPLETE Orders"));
    now = 61000;
    s.observer.progress(s.progress, TOLD_FAILURE, "stack",
                        STR("CREATE_FAILED Orders: key\x1b[0m schema"));
    s.observer.finished(s.progress, "publish", STR("2 of 3 functions"));
    screen_check(&s, "01:01 stack: CREATE_FAILED Orders: key\\u001b[0m schema\n"
                     "01:01 publish: 2 of 3 functions\n");
}

static void test_live(void **state)
{
    (void)state;
    struct screen s = {0};
    screen_open(&s, PROGRESS_LIVE, 40);
    s.observer.progress(s.progress, TOLD_STEP, "publish", STR("1/2 api v3"));
    now = 50;
    s.observer.progress(s.progress, TOLD_STEP, "publish", STR("dropped: too soon after the last"));
    now = 1100;
    s.observer.progress(s.progress, TOLD_METER, "publish", STR("9.0 MB"));
    now = 2100;
    s.observer.progress(s.progress, TOLD_STEP, "publish",
                        STR("2/2 a name that is too long for this line"));
    s.observer.finished(s.progress, "publish", STR("done"));
    screen_check(&s, "\r\033[Ko publish   1/2 api v3 0s"
                     "\r\033[Ko publish   9.0 MB 1s"
                     "\r\033[Ko publish   2/2 a name that is t 2s"
                     "\r\033[K✓ publish   done\n");
}

static void test_quiet_and_json(void **state)
{
    (void)state;
    struct screen s = {0};
    screen_open(&s, PROGRESS_QUIET, 80);
    s.observer.progress(s.progress, TOLD_FAILURE, "stack", STR("UPDATE_FAILED x"));
    s.observer.finished(s.progress, "stack", STR("x"));
    screen_check(&s, "");
    screen_open(&s, PROGRESS_JSON, 80);
    s.observer.progress(s.progress, TOLD_METER, "stack", STR("for a terminal only"));
    s.observer.progress(s.progress, TOLD_STEP, "stack", STR("a \"b\""));
    screen_check(&s, "{\"step\":\"stack\",\"text\":\"a \\\"b\\\"\",\"finished\":false,\"ms\":0}\n");
}

static void test_table(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct buf plain = BUF(a), coloured = BUF(a);
    struct table t = TABLE(a, 3);
    table_cell(&t, STR("shop"));
    table_cell(&t, STR("dev#4"));
    table_cell(&t, STR("prod#2"));
    table_cell(&t, STR("caf\xC3\xA9"));
    table_cell(&t, STR("v12"));
    table_mark(&t, STR("v9"));
    table_write(&t, &plain, false);
    table_write(&t, &coloured, true);
    check_str(buf_str(&plain), "shop  dev#4  prod#2\ncaf\xC3\xA9  v12    v9*\n");
    check_str(buf_str(&coloured), "shop  dev#4  prod#2\ncaf\xC3\xA9  v12    \033[1mv9\033[0m\n");
    arena_free(a);
}

static void test_plan(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct source source = {STR("serverless.yml"), STR("")};
    struct change changes[] = {
        {.action = CHANGE_PUBLISH,
         .kind = STR("function"),
         .name = STR("api"),
         .detail = STR("v12 -> new"),
         .reason = STR("code changed"),
         .pos = {&source, 7, 3, 3}},
        {.action = CHANGE_REPLACE,
         .kind = STR("resource"),
         .name = STR("Orders"),
         .detail = STR("AWS::DynamoDB::Table"),
         .reason = STR("KeySchema changed"),
         .stateful = true},
        {.action = CHANGE_PENDING,
         .kind = STR("service"),
         .name = STR("ApiLogGroup"),
         .detail = STR("AWS::Logs::LogGroup"),
         .reason = STR("RetentionInDays changed")},
    };
    struct service service = {.name = STR("shop"), .stage = STR("prod")};
    struct plan plan = {
        .changes = changes, .change_count = 3, .unchanged = 9, .world = {.current = 17}};
    struct buf b = BUF(a);
    plan_text(&b, &service, &plan, false);
    check_str(buf_str(&b),
              "prod, now prod#17          > move   + add   ~ update   -/+ replace   - remove\n"
              "    >  function  api     v12 -> new            code changed                      "
              "serverless.yml:7:3\n"
              "  -/+  resource  Orders  AWS::DynamoDB::Table  KeySchema changed: DATA IS LOST*\n"
              "1 pointer move, 1 resource change, 9 unchanged\n"
              "not applied yet, shared by all stages; apply with: troupe deploy --service\n"
              "   ..  service  ApiLogGroup  AWS::Logs::LogGroup  RetentionInDays changed\n");
    const struct node *json = plan_json(a, &service, &plan);
    check_str(node_text(node_path(json, "changes.1.action")), "replace");
    check_str(node_text(node_path(json, "changes.1.losesData")), "true");
    check_str(node_text(node_path(json, "changes.0.place")), "serverless.yml:7:3");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_live),
                                       cmocka_unit_test(test_quiet_and_json),
                                       cmocka_unit_test(test_table), cmocka_unit_test(test_plan)};
    return cmocka_run_group_tests_name("ui", tests, NULL, NULL);
}
