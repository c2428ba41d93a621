/* Addresses of a stage's APIs and its distribution, on AWS and on the local cloud. */
#include "cli/cli.h"

#include "ui/table.h"

static struct str behind_scheme(struct str url)
{
    ptrdiff_t at = str_find(url, STR("://"), 0);
    return at < 0 ? url : str_sub(url, (size_t)at + 3, url.n);
}

/* The API's id in "https://<id>.execute-api.…", of shared APIs and of the stage's own. */
static struct str id_in(struct str url)
{
    struct str rest = behind_scheme(url), id;
    return str_cut(&rest, '.', &id) ? id : (struct str){"", 0};
}

static struct str of_host(const struct cli *cli, const char *scheme, struct str id, struct str path)
{
    struct arena *a = cli->arena;
    struct str port = behind_scheme(cli->endpoint), host, suffix = aws_url_suffix(cli->aws);
    str_cut(&port, ':', &host);
    if (cli->endpoint.n)
        return str_fmt(a, "%s://%.*s.execute-api.localhost:%.*s%.*s", scheme, STR_ARG(id),
                       STR_ARG(port), STR_ARG(path));
    return str_fmt(a, "%ss://%.*s.execute-api.%.*s.%.*s%.*s", scheme, STR_ARG(id),
                   STR_ARG(aws_region(cli->aws)), STR_ARG(suffix), STR_ARG(path));
}

const struct node *context_urls(const struct cli *cli, const struct stack *stage)
{
    struct arena *a = cli->arena;
    struct node *urls = node_map(a);
    struct str rest = id_in(node_text(node_get_c(stage->outputs, "ServiceEndpoint")));
    struct str http = node_text(node_get_c(stage->outputs, "HttpApiId"));
    struct str websocket = id_in(node_text(node_get_c(stage->outputs, "ServiceEndpointWebsocket")));
    struct str name = node_text(node_get_c(stage->tags, TAG_STAGE));
    struct str path = str_concat(a, STR("/"), name);
    /* only an HTTP API that stages share has a stage named like troupe's */
    bool named = str_ends(node_text(node_get_c(stage->outputs, "HttpApiUrl")), path);
    if (rest.n && cli->endpoint.n)
        node_put_c(a, urls, "rest",
                   node_strf(a, "%.*s/restapis/%.*s/%.*s/_user_request_", STR_ARG(cli->endpoint),
                             STR_ARG(rest), STR_ARG(name)));
    else if (rest.n)
        node_put_str(a, urls, "rest", of_host(cli, "http", rest, path));
    if (http.n)
        node_put_str(a, urls, "http", of_host(cli, "http", http, named ? path : STR("")));
    if (websocket.n)
        node_put_str(a, urls, "websocket", of_host(cli, "ws", websocket, path));
    struct str edge = node_text(node_get_c(stage->outputs, "CloudFrontDistributionDomainName"));
    if (edge.n)
        node_put_str(a, urls, "cloudfront", str_concat(a, STR("https://"), edge));
    return urls;
}

void context_show_urls(struct cli *cli, const struct node *urls)
{
    struct table table = TABLE(cli->arena, 3);
    member_each (m, urls) {
        table_cell(&table, STR(" "));
        table_cell(&table, m->key);
        table_cell(&table, node_text(m->value));
    }
    table_write(&table, &cli->out, cli->colour_out);
}
