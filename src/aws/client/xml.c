/* XML answers as trees, by expat. */
#include "aws/client/xml.h"

#include <expat.h>

#include "base/buf.h"
#include "base/map.h"

struct element {
    struct str name;
    struct buf text;
    struct map children; /* name -> struct node *: sequence of the children of that name */
};

struct reader {
    struct arena *arena;
    XML_Parser parser;
    struct element stack[XML_DEPTH_MAX];
    size_t depth;
    struct str root;
    const struct node *result;
    const char *problem; /* NULL: expat's own, or none */
};

static void give_up(struct reader *r, const char *problem)
{
    if (!r->problem)
        r->problem = problem;
    XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct reader *r = context;
    if (r->problem)
        return;
    if (r->depth == XML_DEPTH_MAX) {
        give_up(r, "nested too deeply");
        return;
    }
    const char *colon = strrchr(name, ':');
    struct str local = str_dup(r->arena, str_c(colon && colon[1] ? colon + 1 : name));
    r->stack[r->depth++] =
        (struct element){.name = local, .text = BUF(r->arena), .children = MAP(r->arena)};
}

static void on_text(void *context, const XML_Char *p, int n)
{
    struct reader *r = context;
    if (r->depth && !r->problem)
        buf_add(&r->stack[r->depth - 1].text, (struct str){p, (size_t)n});
}

static const struct node *content(struct arena *a, const struct element *e)
{
    if (!e->children.n)
        return node_str(a, buf_str(&e->text));
    if (e->children.n == 1 && str_eq(e->children.entries[0].key, STR("member")))
        return e->children.entries[0].value;
    struct node *map = node_map(a);
    for (size_t i = 0; i < e->children.n; i++) {
        const struct node *all = e->children.entries[i].value;
        node_put(a, map, e->children.entries[i].key, all->count == 1 ? all->items[0] : all);
    }
    return map;
}

static void add_child(struct arena *a, struct element *parent, struct str name,
                      const struct node *value)
{
    struct node *all = map_get(&parent->children, name);
    if (!all) {
        all = node_seq(a);
        map_put(&parent->children, name, all);
    }
    node_push(a, all, value);
}

static void on_end(void *context, const XML_Char *name)
{
    (void)name;
    struct reader *r = context;
    if (r->problem || !r->depth)
        return;
    struct element *e = &r->stack[--r->depth];
    const struct node *value = content(r->arena, e);
    if (r->depth) {
        add_child(r->arena, &r->stack[r->depth - 1], e->name, value);
    } else {
        r->root = e->name;
        r->result = value;
    }
}

/* Refuse document types: no answer of AWS has one, and their entities could blow up the text. */
static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    give_up(context, "it has a document type");
}

static void parser_cleanup(XML_Parser *parser)
{
    XML_ParserFree(*parser);
}

const struct node *xml_read(struct arena *a, struct str text, struct str *ret_root, struct err *err)
{
    if (text.n > XML_BYTES_MAX) {
        err_set(err, ERR_FAILED, "cannot read XML: larger than %d MiB", XML_BYTES_MAX >> 20);
        return NULL;
    }
    XML_Parser parser __attribute__((cleanup(parser_cleanup))) = XML_ParserCreate("UTF-8");
    struct reader *r = ARENA_NEW(a, struct reader);
    r->arena = a;
    r->parser = parser;
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    bool ok = XML_Parse(parser, text.n ? text.p : "", (int)text.n, 1) == XML_STATUS_OK;
    if (!ok || r->problem || !r->result) {
        const char *why = r->problem ? r->problem : XML_ErrorString(XML_GetErrorCode(parser));
        err_set(err, ERR_FAILED, "cannot read XML: line %lu: %s",
                (unsigned long)XML_GetCurrentLineNumber(parser), why);
        return NULL;
    }
    if (ret_root)
        *ret_root = r->root;
    return r->result;
}
