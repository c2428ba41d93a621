"""Names and ARNs of functions, versions and aliases, as the other modules need them."""

from ministack.services import lambda_svc

from troupe_cloud.patching import require

require(
    lambda_svc,
    "_functions",
    "_func_arn",
    "_get_base_func_record_for_ref",
    "_lambda_function_name_and_qualifier_from_arn",
    "_resolve_name_and_qualifier",
)


def qualified_arn(name, qualifier=None):
    arn = lambda_svc._func_arn(name)
    return f"{arn}:{qualifier}" if qualifier else arn


def split_reference(reference):
    """``(name, qualifier or None)`` of a function name, partial ARN or ARN."""
    if str(reference).startswith("arn:"):
        name, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(reference)
        if name:
            return name, qualifier
    return lambda_svc._resolve_name_and_qualifier(reference)


def base_record(reference):
    """The function's own record behind any reference, or None."""
    return lambda_svc._get_base_func_record_for_ref(reference)[0]


def latest_version(function):
    """The number of the last published version that still exists, or None."""
    return max(function["versions"], key=int, default=None)
