#!/usr/bin/env python3
"""Write tests/golden/aws/endpoints.txt: where botocore sends the calls of troupe's services, by its
own endpoint rules. tests/unit/aws/test_parts.c compares troupe's endpoints with it.

Usage: endpoints.py [--check]     with a Python that has botocore: $(scripts/setup.sh python)

A line is "service region fips dualstack URL"; "-" in place of a URL: botocore has none.
"""

import os
import pathlib
import sys

import botocore.exceptions
import botocore.session
from botocore.config import Config

TABLE = pathlib.Path(__file__).resolve().parent.parent / "golden/aws/endpoints.txt"

# troupe's name of the service -> an operation, as rules may ask for more than the region.
SERVICES = {
    "acm": "ListCertificates",
    "apigateway": "GetRestApis",
    "apigatewayv2": "GetApis",
    "cloudformation": "DescribeStacks",
    "cloudwatch": "GetMetricData",
    "ecr": "DescribeRepositories",
    "lambda": "ListFunctions",
    "logs": "FilterLogEvents",
    "route53": "ListHostedZones",
    "s3": "ListBuckets",
    "signin": "CreateOAuth2Token",
    "ssm": "GetParameter",
    "sso": "GetRoleCredentials",
    "sso-oidc": "CreateToken",
    "sts": "GetCallerIdentity",
}

# Two of each kind of partition that has two.
REGIONS = [
    "us-east-1",
    "eu-central-1",
    "us-gov-west-1",
    "us-gov-east-1",
    "cn-north-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
]

NONE = (botocore.exceptions.EndpointVariantError, botocore.exceptions.EndpointProviderError)


def url(session, service, region, fips, dualstack):
    # without a regional S3 endpoint us-east-1 would be the global one of old
    config = Config(
        use_fips_endpoint=fips,
        use_dualstack_endpoint=dualstack,
        s3={"us_east_1_regional_endpoint": "regional"},
    )
    try:
        client = session.create_client(
            service,
            region_name=region,
            config=config,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        operation = client.meta.service_model.operation_model(SERVICES[service])
        context = {
            "client_region": region,
            "auth_type": None,
            "client_config": client.meta.config,
            "has_streaming_input": False,
        }
        return client._resolve_endpoint_ruleset(operation, {}, context)[0].rstrip("/")
    except NONE:
        return "-"


def lines():
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    session = botocore.session.Session()
    for service in SERVICES:
        for region in REGIONS:
            for fips in (False, True):
                for dualstack in (False, True):
                    yield (
                        f"{service} {region} {int(fips)} {int(dualstack)} "
                        f"{url(session, service, region, fips, dualstack)}\n"
                    )


def main():
    text = "".join(lines())
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if TABLE.read_text() == text else f"{TABLE} is not what botocore says")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text)


if __name__ == "__main__":
    main()
