/* The language of a template's expressions: Ref, Fn::GetAtt, Fn::Sub and conditions, wherever they
 * stand.
 *
 * Source: CloudFormation User Guide, "Intrinsic function reference". Texts that these functions
 * give belong to the tree that was asked. */
#ifndef TROUPE_CFN_EXPRESSION_H
#define TROUPE_CFN_EXPRESSION_H

#include "doc/node.h"

/* ---- values ---- */

/* How a value is written. */
enum cfn_form {
    CFN_AS_NODE, /* {"Ref": id} or {"Fn::GetAtt": [id, attribute]} */
    CFN_AS_TEXT, /* {"Fn::GetAtt": "id.attribute"} */
    CFN_IN_SUB,  /* "${id.attribute}" of an Fn::Sub */
};

/* What an expression takes from elsewhere in the template: from a resource, a parameter, or a
 * pseudo parameter. */
struct cfn_value {
    struct str id, attribute; /* attribute empty: the value of Ref */
    enum cfn_form form;
    /* the attribute when it is an expression, and `attribute` is "?" then; NULL: it is written
     * out */
    const struct node *computed;
    const struct node *at;   /* the Ref, Fn::GetAtt or Fn::Sub */
    const struct node *text; /* the string in it that `id` is a piece of */
};

/* Is `n` a Ref or an Fn::GetAtt? Then its value. */
bool cfn_value_of(const struct node *n, struct cfn_value *ret);
/* Is `n` one value and nothing more? As cfn_value_of, and {"Fn::Sub": "${id.attribute}"}. */
bool cfn_is_value(const struct node *n, struct cfn_value *ret);
/* The Ref or Fn::GetAtt of a value. */
struct node *cfn_value_node(struct arena *a, const struct cfn_value *v);

/* ---- visiting values ---- */

typedef void cfn_visit(void *context, const struct cfn_value *v);
/* Visit every value that `n` takes. What DependsOn and conditions name are no values. */
void cfn_each_value(const struct node *n, cfn_visit *visit, void *context);
/* Visit the values of the function that `n` itself is, without those in its arguments. */
void cfn_values_at(const struct node *n, cfn_visit *visit, void *context);
/* Does `n` take a value of `id`? */
bool cfn_mentions(const struct node *n, struct str id);

/* Visit every name of a condition in `n`: {"Condition": name} and the first argument of Fn::If. */
typedef void cfn_visit_condition(void *context, const struct node *name);
void cfn_each_condition(const struct node *n, cfn_visit_condition *visit, void *context);

/* {"Ref": …} or {"Fn::…": …}: what only CloudFormation can tell. */
bool cfn_is_function(const struct node *n);
/* Is `n`, or something in it, a function? */
bool cfn_has_function(const struct node *n);
/* {"Ref": "AWS::NoValue"}: the property is not there. */
bool cfn_is_no_value(const struct node *n);

/* ---- Fn::Sub ---- */

struct cfn_sub {
    const struct node *text, *locals; /* its text; the map of its own variables, or NULL */
    size_t at;                        /* behind the last variable */
    struct str before; /* the text since the variable before, "${!…}" as it stands */
    struct str name;   /* of the last variable, trimmed */
    /* the value of one of its own variables; NULL: it is no such variable */
    const struct node *local;
    struct cfn_value value; /* otherwise the value that it names */
};

/* Is `n` an Fn::Sub? Then `*ret` is ready for its first variable. */
bool cfn_sub_of(const struct node *n, struct cfn_sub *ret);
/* Go to the next variable. False: there is none, and `before` is the rest of the text. */
bool cfn_sub_next(struct cfn_sub *s);

/* ---- replacing values ---- */

/* What replaces a value; NULL: it stays. In the text of an Fn::Sub, a Ref and an Fn::GetAtt become
 * "${…}", an Fn::Sub of a text becomes that text, and a scalar its own text; for anything else the
 * value in the text stays. */
typedef const struct node *cfn_substitute(void *context, struct arena *a,
                                          const struct cfn_value *v);
/* `n` with its values replaced by what `substitute` gives; nodes without a change are shared. */
const struct node *cfn_replace_values(struct arena *a, const struct node *n,
                                      cfn_substitute *substitute, void *context);

#endif
