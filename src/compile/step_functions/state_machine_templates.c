/* Mapping templates by which a request becomes the input of an execution. They are the plugin's,
 * sign by sign. */
#include "compile/step_functions/state_machine_http.h"

#define PROXY_REQUEST                                                                          \
    "\n"                                                                                       \
    "  #define( $loop )\n"                                                                     \
    "  {\n"                                                                                    \
    "    #foreach($key in $map.keySet())\n"                                                    \
    "      #set( $k = $util.escapeJavaScript($key) )\n"                                        \
    "      #set( $v = $util.escapeJavaScript($map.get($key)).replaceAll(\"\\\\'\", \"'\") )\n" \
    "      \"$k\":\n"                                                                          \
    "        #if (\"$v\" == \"\")\n"                                                           \
    "          null\n"                                                                         \
    "        #else\n"                                                                          \
    "          \"$v\"\n"                                                                       \
    "        #end\n"                                                                           \
    "        #if( $foreach.hasNext ) , #end\n"                                                 \
    "    #end\n"                                                                               \
    "  }\n"                                                                                    \
    "  #end\n"                                                                                 \
    "  #define( $smInput )\n"                                                                  \
    "  {\n"                                                                                    \
    "    \"resource\": \"$context.resourcePath\",\n"                                           \
    "    \"path\": \"$context.path\",\n"                                                       \
    "    \"httpMethod\": \"$context.httpMethod\",\n"                                           \
    "    #set( $map = $input.params().header )\n"                                              \
    "    \"headers\": $loop,\n"                                                                \
    "\n"                                                                                       \
    "    #if ($input.params().querystring.size() == 0)\n"                                      \
    "    \"queryStringParameters\": null,\n"                                                   \
    "    #else\n"                                                                              \
    "    #set( $map = $input.params().querystring )\n"                                         \
    "    \"queryStringParameters\": $loop,\n"                                                  \
    "    #end\n"                                                                               \
    "\n"                                                                                       \
    "    #if ($input.params().path.size() == 0)\n"                                             \
    "    \"pathParameters\": null,\n"                                                          \
    "    #else\n"                                                                              \
    "    #set( $map = $input.params().path )\n"                                                \
    "    \"pathParameters\": $loop,\n"                                                         \
    "    #end\n"                                                                               \
    "\n"                                                                                       \
    "    #if ($stageVariables.size() == 0)\n"                                                  \
    "    \"stageVariables\": null,\n"                                                          \
    "    #else\n"                                                                              \
    "    #set( $map = $stageVariables )\n"                                                     \
    "    \"stageVariables\": $loop,\n"                                                         \
    "    #end\n"                                                                               \
    "\n"                                                                                       \
    "    \"requestContext\": {\n"                                                              \
    "      \"resourceId\": \"$context.resourceId\",\n"                                         \
    "      \"resourcePath\": \"$context.resourcePath\",\n"                                     \
    "      \"httpMethod\": \"$context.httpMethod\",\n"                                         \
    "      \"extendedRequestId\": \"$context.extendedRequestId\",\n"                           \
    "      \"requestTime\": \"$context.requestTime\",\n"                                       \
    "      \"path\": \"$context.path\",\n"                                                     \
    "      \"accountId\": \"${AccountId}\",\n"                                                 \
    "      \"protocol\": \"$context.protocol\",\n"                                             \
    "      \"stage\": \"$context.stage\",\n"                                                   \
    "      \"domainPrefix\": \"$context.domainPrefix\",\n"                                     \
    "      \"requestTimeEpoch\": $context.requestTimeEpoch,\n"                                 \
    "      \"requestId\": \"$context.requestId\",\n"                                           \
    "      #set( $map = $context.identity )\n"                                                 \
    "      \"identity\": $loop,\n"                                                             \
    "      \"domainName\": \"$context.domainName\",\n"                                         \
    "      #set( $map = $context.authorizer )\n"                                               \
    "      \"authorizer\": $loop,\n"                                                           \
    "      \"apiId\": \"$context.apiId\"\n"                                                    \
    "    },\n"                                                                                 \
    "    \"body\": \"$util.escapeJavaScript(\"$body\").replaceAll(\"\\\\'\", \"'\")\",\n"      \
    "    \"isBase64Encoded\": false\n"                                                         \
    "  }\n"                                                                                    \
    "  #end\n"                                                                                 \
    "  {\n"                                                                                    \
    "    \"input\": \"$util.escapeJavaScript(\"$smInput\").replaceAll(\"\\\\'\", \"'\")\",\n"  \
    "    \"name\":\"$context.requestId\",\n"                                                   \
    "    \"stateMachineArn\":\"${StateMachineArn}\"\n"                                         \
    "  }"

static const char whole_request_json[] = "\n"
                                         "  #set( $body = $input.body )\n"
                                         "  " PROXY_REQUEST;

static const char whole_request_form[] =
    "\n"
    "  #define( $body )\n"
    "    {\n"
    "    #foreach( $token in $input.path('$').split('&') )\n"
    "      #set( $keyVal = $token.split('=') )\n"
    "      #set( $keyValSize = $keyVal.size() )\n"
    "      #if( $keyValSize >= 1 )\n"
    "        #set( $key = $util.escapeJavaScript($util.urlDecode($keyVal[0])) )\n"
    "        #if( $keyValSize >= 2 )\n"
    "          #set($val = $util.escapeJavaScript("
    "$util.urlDecode($keyVal[1])).replaceAll(\"\\\\'\",\"'\"))\n"
    "        #else\n"
    "          #set( $val = '' )\n"
    "        #end\n"
    "        \"$key\": \"$val\"#if($foreach.hasNext),#end\n"
    "      #end\n"
    "    #end\n"
    "    }\n"
    "  #end\n"
    "  " PROXY_REQUEST;

static const char body_only[] =
    "\n#set( $body = $util.escapeJavaScript($input.json('$')).replaceAll(\"\\\\'\", \"'\") )\n"
    "{\"input\": \"$body\", \"name\": \"$context.requestId\", "
    "\"stateMachineArn\":\"${StateMachineArn}\"}";

static const char json[] = "application/json", form[] = "application/x-www-form-urlencoded";

static const struct node *with_arn(struct arena *a, const struct machine_event *e,
                                   const char *template, bool has_account)
{
    struct node *values = node_fn(a, "StateMachineArn", node_ref(a, e->machine->id));
    if (has_account)
        node_put_c(a, values, "AccountId", node_ref(a, STR("AWS::AccountId")));
    return sub_with(a, str_c(template), values);
}

const struct node *machine_templates(struct arena *a, const struct machine_event *e)
{
    const struct node *given = node_path(e->http, "request.template");
    struct node *out = node_map(a);
    if (node_is_text(given, "lambda_proxy")) {
        node_put_c(a, out, json, with_arn(a, e, whole_request_json, true));
        node_put_c(a, out, form, with_arn(a, e, whole_request_form, true));
        return out;
    }
    if (!given && node_get_c(e->http, "action"))
        return out;
    node_put_c(a, out, json, with_arn(a, e, body_only, false));
    node_put_c(a, out, form, with_arn(a, e, body_only, false));
    member_each (m, given)
        node_put_at(a, out, m->key, m->key_pos, m->value);
    return out;
}
