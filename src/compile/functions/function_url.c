/* The HTTPS address of a function, and who may call it. */
#include "compile/compile_internal.h"

/* Lists of `cors`: what they are called, and what `cors: true` allows. */
static const struct cors_list {
    const char *key, *property;
    const char *fallback[7];
} cors_lists[] = {
    {"allowedOrigins", "AllowOrigins", {"*"}},
    {"allowedHeaders",
     "AllowHeaders",
     {"Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token",
      "X-Amzn-Trace-Id"}},
    {"allowedMethods", "AllowMethods", {"*"}},
    {"exposedResponseHeaders", "ExposeHeaders", {0}},
};

static struct node *unique_items(struct arena *a, const struct node *list)
{
    struct node *out = node_seq(a);
    node_each (item, list)
        add_unique(a, out, item);
    return node_from(out, list);
}

static const struct node *cors_config(struct arena *a, const struct node *cors)
{
    struct node *config = node_map(a);
    if (node_truthy(node_get_c(cors, "allowCredentials")))
        node_put_c(a, config, "AllowCredentials", node_bool(a, true));
    for (size_t i = 0; i < sizeof cors_lists / sizeof *cors_lists; i++) {
        const struct cors_list *l = &cors_lists[i];
        const struct node *given = node_get_c(cors, l->key);
        if (node_is(given, NODE_NULL))
            continue; /* with null the list is left out, the default too */
        struct node *list = node_seq(a);
        for (size_t k = 0; !node_truthy(given) && l->fallback[k]; k++)
            node_push(a, list, node_c(a, l->fallback[k]));
        if (node_truthy(given))
            list = unique_items(a, given);
        if (node_truthy(given) || list->count)
            node_put_c(a, config, l->property, list);
    }
    copy_member(a, config, "MaxAge", cors, "maxAge");
    return config;
}

/* Let anybody call: the URL, and the function through it. Lambda wants a permission for each. */
static int allow_everybody(struct compilation *c, const struct function *f, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *target = target_arn(c, f);
    struct node *url = permission_new(a, target, node_c(a, "*"), NULL);
    url = cfn_with_property(a, url, "Action", node_c(a, "lambda:InvokeFunctionUrl"));
    url = cfn_with_property(a, url, "FunctionUrlAuthType", node_c(a, "NONE"));
    depend_on_alias(c, url, f);
    put_condition(c, url, f);
    struct node *function = permission_new(a, target, node_c(a, "*"), NULL);
    function = cfn_with_property(a, function, "InvokedViaFunctionUrl", node_bool(a, true));
    depend_on_alias(c, function, f);
    put_condition(c, function, f);
    struct pos from = node_pos(node_get_c(f->node, "url"));
    if (resource_add(c, name_with(c, f, "LambdaPermissionFnUrl"), url, from, err) < 0)
        return -1;
    return resource_add(c, name_with(c, f, "LambdaPermissionFn"), function, from, err);
}

int function_url(struct compilation *c, const struct function *f, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *url = node_setting(f->node, NULL, "url");
    if (!url)
        return 0;
    const struct node *authorizer = node_get_c(url, "authorizer");
    const struct node *cors = node_get_c(url, "cors"), *mode = node_get_c(url, "invokeMode");
    bool is_iam = node_is_text(authorizer, "aws_iam");
    struct node *p = node_map(a);
    node_put_c(a, p, "AuthType", node_from(node_c(a, is_iam ? "AWS_IAM" : "NONE"), authorizer));
    node_put_c(a, p, "TargetFunctionArn", target_arn(c, f));
    if (node_truthy(cors))
        node_put_c(a, p, "Cors", cors_config(a, cors));
    if (node_is_text(mode, "RESPONSE_STREAM"))
        node_put_c(a, p, "InvokeMode", mode);
    struct node *resource = resource_new(a, "AWS::Lambda::Url", p);
    depend_on_alias(c, resource, f);
    put_condition(c, resource, f);
    struct str id = name_with(c, f, "LambdaFunctionUrl");
    struct node *output = node_map(a);
    node_put_c(a, output, "Description", node_c(a, "Lambda Function URL"));
    node_put_c(a, output, "Value", node_get_att(a, id, "FunctionUrl"));
    put_condition(c, output, f);
    node_put(a, c->outputs, id, output);
    if (resource_add(c, id, resource, node_pos(url), err) < 0)
        return -1;
    return is_iam ? 0 : allow_everybody(c, f, err);
}
