/* Resolving: nodes as read become nodes without variables, each the first time somebody needs it,
 * and the result is kept. A node that is needed while it is being made is part of a cycle; the
 * chain of active variables then shows the way. */
#include "config/variables/variables.h"

/* What is known about a node. */
struct cell {
    const struct node *node; /* the key: its bytes are the map's key */
    const struct node *head, *all;
    bool busy;
    bool gathered; /* resolve_errors has been here */
    bool told;     /* a cycle with it was told */
};

/* A variable, or a container, that is being worked on. */
struct active {
    struct active *outer;
    struct cell *cell;
    const struct node *host; /* the string with the variable; NULL: `cell` is all resolved */
    const struct variable *variable;
};

/* ---- helpers ---- */

static struct cell *cell_of(struct resolver *r, const struct node *n)
{
    struct str key = {(const char *)&n, sizeof n};
    struct cell *cell = map_get(&r->cells, key);
    if (!cell) {
        cell = ARENA_NEW(r->arena, struct cell);
        cell->node = n;
        map_put(&r->cells, (struct str){(const char *)&cell->node, sizeof cell->node}, cell);
    }
    return cell;
}

static bool may_vary(const struct node *n)
{
    return n->kind == NODE_STRING && str_find(n->text, STR("${"), 0) >= 0;
}

/* Note that `n` is final, so that a text in it that looks like a variable is not resolved again. */
static const struct node * final(struct resolver *r, const struct node *n)
{
    if (may_vary(n)) {
        struct cell *cell = cell_of(r, n);
        cell->head = cell->all = n;
    }
    return n;
}

const struct node *with_flags(struct arena *a, const struct node *n, unsigned flags)
{
    if ((n->flags | flags) == n->flags)
        return n;
    struct node *copy = node_shallow(a, n);
    copy->flags |= (uint8_t)flags;
    return copy;
}

static struct pos variable_pos(const struct node *host, const struct variable *v)
{
    return string_pos(host, v->start, v->end);
}

static struct str variable_text(const struct node *host, const struct variable *v)
{
    return str_sub(host->text, v->start, v->end - v->start);
}

/* ---- cycles and limits ---- */

/* `n` has a variable in it that stands for all of `n`. */
static const struct node *inside_itself(const struct resolver *r, const struct cell *cell,
                                        const struct node *n, struct err *err)
{
    const struct active *it = r->active;
    while (it->cell != cell && !may_vary(it->cell->node))
        it = it->outer;
    if (may_vary(it->cell->node))
        n = it->cell->node;
    if (may_vary(n))
        err_at(err, n->pos, ERR_CONFIG, "'%.*s' stands for something that it is a part of",
               STR_ARG(n->text));
    else
        err_at(err, n->pos, ERR_CONFIG, "this value contains itself");
    err_help(err, "name what is needed of it, like ${self:custom.name}");
    return NULL;
}

static const struct node *cycle(struct resolver *r, struct cell *cell, const struct node *n,
                                struct err *err)
{
    struct active *chain[RESOLVE_DEPTH_MAX * 2];
    size_t count = 0;
    r->told_again = cell->told;
    for (struct active *it = r->active; it; it = it->outer) {
        it->cell->told = true;
        if (it->variable && count < sizeof chain / sizeof *chain)
            chain[count++] = it;
        if (it->cell == cell)
            break;
    }
    if (!count)
        return inside_itself(r, cell, n, err);
    struct active *first = chain[count - 1];
    struct str text = variable_text(first->host, first->variable);
    struct pos pos = variable_pos(first->host, first->variable);
    if (count == 1)
        err_at(err, pos, ERR_CONFIG, "'%.*s' refers to itself", STR_ARG(text));
    else
        err_at(err, pos, ERR_CONFIG, "variables refer to each other in a cycle: '%.*s'",
               STR_ARG(text));
    for (size_t i = count - 1; i-- > 0;) {
        text = variable_text(chain[i]->host, chain[i]->variable);
        err_note(err, variable_pos(chain[i]->host, chain[i]->variable), "which needs '%.*s'",
                 STR_ARG(text));
    }
    if (count > 1)
        err_note(err, (struct pos){0}, "which needs the first one again");
    return NULL;
}

static bool enter(struct resolver *r, const struct node *n, struct err *err)
{
    if (++r->depth <= RESOLVE_DEPTH_MAX)
        return true;
    r->depth--;
    err_at(err, n->pos, ERR_CONFIG, "variables and values are nested too deeply here");
    return false;
}

static const struct source_row *source_find(const struct resolver *r, struct str type)
{
    for (const struct source_row *row = r->rows; row->type; row++)
        if (str_eq(type, str_c(row->type)))
            return row;
    return NULL;
}

/* The nearest known name, or empty. */
static struct str source_near(const struct resolver *r, struct str type)
{
    struct near near = {.name = type};
    for (const struct source_row *row = r->rows; row->type; row++)
        near_offer(&near, str_c(row->type));
    return near.best;
}

/* ---- templates ---- */

static const struct node *template_value(struct resolver *r, const struct node *host,
                                         const struct template *t, struct err *err);

static int append_text(struct resolver *r, struct buf *b, const struct node *value,
                       const struct node *host, const struct variable *v, struct err *err)
{
    switch (value->kind) {
    case NODE_SEQ: /* JavaScript joins lists like this */
        for (size_t i = 0; i < value->count; i++) {
            if (i)
                buf_char(b, ',');
            if (value->items[i]->kind != NODE_NULL &&
                append_text(r, b, value->items[i], host, v, err) < 0)
                return -1;
        }
        return 0;
    case NODE_MAP:
    case NODE_NULL:
        err_at(err, variable_pos(host, v), ERR_CONFIG,
               "'%.*s' is %s, which cannot become part of a string",
               STR_ARG(variable_text(host, v)), value->kind == NODE_MAP ? "a map" : "null");
        return err_help(err, "use it as the whole value, or name one of its members");
    default:
        break;
    }
    struct str text = node_text(value);
    r->text_made += text.n;
    if (r->text_made > RESOLVE_TEXT_MAX)
        return err_at(err, variable_pos(host, v), ERR_CONFIG,
                      "variables make too much text here: more than %d MiB in all",
                      RESOLVE_TEXT_MAX >> 20);
    buf_add(b, text);
    return 0;
}

static struct query query_of(const struct node *host, const struct variable_source *s)
{
    return (struct query){.type = s->type,
                          .text = str_trim(str_sub(host->text, s->offset, s->end - s->offset)),
                          .param_count = s->param_count};
}

/* Resolve what the source's parameters and address say. `*flags` gets what took part. */
static int query_fill(struct resolver *r, const struct node *host, const struct variable_source *s,
                      struct query *q, unsigned *flags, struct err *err)
{
    unsigned own = 0;
    q->params = ARENA_ARRAY(r->arena, s->param_count, const struct node *);
    for (size_t i = 0; i < s->param_count; i++) {
        q->params[i] = template_value(r, host, &s->params[i], err);
        if (!q->params[i])
            return -1;
        own |= node_flags_deep(q->params[i]);
        origin_add(r->arena, &q->links, ORIGIN_ADDRESS, q->params[i]->origin);
    }
    if (own & NODE_STAGE && s->param_count && q->params[0]->kind == NODE_STRING) {
        struct buf b = BUF(r->arena);
        origin_pattern(&b, q->params[0]);
        q->pattern = buf_str(&b);
    }
    const struct node *address = s->address ? template_value(r, host, s->address, err) : NULL;
    if (s->address && !address)
        return -1;
    own |= address ? node_flags_deep(address) : 0;
    origin_add(r->arena, &q->links, ORIGIN_ADDRESS, address ? address->origin : NULL);
    *flags |= own;
    q->secret = own & NODE_SECRET;
    if (!address)
        return 0;
    if (address->kind >= NODE_SEQ || address->kind == NODE_NULL)
        return err_at(err, q->pos, ERR_CONFIG, "the address in '%.*s' is %s, not a string",
                      STR_ARG(q->text), node_kind_name(address));
    q->address = node_text(address);
    q->has_address = q->address.n > 0;
    return 0;
}

int query_make(struct resolver *r, const struct node *host, const struct variable_source *s,
               struct query *ret, unsigned *flags, struct err *err)
{
    *ret = query_of(host, s);
    ret->pos = string_pos(host, s->offset, s->end);
    return query_fill(r, host, s, ret, flags, err);
}

static const struct node *unknown_source(struct resolver *r, const struct query *q, struct err *err)
{
    struct str near = source_near(r, q->type);
    err_at(err, q->pos, ERR_CONFIG, "unknown variable source '%.*s'", STR_ARG(q->type));
    if (near.n)
        err_help(err, "did you mean '%.*s'?", STR_ARG(near));
    else
        err_help(err, "sources are self, opt, env, param, sls, file, strToBool, aws, cf, s3 and "
                      "ssm; a backslash in front of '${' makes it plain text");
    return NULL;
}

/* The origin of a value that a variable gave, without `what`: the caller adds what the source
 * said. */
static struct origin *origin_of(struct resolver *r, const struct query *q, const struct answer *ans,
                                const struct origin_list *before)
{
    struct origin_list links = {0};
    origin_add_all(r->arena, &links, before);
    origin_add_all(r->arena, &links, &q->links);
    origin_add_all(r->arena, &links, &ans->via);
    struct origin *origin = ARENA_NEW(r->arena, struct origin);
    *origin = (struct origin){.at = q->pos,
                              .text = q->text,
                              .links = links.first,
                              .flags = (uint8_t)ans->flags,
                              .chosen = (uint8_t)origin_chosen(&links, ans->flags)};
    return origin;
}

/* `value` with the position of `host`, and with the variable as its origin. */
static const struct node *arrived(struct resolver *r, const struct node *host,
                                  const struct query *q, const struct answer *ans,
                                  const struct origin_list *before, const struct node *value)
{
    struct node *n = node_shallow(r->arena, value);
    struct origin *origin = origin_of(r, q, ans, before);
    origin->what = ans->what.n ? ans->what : str_fmt(r->arena, "'%.*s'", STR_ARG(q->text));
    origin->pos = value->pos;
    origin->from = value->origin;
    origin->value = value;
    n->pos = host->pos;
    n->origin = origin;
    return final(r, n);
}

/* The value of a source's answer, resolved as a head. It may hold variables again, even when the
 * source had resolved it: the dialect looks for them anew, so that an escaped variable comes alive
 * when another value refers to it. */
static const struct node *answer_value(struct resolver *r, const struct query *q,
                                       const struct answer *ans, struct err *err)
{
    const struct node *value = ans->value;
    if (!may_vary(value))
        return value;
    if (r->nest >= VARIABLE_NEST_MAX) {
        err_at(err, q->pos, ERR_CONFIG, "'%.*s' leads from variable to variable more than %d times",
               STR_ARG(q->text), VARIABLE_NEST_MAX);
        return NULL;
    }
    r->nest++;
    value = resolve_head(r, ans->resolved ? node_shallow(r->arena, value) : value, err);
    r->nest--;
    return value;
}

static const struct node *nothing_found(struct resolver *r, const struct node *host,
                                        const struct variable *v, const struct answer *answers,
                                        struct err *err)
{
    const struct answer *last = &answers[v->source_count - 1];
    struct str text = variable_text(host, v), help = last->help;
    err_at(err, variable_pos(host, v), ERR_CONFIG, "cannot resolve '%.*s': %.*s", STR_ARG(text),
           STR_ARG(last->why));
    for (size_t i = 0; i + 1 < v->source_count; i++) {
        err_note(err, (struct pos){0}, "before that: %.*s", STR_ARG(answers[i].why));
        if (!help.n)
            help = answers[i].help;
    }
    (void)r;
    if (help.n)
        return err_help(err, "%.*s", STR_ARG(help)), NULL;
    return err_help(err, "give a fallback: '%.*s, 'value'}'",
                    STR_ARG(str_sub(text, 0, text.n - 1))),
           NULL;
}

static const struct node *literal_value(struct resolver *r, const struct node *host,
                                        const struct variable_source *s,
                                        const struct origin_list *before, struct err *err)
{
    struct node *literal = node_shallow(r->arena, s->literal);
    literal->pos = host->pos;
    const struct node *value = resolve_head(r, literal, err);
    if (!value || !before->first)
        return value;
    struct query q = query_of(host, s);
    q.pos = string_pos(host, s->offset, s->end);
    return arrived(r, host, &q, &(struct answer){.what = STR("the fallback")}, before, value);
}

/* Ask one source; `*ret` NULL: it has no value. */
static int source_value(struct resolver *r, struct query *q, const struct node *host,
                        const struct variable_source *s, struct answer *ans, unsigned *flags,
                        const struct node **ret, struct err *err)
{
    const struct source_row *row = source_find(r, s->type);
    *ret = NULL;
    if (!row) {
        unknown_source(r, q, err);
        return -1;
    }
    if (query_fill(r, host, s, q, flags, err) < 0 || row->get(r, q, ans, err) < 0)
        return -1;
    *flags |= ans->flags;
    if (!ans->value || ans->value->kind == NODE_NULL)
        return 0;
    const struct node *value = answer_value(r, q, ans, err);
    if (!value)
        return -1;
    *ret = value->kind == NODE_NULL ? NULL : value;
    return 0;
}

/* The value of variable `v` of string `host`: the first source that has one. */
static const struct node *variable_value(struct resolver *r, const struct node *host,
                                         const struct variable *v, struct err *err)
{
    unsigned flags = 0;
    struct origin_list before = {0};
    struct answer *answers = ARENA_ARRAY(r->arena, v->source_count, struct answer);
    for (size_t i = 0; i < v->source_count; i++) {
        const struct variable_source *s = &v->sources[i];
        const struct node *value;
        if (s->literal) {
            value = literal_value(r, host, s, &before, err);
            return value ? with_flags(r->arena, value, flags) : NULL;
        }
        struct query q = query_of(host, s);
        q.pos = string_pos(host, s->offset, s->end);
        if (source_value(r, &q, host, s, &answers[i], &flags, &value, err) < 0)
            return NULL;
        if (value) {
            if (flags & NODE_STAGE)
                siblings_note_fallbacks(r, host, v, i + 1);
            return with_flags(r->arena, arrived(r, host, &q, &answers[i], &before, value), flags);
        }
        struct origin *none = origin_of(r, &q, &answers[i], &(struct origin_list){0});
        none->what = answers[i].why;
        origin_add(r->arena, &before, ORIGIN_BEFORE, none);
    }
    for (size_t i = 0; i < v->source_count; i++) {
        struct query q = query_of(host, &v->sources[i]);
        if (answers[i].standard)
            return with_flags(
                r->arena,
                arrived(r, host, &q, &answers[i], &(struct origin_list){0}, answers[i].standard),
                flags);
    }
    return nothing_found(r, host, v, answers, err);
}

static const struct node *variable_active(struct resolver *r, const struct node *host,
                                          const struct variable *v, struct err *err)
{
    struct active active = {r->active, cell_of(r, host), host, v};
    r->active = &active;
    const struct node *value = variable_value(r, host, v, err);
    r->active = active.outer;
    return value;
}

static const struct origin *text_origin(struct resolver *r, const struct node *host,
                                        const struct template *t, const struct origin_list *parts,
                                        struct str pattern)
{
    if (!parts->first)
        return NULL;
    struct origin *origin = ARENA_NEW(r->arena, struct origin);
    bool whole = t->text.n == host->text.n;
    *origin = (struct origin){.pos = host->pos,
                              .from = parts->first->origin,
                              .at = whole ? host->pos
                                          : string_pos(host, t->offset, t->offset + t->text.n),
                              .text = t->text,
                              .links = parts->first,
                              .pattern = pattern};
    return origin;
}

/* The text of template `t` with its variables replaced by their values. */
static const struct node *joined(struct resolver *r, const struct node *host,
                                 const struct template *t, struct err *err)
{
    struct buf b = BUF(r->arena);
    buf_lit(&b, "");
    struct buf pattern = BUF(r->arena);
    size_t at = 0;
    unsigned flags = 0;
    struct origin_list parts = {0};
    for (size_t i = 0; i < t->variable_count; i++) {
        const struct variable *v = &t->variables[i];
        buf_add(&b, str_sub(t->text, at, v->start - at));
        buf_add(&pattern, str_sub(t->text, at, v->start - at));
        at = v->end;
        if (v->escaped.p) {
            buf_add(&b, v->escaped);
            buf_add(&pattern, v->escaped);
            continue;
        }
        struct variable placed = *v;
        placed.start += t->offset;
        placed.end += t->offset;
        const struct node *value = variable_active(r, host, &placed, err);
        value = value ? resolve_all(r, value, err) : NULL;
        if (!value || append_text(r, &b, value, host, &placed, err) < 0)
            return NULL;
        flags |= node_flags_deep(value);
        origin_add(r->arena, &parts, ORIGIN_PART, value->origin);
        origin_pattern(&pattern, value);
    }
    buf_add(&b, str_sub(t->text, at, t->text.n));
    buf_add(&pattern, str_sub(t->text, at, t->text.n));
    struct node *n = node_str(r->arena, b.p ? buf_str(&b) : (struct str){"", 0});
    n->pos = host->pos;
    n->flags = (uint8_t)flags;
    n->origin = text_origin(r, host, t, &parts, flags & NODE_STAGE ? buf_str(&pattern) : STR(""));
    return final(r, n);
}

static bool is_whole(const struct template *t)
{
    return t->variable_count == 1 && !t->variables[0].escaped.p && t->variables[0].start == 0 &&
           t->variables[0].end == t->text.n;
}

/* The value of a parameter or an address, all resolved. */
static const struct node *template_value(struct resolver *r, const struct node *host,
                                         const struct template *t, struct err *err)
{
    const struct node *value = t->literal;
    if (value)
        return resolve_all(r, value, err);
    if (!t->variable_count) {
        struct node *text = node_str(r->arena, t->text);
        text->pos = host->pos;
        return text;
    }
    if (!is_whole(t))
        return joined(r, host, t, err);
    struct variable placed = t->variables[0];
    placed.start += t->offset;
    placed.end += t->offset;
    value = variable_active(r, host, &placed, err);
    return value ? resolve_all(r, value, err) : NULL;
}

static const struct node *syntax_error(const struct node *n, const struct template_error *e,
                                       struct err *err)
{
    err_at(err, string_pos(n, e->offset, e->end), ERR_CONFIG, "invalid variable: %s", e->what);
    if (e->help)
        err_help(err, "%s", e->help);
    return NULL;
}

/* ---- heads and whole values ---- */

static const struct node *string_head(struct resolver *r, const struct node *n, struct err *err)
{
    struct template t;
    struct template_error bad;
    if (!template_read(r->arena, n->text, &t, &bad))
        return syntax_error(n, &bad, err);
    if (!t.variable_count)
        return n;
    return is_whole(&t) ? variable_active(r, n, &t.variables[0], err) : joined(r, n, &t, err);
}

const struct node *resolve_head(struct resolver *r, const struct node *n, struct err *err)
{
    if (!may_vary(n))
        return n;
    struct cell *cell = cell_of(r, n);
    if (cell->head)
        return cell->head;
    if (cell->busy)
        return cycle(r, cell, n, err);
    if (!enter(r, n, err))
        return NULL;
    cell->busy = true;
    const struct node *head = string_head(r, n, err);
    cell->busy = false;
    r->depth--;
    cell->head = head ? with_flags(r->arena, head, n->flags) : NULL;
    return cell->head ? final(r, cell->head) : NULL;
}

static const struct node *all_of(struct resolver *r, const struct node *n, unsigned flags,
                                 struct err *err);

static bool fits(const struct node *built, const struct node *n, struct err *err)
{
    if (built->weight <= RESOLVE_WEIGHT_MAX)
        return true;
    err_at(err, n->pos, ERR_CONFIG,
           "variables make this value too large: more than %d values in all", RESOLVE_WEIGHT_MAX);
    return false;
}

static const struct node *container_built(struct resolver *r, const struct node *n, unsigned flags,
                                          struct err *err)
{
    struct node *built = n->kind == NODE_SEQ ? node_seq(r->arena) : node_map(r->arena);
    built->pos = n->pos;
    built->origin = n->origin;
    built->flags = (uint8_t)flags;
    node_each (item, n) {
        const struct node *value = all_of(r, item, flags, err);
        if (!value)
            return NULL;
        node_push(r->arena, built, value);
        if (!fits(built, n, err))
            return NULL;
    }
    member_each (m, n) {
        const struct node *value = all_of(r, m->value, flags, err);
        if (!value)
            return NULL;
        node_put_at(r->arena, built, m->key, m->key_pos, value);
        if (!fits(built, n, err))
            return NULL;
    }
    return built;
}

static const struct node *container_all(struct resolver *r, const struct node *n, unsigned flags,
                                        struct err *err)
{
    struct cell *cell = cell_of(r, n);
    if (cell->all && cell->all->flags == flags)
        return cell->all;
    if (cell->busy)
        return cycle(r, cell, n, err);
    if (!enter(r, n, err))
        return NULL;
    struct active active = {r->active, cell, NULL, NULL};
    r->active = &active;
    cell->busy = true;
    const struct node *built = container_built(r, n, flags, err);
    cell->busy = false;
    r->active = active.outer;
    r->depth--;
    if (built) {
        cell->all = built;
        cell_of(r, built)->all = built;
    }
    return built;
}

static const struct node *all_of(struct resolver *r, const struct node *n, unsigned flags,
                                 struct err *err)
{
    flags |= n->flags;
    const struct node *head = resolve_head(r, n, err);
    if (!head)
        return NULL;
    flags |= head->flags;
    if (head->kind != NODE_SEQ && head->kind != NODE_MAP)
        return final(r, with_flags(r->arena, head, flags));
    if (head == n)
        return container_all(r, head, flags, err);
    struct active active = {r->active, cell_of(r, n), NULL, NULL};
    r->active = &active;
    const struct node *built = container_all(r, head, flags, err);
    r->active = active.outer;
    return built;
}

const struct node *resolve_all(struct resolver *r, const struct node *n, struct err *err)
{
    return all_of(r, n, 0, err);
}

/* ---- after a failure ---- */

/* Try every string in `n` once, except those that were resolved before the failure. A cycle is told
 * once, however many variables lead into it. False: to go on would fail everywhere. */
static bool gather(struct resolver *r, const struct node *n, unsigned depth, struct err *err)
{
    struct err one = {0};
    struct cell *cell = cell_of(r, n);
    if (cell->gathered || cell->all || depth > RESOLVE_DEPTH_MAX)
        return true;
    cell->gathered = true;
    r->told_again = false;
    const struct node *head = resolve_head(r, n, &one);
    bool go_on = one.kind == ERR_NONE || one.kind == ERR_CONFIG;
    if (r->told_again)
        err_clear(&one);
    err_also(err, &one);
    if (head && head != n)
        return gather(r, head, depth + 1, err);
    node_each (item, head)
        go_on = go_on && gather(r, item, depth + 1, err);
    member_each (m, head)
        go_on = go_on && gather(r, m->value, depth + 1, err);
    return go_on;
}

int resolve_errors(struct resolver *r, const struct node *n, struct err *err)
{
    if (err->kind == ERR_CONFIG && r->text_made <= RESOLVE_TEXT_MAX)
        gather(r, n, 0, err);
    return -1;
}

/* ---- looking into ---- */

int resolve_step(struct resolver *r, const struct node *n, struct str key, const struct node **ret,
                 struct err *err)
{
    const struct node *child = NULL;
    int64_t index;
    *ret = NULL;
    if (n->kind == NODE_MAP)
        child = node_get(n, key);
    else if (n->kind == NODE_SEQ && str_to_int(key, &index) && index >= 0 &&
             (uint64_t)index < n->count && (key.n == 1 || key.p[0] != '0'))
        child = n->items[index];
    if (!child)
        return 0;
    child = resolve_head(r, child, err);
    if (!child)
        return -1;
    *ret = with_flags(r->arena, child, n->flags);
    if (*ret != child)
        final(r, *ret);
    return 0;
}

static void say_missing(struct resolver *r, const struct node *n, struct str key, struct str path,
                        struct str root_name, struct found *found)
{
    struct str where = path.n ? path : root_name;
    if (n->kind != NODE_MAP && n->kind != NODE_SEQ) {
        found->missing = str_fmt(r->arena, "'%.*s' is %s, it has no '%.*s'", STR_ARG(where),
                                 node_kind_name(n), STR_ARG(key));
        return;
    }
    found->missing = str_fmt(r->arena, "no '%.*s' in '%.*s'", STR_ARG(key), STR_ARG(where));
    struct near near = {.name = key};
    member_each (m, n)
        near_offer(&near, m->key);
    if (near.best.n)
        found->help = str_fmt(r->arena, "did you mean '%.*s%s%.*s'?", STR_ARG(path),
                              path.n ? "." : "", STR_ARG(near.best));
}

int resolve_path(struct resolver *r, const struct node *n, struct str path, struct str root_name,
                 struct found *ret, struct err *err)
{
    struct str rest = path, key;
    *ret = (struct found){0};
    while (str_cut(&rest, '.', &key)) {
        size_t done = (size_t)(key.p - path.p);
        const struct node *child;
        origin_add(r->arena, &ret->via, ORIGIN_VIA, n->origin);
        if (resolve_step(r, n, key, &child, err) < 0)
            return -1;
        if (!child) {
            say_missing(r, n, key, str_sub(path, 0, done ? done - 1 : 0), root_name, ret);
            return 0;
        }
        if (child->kind == NODE_NULL) {
            ret->missing =
                str_fmt(r->arena, "'%.*s' is null", STR_ARG(str_sub(path, 0, done + key.n)));
            return 0;
        }
        n = child;
    }
    ret->node = n;
    return 0;
}
