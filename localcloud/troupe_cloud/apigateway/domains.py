"""Calls of a custom domain, whichever account has it.

What AWS does: a name is one domain's alone, and who calls it needs no account (API Gateway
developer guide, "Custom domain names"). MiniStack looks among the domains of its default account
only.

Without it fails: ``test_rest.py::test_a_custom_domain_of_any_account``
"""

from ministack.services import apigateway_v1 as rest

from troupe_cloud.patching import patch, require

require(rest, "_domain_names")


@patch(rest, "find_domain_scope")
def find_domain_scope(_original, domain_name):
    for (account, region, name), _record in rest._domain_names.all_items():
        if name.lower() == domain_name.lower():
            return account, region, name
    return None
