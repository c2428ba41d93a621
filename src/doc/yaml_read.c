/* Reading YAML by libyaml's event interface, which knows positions; the scalar rules are those of
 * the YAML 1.2 core schema as the dialect's reader applies them. */
#include "doc/yaml.h"

#include <yaml.h>

#include "base/map.h"
#include "base/vec.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/place.h"

struct anchor {
    struct str name;
    const struct node *node;
};

struct reader {
    struct arena *arena;
    const struct source *source;
    yaml_parser_t parser;
    yaml_event_t event; /* valid while has_event */
    bool has_event;
    unsigned depth;
    struct map anchors; /* name -> node */
    struct err *err;
};

static struct pos pos_of(const struct reader *r, yaml_mark_t start, yaml_mark_t end)
{
    uint32_t length = start.line == end.line ? (uint32_t)(end.column - start.column) : 0;
    return (struct pos){r->source, (uint32_t)start.line + 1, (uint32_t)start.column + 1, length};
}

static struct pos event_pos(const struct reader *r)
{
    return pos_of(r, r->event.start_mark, r->event.end_mark);
}

static bool is_tab(struct pos pos)
{
    ptrdiff_t at = place_offset(pos);
    return at >= 0 && (size_t)at < pos.source->text.n && pos.source->text.p[at] == '\t';
}

static const struct node *parser_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        die("out of memory");
    struct pos pos = pos_of(r, p->problem_mark, p->problem_mark);
    if (p->error == YAML_SCANNER_ERROR && is_tab(pos)) {
        err_at(r->err, pos, ERR_CONFIG, "invalid YAML: tabs cannot indent");
        err_help(r->err, "use spaces, two for each level");
        return NULL;
    }
    err_at(r->err, pos, ERR_CONFIG, "invalid YAML: %s", p->problem ? p->problem : "unreadable");
    if (p->context)
        err_note(r->err, pos_of(r, p->context_mark, p->context_mark), "%s", p->context);
    return NULL;
}

static bool next(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (!r->has_event)
        parser_error(r);
    return r->has_event;
}

/* ---- plain scalars ---- */

static bool one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_eq(s, str_c(*words)))
            return true;
    return false;
}

static struct node *plain_number(struct arena *a, struct str s)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    bool has_sign = s.n && (s.p[0] == '-' || s.p[0] == '+');
    double value;
    if (one_of(str_sub(s, has_sign, s.n), infinities) || one_of(s, nans))
        return node_null(a); /* as JSON has neither and the dialect's writer makes them null */
    return yaml_number(s, &value) ? node_number(a, number_canonical(a, value)) : NULL;
}

static struct node *plain_scalar(struct arena *a, struct str s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (one_of(s, nulls))
        return node_null(a);
    if (one_of(s, trues))
        return node_bool(a, true);
    if (one_of(s, falses))
        return node_bool(a, false);
    struct node *n = plain_number(a, s);
    return n ? n : node_str(a, s);
}

/* ---- tags ---- */

/* CloudFormation's short forms; the long form of `x` is `Fn::x` but for two. */
static const char *const functions[] = {
    "And",          "Base64",     "Cidr",      "Condition", "Contains",     "EachMemberEquals",
    "EachMemberIn", "Equals",     "FindInMap", "GetAtt",    "GetAZs",       "If",
    "ImportValue",  "Join",       "Length",    "Not",       "Or",           "Ref",
    "RefAll",       "Select",     "Split",     "Sub",       "ToJsonString", "Transform",
    "ValueOf",      "ValueOfAll", NULL};

/* Position independent part of a tag: its function's name, or empty when it has none. */
static struct str tag_function(const yaml_char_t *tag)
{
    struct str s = str_c((const char *)tag);
    if (!str_starts(s, STR("!")))
        return (struct str){"", 0};
    s = str_sub(s, 1, s.n);
    return one_of(s, functions) ? s : (struct str){"", 0};
}

static const struct node *split_attribute(struct arena *a, const struct node *n)
{
    ptrdiff_t found = str_find_char(n->text, '.', 0);
    size_t dot = found < 0 ? n->text.n : (size_t)found;
    struct node *pair = node_seq(a), *name = node_str(a, str_sub(n->text, 0, dot));
    struct node *attribute = node_str(a, str_sub(n->text, dot + 1, n->text.n));
    node_push(a, pair, node_from(name, n));
    node_push(a, pair, node_from(attribute, n));
    return node_from(pair, n);
}

static struct node *apply_function(struct arena *a, struct str function, const struct node *n)
{
    bool bare = str_eq(function, STR("Ref")) || str_eq(function, STR("Condition"));
    if (str_eq(function, STR("GetAtt")) && n->kind == NODE_STRING)
        n = split_attribute(a, n);
    struct node *map = node_map(a);
    node_put(a, map, bare ? function : str_fmt(a, "Fn::%.*s", STR_ARG(function)), n);
    return node_from(map, n);
}

/* Apply an explicit tag to a value. 0: the tag is fine, and `*ret` may be another value now. */
static int apply_tag(struct reader *r, const yaml_char_t *tag, struct pos at, const char *core,
                     struct node **ret)
{
    if (!tag || strcmp((const char *)tag, core) == 0 || strcmp((const char *)tag, "!") == 0)
        return 0;
    struct str function = tag_function(tag);
    if (function.n) {
        (*ret)->pos = at;
        *ret = apply_function(r->arena, str_dup(r->arena, function), *ret);
        return 0;
    }
    err_at(r->err, at, ERR_CONFIG, "unknown YAML tag '%s'", (const char *)tag);
    return err_help(r->err, "CloudFormation functions such as !Ref, !Sub and !GetAtt can be used");
}

/* ---- values ---- */

static const struct node *read_node(struct reader *r);

static int keep_anchor(struct reader *r, const yaml_char_t *name, const struct node *n)
{
    if (name)
        map_put(&r->anchors, str_dup(r->arena, str_c((const char *)name)), n);
    return 0;
}

static struct node *core_scalar(struct reader *r, const yaml_char_t *tag, struct str s)
{
    static const struct {
        const char *tag;
        enum node_kind kind;
    } typed[] = {{YAML_NULL_TAG, NODE_NULL},
                 {YAML_BOOL_TAG, NODE_BOOL},
                 {YAML_INT_TAG, NODE_NUMBER},
                 {YAML_FLOAT_TAG, NODE_NUMBER}};
    for (size_t i = 0; tag && i < sizeof typed / sizeof *typed; i++) {
        struct node *n;
        if (strcmp((const char *)tag, typed[i].tag) == 0 &&
            (n = plain_scalar(r->arena, s))->kind == typed[i].kind)
            return n;
    }
    return NULL;
}

static const struct node *read_scalar(struct reader *r)
{
    struct arena *a = r->arena;
    struct pos at = event_pos(r);
    const yaml_char_t *tag = r->event.data.scalar.tag;
    struct str s = str_dup(
        a, (struct str){(const char *)r->event.data.scalar.value, r->event.data.scalar.length});
    bool plain = !tag && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct node *n = plain ? plain_scalar(a, s) : core_scalar(r, tag, s);
    if (!n) {
        bool is_nothing = tag && !s.n && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                          tag_function(tag).n; /* "!Ref" alone */
        n = is_nothing ? node_null(a) : node_str(a, s);
        if (apply_tag(r, tag, at, YAML_STR_TAG, &n) < 0)
            return NULL;
    }
    n->pos = at;
    keep_anchor(r, r->event.data.scalar.anchor, n);
    return n;
}

static const struct node *read_alias(struct reader *r)
{
    struct str name = str_c((const char *)r->event.data.alias.anchor);
    const struct node *n = map_get(&r->anchors, name);
    if (!n)
        err_at(r->err, event_pos(r), ERR_CONFIG, "unknown YAML anchor '%.*s'", STR_ARG(name));
    return n;
}

static bool check_weight(struct reader *r, const struct node *n, struct pos at)
{
    if (n->weight <= YAML_WEIGHT_MAX)
        return true;
    err_at(r->err, at, ERR_CONFIG, "YAML aliases expand to more than %d values", YAML_WEIGHT_MAX);
    return false;
}

static const struct node *read_seq(struct reader *r)
{
    struct arena *a = r->arena;
    struct pos at = event_pos(r);
    struct str anchor = str_dup(a, str_c((char *)r->event.data.sequence_start.anchor));
    struct str tag = str_dup(a, str_c((char *)r->event.data.sequence_start.tag));
    struct node *seq = node_seq(a);
    while (next(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
        const struct node *item = read_node(r);
        if (!item)
            return NULL;
        node_push(a, seq, item);
        if (!check_weight(r, seq, at))
            return NULL;
    }
    if (!r->has_event ||
        apply_tag(r, tag.n ? (const yaml_char_t *)tag.p : NULL, at, YAML_SEQ_TAG, &seq) < 0)
        return NULL;
    seq->pos = at;
    keep_anchor(r, anchor.n ? (const yaml_char_t *)anchor.p : NULL, seq);
    return seq;
}

static int refuse_merge(struct reader *r, const struct node *from, struct pos at)
{
    err_at(r->err, at, ERR_CONFIG, "'<<' needs a map or a list of maps, not %s",
           node_kind_name(from));
    if (!node_is(from, NODE_STRING) || str_find(from->text, STR("${"), 0) < 0)
        return -1;
    return err_help(r->err,
                    "'<<' is applied when the file is read, before there are variables: merge "
                    "an anchor of the same file ('<<: *name'), or name the members");
}

/* `<<`: members that the map does not have itself; of several maps the first wins. */
static int merge_into(struct reader *r, struct node *map, const struct node *from, struct pos at)
{
    if (from->kind == NODE_SEQ) {
        node_each (item, from)
            if (item->kind != NODE_MAP)
                return refuse_merge(r, item, at);
            else if (merge_into(r, map, item, at) < 0)
                return -1;
        return 0;
    }
    if (from->kind != NODE_MAP)
        return refuse_merge(r, from, at);
    member_each (m, from)
        if (!node_member(map, m->key))
            node_put_at(r->arena, map, m->key, m->key_pos, m->value);
    return 0;
}

/* Plain keys of another type become its text, as in the dialect: `True:` is "true", `0x1F:` "31".
 */
static bool read_key(struct reader *r, struct str *ret, struct pos *ret_pos)
{
    *ret_pos = event_pos(r);
    if (r->event.type == YAML_SCALAR_EVENT) {
        struct str s = {(const char *)r->event.data.scalar.value, r->event.data.scalar.length};
        bool is_plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        const struct node *n =
            is_plain && !r->event.data.scalar.tag && s.n ? plain_scalar(r->arena, s) : NULL;
        *ret = str_dup(r->arena, node_is(n, NODE_NULL) ? STR("null") : n ? node_text(n) : s);
        return true;
    }
    const struct node *n = r->event.type == YAML_ALIAS_EVENT ? read_alias(r) : NULL;
    if (r->err->kind == ERR_NONE && !node_is(n, NODE_STRING))
        err_at(r->err, *ret_pos, ERR_CONFIG, "a key must be a string");
    *ret = node_text(n);
    return r->err->kind == ERR_NONE;
}

/* Merge keys apply when the map is complete: its own members win wherever they stand. */
struct merge {
    const struct node *value;
    struct pos at;
};
struct merges {
    VEC(struct merge) list;
};

static bool read_member(struct reader *r, struct node *map, struct merges *merges)
{
    struct str key;
    struct pos key_pos;
    if (!read_key(r, &key, &key_pos))
        return false;
    bool merge = str_eq(key, STR("<<")) && r->event.type == YAML_SCALAR_EVENT &&
                 r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const struct member *old = node_member(map, key);
    if (old && !merge) {
        err_at(r->err, key_pos, ERR_CONFIG, "key '%.*s' is there twice", STR_ARG(key));
        err_note(r->err, old->key_pos, "first");
        return false;
    }
    const struct node *value = next(r) ? read_node(r) : NULL;
    if (!value)
        return false;
    if (merge)
        vec_push(r->arena, &merges->list, ((struct merge){value, key_pos}));
    else
        node_put_at(r->arena, map, key, key_pos, value);
    return true;
}

static const struct node *read_map(struct reader *r)
{
    struct arena *a = r->arena;
    struct pos at = event_pos(r);
    struct str anchor = str_dup(a, str_c((char *)r->event.data.mapping_start.anchor));
    struct str tag = str_dup(a, str_c((char *)r->event.data.mapping_start.tag));
    struct node *map = node_map(a);
    struct merges merges = {0};
    while (next(r) && r->event.type != YAML_MAPPING_END_EVENT)
        if (!read_member(r, map, &merges) || !check_weight(r, map, at))
            return NULL;
    if (!r->has_event)
        return NULL;
    vec_each (&merges.list, m)
        if (merge_into(r, map, m->value, m->at) < 0 || !check_weight(r, map, at))
            return NULL;
    if (apply_tag(r, tag.n ? (const yaml_char_t *)tag.p : NULL, at, YAML_MAP_TAG, &map) < 0)
        return NULL;
    map->pos = at;
    keep_anchor(r, anchor.n ? (const yaml_char_t *)anchor.p : NULL, map);
    return map;
}

static const struct node *read_node(struct reader *r)
{
    if (r->event.type == YAML_SCALAR_EVENT)
        return read_scalar(r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return read_alias(r);
    if (r->depth >= DOC_DEPTH_MAX) {
        err_at(r->err, event_pos(r), ERR_CONFIG, "nested more than %d deep", DOC_DEPTH_MAX);
        return NULL;
    }
    r->depth++;
    const struct node *n = r->event.type == YAML_SEQUENCE_START_EVENT ? read_seq(r) : read_map(r);
    r->depth--;
    return n;
}

/* ---- the document ---- */

static bool expect_end(struct reader *r)
{
    if (!next(r) || !next(r)) /* document end, then stream end or another document */
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return true;
    err_at(r->err, event_pos(r), ERR_CONFIG, "a second YAML document starts here");
    err_help(r->err, "keep one document in the file, without '---' between parts");
    return false;
}

static const struct node *read_document(struct reader *r)
{
    if (!next(r) || !next(r)) /* stream start, then document start or stream end */
        return NULL;
    if (r->event.type == YAML_STREAM_END_EVENT) {
        struct node *n = node_null(r->arena);
        n->pos = (struct pos){r->source, 1, 1, 0};
        return n;
    }
    const struct node *n = next(r) ? read_node(r) : NULL;
    return n && expect_end(r) ? n : NULL;
}

static struct pos pos_of_offset(const struct source *source, size_t offset)
{
    struct pos at = {source, 1, 1, 0};
    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)source->text.p[i];
        if (c == '\n') {
            at.line++;
            at.column = 1;
        } else if ((c & 0xC0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

static int check_text(const struct source *source, struct err *err)
{
    if (source->text.n > DOC_BYTES_MAX)
        return err_at(err, (struct pos){source, 1, 1, 0}, ERR_CONFIG,
                      "the file has %zu bytes, more than the %d that are read", source->text.n,
                      DOC_BYTES_MAX);
    size_t bad;
    if (encoding_check(source, err) < 0)
        return -1;
    if (!str_utf8_ok(source->text, &bad))
        return err_at(err, pos_of_offset(source, bad), ERR_CONFIG, "invalid UTF-8: byte 0x%02x",
                      (unsigned char)source->text.p[bad]);
    ptrdiff_t nul = str_find_char(source->text, 0, 0);
    if (nul >= 0)
        return err_at(err, pos_of_offset(source, (size_t)nul), ERR_CONFIG,
                      "a NUL byte stands in the file");
    return 0;
}

const struct node *yaml_read(struct arena *a, const struct source *source, struct err *err)
{
    if (check_text(source, err) < 0)
        return NULL;
    struct reader r = {.arena = a, .source = source, .anchors = MAP(a), .err = err};
    if (!yaml_parser_initialize(&r.parser))
        die("out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    struct str text = encoding_skip_mark(source->text); /* libyaml counts it as a column */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    const struct node *n = read_document(&r);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return n;
}
