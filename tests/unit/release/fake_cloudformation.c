/* CloudFormation: stacks whose operations are over at once, in steps that the test may set. */
#include "check.h"

#include "fake_aws.h"

#include "doc/json.h"

static void add_text(struct buf *b, const char *tag, struct str text)
{
    if (!text.n)
        return;
    buf_fmt(b, "<%s>", tag);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '<' || text.p[i] == '&')
            buf_fmt(b, "&#%d;", text.p[i]);
        else
            buf_char(b, text.p[i]);
    }
    buf_fmt(b, "</%s>", tag);
}

static void add_pairs(struct buf *b, const char *list, const char *key, const char *value,
                      const struct node *map)
{
    buf_fmt(b, "<%s>", list);
    member_each (m, map) {
        buf_lit(b, "<member>");
        add_text(b, key, m->key);
        add_text(b, value, node_text(m->value));
        buf_lit(b, "</member>");
    }
    buf_fmt(b, "</%s>", list);
}

/* ---- state ---- */

static struct fake_stack *find_in(struct fake_aws *aws, struct str region, struct str name)
{
    for (size_t i = 0; i < aws->stacks.n; i++) {
        struct fake_stack *s = &aws->stacks.p[i];
        if (str_eq(s->id, name) || (str_eq(s->name, name) && str_eq(s->region, region) &&
                                    !str_eq(s->status, STR("DELETE_COMPLETE"))))
            return s;
    }
    return NULL;
}

struct fake_stack *fake_stack_find(struct fake_aws *aws, struct str name)
{
    return find_in(aws, STR(FAKE_REGION), name);
}

static struct fake_stack *add_stack(struct fake_aws *aws, struct str region, struct str name)
{
    struct str number = fake_id(aws, "");
    struct str id =
        str_fmt(aws->arena, "arn:aws:cloudformation:%.*s:" FAKE_ACCOUNT ":stack/%.*s/%.*s",
                STR_ARG(region), STR_ARG(name), STR_ARG(number));
    vec_push(aws->arena, &aws->stacks,
             (struct fake_stack){.region = str_dup(aws->arena, region),
                                 .name = str_dup(aws->arena, name),
                                 .id = id});
    return &aws->stacks.p[aws->stacks.n - 1];
}

struct fake_stack *fake_stack_add(struct fake_aws *aws, const char *name, const char *service,
                                  const char *stage, const char *status, const char *template)
{
    struct fake_stack *s = add_stack(aws, STR(FAKE_REGION), str_c(name));
    struct node *tags = node_map(aws->arena);
    if (*service)
        node_put_str(aws->arena, tags, "troupe:service", str_c(service));
    if (*stage)
        node_put_str(aws->arena, tags, "troupe:stage", str_c(stage));
    s->tags = tags;
    s->status = str_c(status);
    s->template = str_c(template);
    if (!str_eq(s->status, STR("ROLLBACK_COMPLETE"))) /* all that it had made is gone */
        fake_make(aws, s, STR(""));
    return s;
}

/* ---- operations on stacks ---- */

/* The part of a form below `prefix`, as it is. */
static struct str form_part(struct arena *a, struct str form, const char *prefix)
{
    struct buf b = BUF(a);
    struct str pair;
    buf_lit(&b, "");
    while (str_cut(&form, '&', &pair))
        if (str_starts(pair, str_c(prefix))) {
            buf_add(&b, pair);
            buf_char(&b, '&');
        }
    return buf_str(&b);
}

/* [{<key>, <value>}] of a form, as a map; those that keep their value have that of `before`. */
static const struct node *pairs_of(struct arena *a, struct str form, const char *list,
                                   const char *key, const char *value, const struct node *before)
{
    struct node *map = node_map(a);
    for (size_t i = 1;; i++) {
        struct str name = fake_param(a, form, str_fmt(a, "%s.member.%zu.%s", list, i, key).p);
        if (!name.n)
            return map;
        struct str text = fake_param(a, form, str_fmt(a, "%s.member.%zu.%s", list, i, value).p);
        bool keeps = fake_param(a, form, str_fmt(a, "%s.member.%zu.UsePreviousValue", list, i).p).n;
        node_put(a, map, name, node_str(a, keeps ? node_text(node_get(before, name)) : text));
    }
}

static void play(struct fake_aws *aws, struct fake_stack *s, struct str token, const char *verb)
{
    struct arena *a = aws->arena;
    struct fake_step usual[] = {{.status = str_fmt(a, "%s_IN_PROGRESS", verb).p},
                                {.status = str_fmt(a, "%s_COMPLETE", verb).p}};
    bool scripted = aws->script && !aws->script_skip;
    const struct fake_step *steps = scripted ? aws->script : usual;
    size_t n = scripted ? aws->script_count : sizeof usual / sizeof *usual;
    for (size_t i = 0; i < n; i++) {
        vec_push(a, &s->events, (struct fake_event){fake_id(aws, "event-"), token, steps[i]});
        if (!steps[i].id)
            s->status = str_c(steps[i].status);
    }
    if (scripted)
        aws->script = NULL;
    else if (aws->script)
        aws->script_skip--;
}

static struct str template_of(struct fake_aws *aws, const struct fake_request *q)
{
    struct str url = fake_param(aws->arena, q->body, "TemplateURL");
    ptrdiff_t key = str_find(url, STR("/troupe/"), 0);
    if (key < 0)
        return fake_param(aws->arena, q->body, "TemplateBody");
    const struct fake_object *o = fake_object_find(aws, str_sub(url, (size_t)key + 1, url.n));
    return o ? o->body : (struct str){"", 0};
}

static void begin(struct buf *b, const struct fake_request *q)
{
    buf_fmt(b, "<%.*sResponse><%.*sResult>", STR_ARG(q->operation), STR_ARG(q->operation));
}

static void end(struct buf *b, const struct fake_request *q, struct reply *ret)
{
    buf_fmt(b, "</%.*sResult></%.*sResponse>", STR_ARG(q->operation), STR_ARG(q->operation));
    *ret = (struct reply){200, "Content-Type: text/xml\r\n", buf_str(b).p};
}

static void refuse(const struct fake_request *q, const char *message, struct reply *ret)
{
    fake_refuse(q, 400, "ValidationError", message, ret);
}

static const struct node *parse(struct arena *a, struct str text)
{
    struct err err = {0};
    const struct node *n = text.n ? json_parse(a, STR("template"), text, &err) : NULL;
    err_clear(&err);
    return n;
}

/* Do all parameters of the form keep their values? */
static bool only_keeps(struct arena *a, struct str parameters)
{
    for (size_t i = 1;; i++) {
        struct str item = str_fmt(a, "Parameters.member.%zu.", i);
        if (!fake_param(a, parameters, str_fmt(a, "%.*sParameterKey", STR_ARG(item)).p).n)
            return true;
        if (!fake_param(a, parameters, str_fmt(a, "%.*sUsePreviousValue", STR_ARG(item)).p).n)
            return false;
    }
}

static void change(struct fake_aws *aws, struct fake_stack *s, const struct fake_request *q,
                   struct reply *ret)
{
    struct arena *a = aws->arena;
    bool create = str_eq(q->operation, STR("CreateStack"));
    struct str text = str_dup(a, template_of(aws, q)), name = fake_param(a, q->body, "StackName");
    struct str tags = form_part(a, q->body, "Tags."),
               parameters = form_part(a, q->body, "Parameters.");
    struct buf b = BUF(q->arena);
    if (create && s) {
        fake_refuse(q, 400, "AlreadyExistsException", "Stack already exists", ret);
        return;
    }
    if (!create && str_ends(s->status, STR("_IN_PROGRESS"))) {
        refuse(q, "Stack is in UPDATE_IN_PROGRESS state and can not be updated.", ret);
        return;
    }
    if (!create && str_eq(text, s->template) && (!tags.n || str_eq(tags, s->tags_text)) &&
        (str_eq(parameters, s->parameters_text) || only_keeps(a, parameters))) {
        refuse(q, "No updates are to be performed.", ret);
        return;
    }
    s = create ? add_stack(aws, q->region, name) : s;
    struct fake_stack before = *s;
    if (tags.n)
        s->tags_text = tags;
    s->parameters_text = parameters;
    if (tags.n)
        s->tags = pairs_of(a, q->body, "Tags", "Key", "Value", NULL);
    s->parameters =
        pairs_of(a, q->body, "Parameters", "ParameterKey", "ParameterValue", s->parameters);
    s->template = text;
    play(aws, s, fake_param(a, q->body, "ClientRequestToken"), create ? "CREATE" : "UPDATE");
    if (str_eq(s->status, STR("UPDATE_ROLLBACK_COMPLETE"))) { /* everything is what it was */
        s->tags_text = before.tags_text;
        s->parameters_text = before.parameters_text;
        s->tags = before.tags;
        s->parameters = before.parameters;
        s->template = before.template;
        fake_make(aws, s, s->parameters_text);
    } else if (str_find(s->status, STR("ROLLBACK"), 0) < 0) {
        fake_unmake(aws, &before, parse(a, text));
        fake_make(aws, s, q->body);
    }
    begin(&b, q);
    add_text(&b, "StackId", s->id);
    end(&b, q, ret);
}

/* ---- describing ---- */

static void describe_one(struct buf *b, const struct fake_stack *s)
{
    buf_lit(b, "<member>");
    add_text(b, "StackName", s->name);
    add_text(b, "StackId", s->id);
    add_text(b, "StackStatus", s->status);
    if (!str_ends(s->status, STR("_IN_PROGRESS")))
        add_pairs(b, "Outputs", "OutputKey", "OutputValue", s->outputs);
    add_pairs(b, "Parameters", "ParameterKey", "ParameterValue", s->parameters);
    add_pairs(b, "Tags", "Key", "Value", s->tags);
    buf_lit(b, "</member>");
}

/* `from` of the request's page on; true: item `i` is on it. */
static bool on_page(const struct fake_aws *aws, size_t from, size_t i)
{
    return i >= from && (!aws->page || i < from + aws->page);
}

static size_t page_from(const struct fake_request *q)
{
    int64_t from = 0;
    return str_to_int(fake_param(q->arena, q->body, "NextToken"), &from) ? (size_t)from : 0;
}

static void add_next(struct buf *b, const struct fake_aws *aws, size_t from, size_t n)
{
    if (aws->page && from + aws->page < n)
        buf_fmt(b, "<NextToken>%zu</NextToken>", from + aws->page);
}

static void describe(struct fake_aws *aws, struct fake_stack *s, struct str region, struct buf *b,
                     size_t from)
{
    buf_lit(b, "<Stacks>");
    if (s)
        describe_one(b, s);
    for (size_t i = 0; !s && i < aws->stacks.n; i++)
        if (on_page(aws, from, i) && str_eq(aws->stacks.p[i].region, region) &&
            !str_eq(aws->stacks.p[i].status, STR("DELETE_COMPLETE")))
            describe_one(b, &aws->stacks.p[i]);
    buf_lit(b, "</Stacks>");
    if (!s)
        add_next(b, aws, from, aws->stacks.n);
}

static void events(const struct fake_aws *aws, const struct fake_stack *s, struct buf *b,
                   size_t from)
{
    buf_lit(b, "<StackEvents>");
    for (size_t i = 0; i < s->events.n; i++) {
        const struct fake_event *e = &s->events.p[s->events.n - 1 - i];
        if (!on_page(aws, from, i))
            continue;
        buf_lit(b, "<member>");
        add_text(b, "EventId", e->id);
        add_text(b, "StackId", s->id);
        add_text(b, "ClientRequestToken", e->token);
        add_text(b, "LogicalResourceId", e->step.id ? str_c(e->step.id) : s->name);
        add_text(b, "PhysicalResourceId", e->step.id ? str_c(e->step.physical) : s->id);
        add_text(b, "ResourceType",
                 e->step.id ? str_c(e->step.type) : STR("AWS::CloudFormation::Stack"));
        add_text(b, "ResourceStatus", str_c(e->step.status));
        add_text(b, "ResourceStatusReason", str_c(e->step.reason));
        buf_lit(b, "</member>");
    }
    buf_lit(b, "</StackEvents>");
    add_next(b, aws, from, s->events.n);
}

static void resources(struct fake_aws *aws, const struct fake_stack *s, struct buf *b)
{
    buf_lit(b, "<StackResourceSummaries>");
    member_each (m, node_get_c(parse(aws->arena, s->template), "Resources")) {
        if (node_get_c(m->value, "Condition")) /* none of this AWS holds */
            continue;
        buf_lit(b, "<member>");
        add_text(b, "LogicalResourceId", m->key);
        add_text(b, "PhysicalResourceId", fake_physical(aws, s, m->key));
        add_text(b, "ResourceType", node_text(node_get_c(m->value, "Type")));
        add_text(b, "ResourceStatus", STR("CREATE_COMPLETE"));
        buf_lit(b, "</member>");
    }
    buf_lit(b, "</StackResourceSummaries>");
}

/* ---- deleting ---- */

/* CloudFormation deletes no bucket that holds something. */
static void delete_stack(struct fake_aws *aws, struct fake_stack *s, struct str token)
{
    struct str bucket = fake_full_bucket(aws, s);
    struct fake_step failed[] = {{.status = "DELETE_IN_PROGRESS"},
                                 {str_z(aws->arena, bucket), "AWS::S3::Bucket", "DELETE_FAILED",
                                  "The bucket you tried to delete is not empty", "bucket"},
                                 {.status = "DELETE_FAILED"}};
    if (!aws->script && bucket.p) {
        aws->script = failed;
        aws->script_count = sizeof failed / sizeof *failed;
    }
    play(aws, s, token, "DELETE");
    if (str_eq(s->status, STR("DELETE_COMPLETE")))
        fake_unmake(aws, s, NULL);
}

/* ---- exports ---- */

/* Stacks whose templates import the value. */
static bool importers(struct fake_aws *aws, struct str export, struct buf *b)
{
    struct arena *a = aws->arena;
    struct str mention = str_fmt(a, "{\"Fn::ImportValue\":\"%.*s\"}", STR_ARG(export));
    bool any = false;
    buf_lit(b, "<Imports>");
    for (size_t i = 0; i < aws->stacks.n; i++) {
        const struct node *template = parse(a, aws->stacks.p[i].template);
        if (!template || str_find(json_text(a, template, 0), mention, 0) < 0)
            continue;
        add_text(b, "member", aws->stacks.p[i].name);
        any = true;
    }
    buf_lit(b, "</Imports>");
    return any;
}

/* ---- change sets: one for each stack, whose id is the stack's ---- */

/* Of an IMPORT: what the resources are called there, from their identifiers. One whose identifier
 * has several parts is called by the last. */
static const struct node *imported(struct fake_aws *aws, struct str form)
{
    struct arena *a = aws->arena;
    struct node *physical = node_map(a);
    for (size_t i = 1;; i++) {
        struct str item = str_fmt(a, "ResourcesToImport.member.%zu.", i), id, value = {"", 0};
        id = fake_param(a, form, str_fmt(a, "%.*sLogicalResourceId", STR_ARG(item)).p);
        if (!id.n)
            return physical;
        for (size_t k = 1;; k++) {
            struct str part = fake_param(
                a, form, str_fmt(a, "%.*sResourceIdentifier.entry.%zu.value", STR_ARG(item), k).p);
            if (!part.n)
                break;
            value = part;
        }
        node_put_str(a, physical, str_z(a, id), value);
    }
}

static void create_change_set(struct fake_aws *aws, struct fake_stack *s,
                              const struct fake_request *q)
{
    s->set_type = fake_param(aws->arena, q->body, "ChangeSetType");
    s->set_template = str_dup(aws->arena, template_of(aws, q));
    s->set_physical = imported(aws, q->body);
}

static void execute_change_set(struct fake_aws *aws, struct fake_stack *s, struct str token)
{
    play(aws, s, token, "IMPORT");
    if (!str_eq(s->status, STR("IMPORT_COMPLETE")) || !s->set_template.n)
        return;
    s->template = s->set_template;
    s->physical = s->physical ? s->physical : node_map(aws->arena);
    member_each (m, s->set_physical)
        node_put(aws->arena, s->physical, m->key, m->value);
    fake_make(aws, s, STR(""));
}

static void describe_change_set(const struct fake_aws *aws, struct buf *b)
{
    buf_fmt(b, "<Status>CREATE_COMPLETE</Status><ExecutionStatus>%s</ExecutionStatus>",
            aws->import_status ? aws->import_status : "AVAILABLE");
    if (aws->import_status)
        buf_lit(b, "<StatusReason>it cannot be imported</StatusReason>");
    buf_fmt(b, "<Changes>%s</Changes>", aws->foreseen ? aws->foreseen : "");
}

void fake_cloudformation(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct str name = fake_param(a, q->body, "StackName"),
               set = fake_param(a, q->body, "ChangeSetName");
    struct fake_stack *s = find_in(aws, q->region, name.n ? name : set);
    struct str token = fake_param(aws->arena, q->body, "ClientRequestToken");
    struct buf b = BUF(a);
    size_t from = page_from(q);
    if (str_eq(q->operation, STR("CreateStack")) ||
        (s && str_eq(q->operation, STR("UpdateStack")))) {
        change(aws, s, q, ret);
        return;
    }
    if ((name.n || set.n) && !s) {
        refuse(q, str_fmt(a, "Stack with id %.*s does not exist", STR_ARG(name)).p, ret);
        return;
    }
    if (str_eq(q->operation, STR("ListImports"))) {
        struct str export = fake_param(a, q->body, "ExportName");
        begin(&b, q);
        if (importers(aws, export, &b))
            end(&b, q, ret);
        else
            refuse(q, str_fmt(a, "Export '%.*s' is not imported by any stack.", STR_ARG(export)).p,
                   ret);
        return;
    }
    begin(&b, q);
    if (str_eq(q->operation, STR("DescribeStacks")))
        describe(aws, s, q->region, &b, from);
    else if (str_eq(q->operation, STR("DescribeStackEvents")))
        events(aws, s, &b, from);
    else if (str_eq(q->operation, STR("GetTemplate")))
        add_text(&b, "TemplateBody", s->template);
    else if (str_eq(q->operation, STR("ListStackResources")))
        resources(aws, s, &b);
    else if (str_eq(q->operation, STR("DeleteStack")))
        delete_stack(aws, s, token);
    else if (str_eq(q->operation, STR("ContinueUpdateRollback")))
        play(aws, s, token, "UPDATE_ROLLBACK");
    else if (str_eq(q->operation, STR("GetTemplateSummary")))
        fake_identifiers(a, parse(a, fake_param(a, q->body, "TemplateBody")), &b);
    else if (str_eq(q->operation, STR("CreateChangeSet"))) {
        create_change_set(aws, s, q);
        add_text(&b, "Id", s->id);
    } else if (str_eq(q->operation, STR("DescribeChangeSet")))
        describe_change_set(aws, &b);
    else if (str_eq(q->operation, STR("ExecuteChangeSet")))
        execute_change_set(aws, s, token);
    end(&b, q, ret);
}
