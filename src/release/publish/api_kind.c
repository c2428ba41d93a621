/* Kinds of shared APIs. */
#include "release/publish/api_kind.h"

const struct gateway *api_gateway(enum api_kind kind)
{
    return kind == API_HTTP ? &gateway_http : &gateway_rest;
}
