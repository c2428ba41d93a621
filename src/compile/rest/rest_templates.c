/* The request templates that the `lambda` integration has unless an event says otherwise: what a
 * function gets as its event. Functions depend on every byte of them, so they are the dialect's. */
#include "compile/rest/rest.h"

/* clang-format off: one line of text per line */
#define EVENT                                                                                    \
    "#define( $loop )\n"                                                                         \
    "    {\n"                                                                                    \
    "    #foreach($key in $map.keySet())\n"                                                      \
    "        #set( $k = $util.escapeJavaScript($key) )\n"                                        \
    "        #set( $v = $util.escapeJavaScript($map.get($key)).replaceAll(\"\\\\'\", \"'\") )\n" \
    "        \"$k\":\n"                                                                          \
    "          \"$v\"\n"                                                                         \
    "          #if( $foreach.hasNext ) , #end\n"                                                 \
    "    #end\n"                                                                                 \
    "    }\n"                                                                                    \
    "  #end\n"                                                                                   \
    "\n"                                                                                         \
    "  {\n"                                                                                      \
    "    \"body\": $body,\n"                                                                     \
    "    \"method\": \"$context.httpMethod\",\n"                                                 \
    "    \"principalId\": \"$context.authorizer.principalId\",\n"                                \
    "    \"stage\": \"$context.stage\",\n"                                                       \
    "\n"                                                                                         \
    "    \"cognitoPoolClaims\" : {\n"                                                            \
    "       extraCognitoPoolClaims\n"                                                            \
    "       \"sub\": \"$context.authorizer.claims.sub\"\n"                                       \
    "    },\n"                                                                                   \
    "\n"                                                                                         \
    "    #set( $map = $context.authorizer )\n"                                                   \
    "    \"enhancedAuthContext\": $loop,\n"                                                      \
    "\n"                                                                                         \
    "    #set( $map = $input.params().header )\n"                                                \
    "    \"headers\": $loop,\n"                                                                  \
    "\n"                                                                                         \
    "    #set( $map = $input.params().querystring )\n"                                           \
    "    \"query\": $loop,\n"                                                                    \
    "\n"                                                                                         \
    "    #set( $map = $input.params().path )\n"                                                  \
    "    \"path\": $loop,\n"                                                                     \
    "\n"                                                                                         \
    "    #set( $map = $context.identity )\n"                                                     \
    "    \"identity\": $loop,\n"                                                                 \
    "\n"                                                                                         \
    "    #set( $map = $stageVariables )\n"                                                       \
    "    \"stageVariables\": $loop,\n"                                                           \
    "\n"                                                                                         \
    "    \"requestPath\": \"$context.resourcePath\"\n"                                           \
    "  }\n"                                                                                      \
    "\n"                                                                                         \
    "  "

static const char json_template[] = "\n"
                                    "    #set( $body = $input.json(\"$\") )\n"
                                    "\n"
                                    "    \n"
                                    "  " EVENT;

static const char form_template[] =
    "\n"
    "    #define( $body )\n"
    "      {\n"
    "      #foreach( $token in $input.path('$').split('&') )\n"
    "        #set( $keyVal = $token.split('=') )\n"
    "        #set( $keyValSize = $keyVal.size() )\n"
    "        #if( $keyValSize >= 1 )\n"
    "          #set( $key = $util.escapeJavaScript($util.urlDecode($keyVal[0])) )\n"
    "          #if( $keyValSize >= 2 )\n"
    "            #set($val = "
    "$util.escapeJavaScript($util.urlDecode($keyVal[1])).replaceAll(\"\\\\'\",\"'\"))\n"
    "          #else\n"
    "            #set( $val = '' )\n"
    "          #end\n"
    "          \"$key\": \"$val\"#if($foreach.hasNext),#end\n"
    "        #end\n"
    "      #end\n"
    "      }\n"
    "    #end\n"
    "\n"
    "    \n"
    "  " EVENT;
/* clang-format on */

struct node *rest_default_templates(struct arena *a)
{
    struct node *templates = node_map(a);
    node_put_c(a, templates, "application/json", node_c(a, json_template));
    node_put_c(a, templates, "application/x-www-form-urlencoded", node_c(a, form_template));
    return templates;
}
