"""GetTemplateSummary names what identifies a resource to import.

What AWS does (API reference, "ResourceIdentifierSummary"): for every type of the template that can
be imported, the logical ids and the names of the identifier, which CreateChangeSet wants in
``ResourcesToImport``. MiniStack imports, but does not say what it wants.

Without it fails: ``test_cloudformation.py::test_template_summary_names_identifiers``
"""

from ministack.services.cloudformation import changesets, handlers

from troupe_cloud.patching import patch, require

require(changesets, "_IMPORT_LOOKUPS", "_RESOURCE_HANDLERS")
require(handlers, "_resolve_template", "_parse_template", "_resolve_stack", "_p", "_esc")
END = "</GetTemplateSummaryResult>"


def members(values):
    return "".join(f"<member>{handlers._esc(value)}</member>" for value in values)


def summaries(template):
    """The list as XML, in the order of the template."""
    by_type = {}
    for logical_id, resource in (template.get("Resources") or {}).items():
        kind = resource.get("Type", "") if isinstance(resource, dict) else ""
        known = kind in changesets._IMPORT_LOOKUPS
        if known and "import" in changesets._RESOURCE_HANDLERS.get(kind, {}):
            by_type.setdefault(kind, []).append(logical_id)
    return "".join(
        f"<member><ResourceType>{handlers._esc(kind)}</ResourceType>"
        f"<LogicalResourceIds>{members(ids)}</LogicalResourceIds>"
        f"<ResourceIdentifiers>{members(changesets._IMPORT_LOOKUPS[kind][0])}</ResourceIdentifiers>"
        "</member>"
        for kind, ids in by_type.items()
    )


@patch(handlers, "_get_template_summary")
def get_template_summary(original, params):
    response = original(params)
    if response[0] != 200:
        return response
    body, _ = handlers._resolve_template(params)
    if not body:
        stack = handlers._resolve_stack(handlers._p(params, "StackName")) or {}
        body = stack.get("_template_body", "{}")
    found = summaries(handlers._parse_template(body))
    text = response[2].decode() if isinstance(response[2], bytes) else response[2]
    text = text.replace(
        END, f"<ResourceIdentifierSummaries>{found}</ResourceIdentifierSummaries>{END}"
    )
    return response[0], response[1], text.encode()
