"""Custom domains of serverless-domain-manager: base paths of one domain that lead to stages, beside
those of another service.
"""

import requests

HANDLER = "exports.main = async () => ({statusCode: 200, body: '%s'});\n"
REST = """service: shop
plugins: [serverless-domain-manager]
provider: {name: aws, runtime: nodejs20.x}
custom:
  customDomain: {domainName: api.example.test, basePath: "${sls:stage}", endpointType: regional}
functions: {hello: {handler: handler.main, events: [{http: GET /hello}]}}
"""
HTTP = REST.replace("endpointType: regional", "endpointType: regional, apiType: http").replace(
    "http: GET /hello", "httpApi: GET /hello"
)
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/one"


def make_domain(account, name="api.example.test"):
    account.client("apigateway").create_domain_name(
        domainName=name,
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]},
    )


def make_neighbour(account, domain, path):
    """Another service's API, mapped to a path of the domain."""
    rest = account.client("apigateway")
    api = rest.create_rest_api(name="other")["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    at = dict(restApiId=api, resourceId=root, httpMethod="GET")
    rest.put_method(**at, authorizationType="NONE")
    rest.put_integration(**at, type="MOCK")
    rest.create_deployment(restApiId=api, stageName="live")
    rest.create_base_path_mapping(domainName=domain, basePath=path, restApiId=api, stage="live")
    return api


def paths(account, name="api.example.test"):
    found = account.client("apigatewayv2").get_api_mappings(DomainName=name)["Items"]
    return sorted(mapping.get("ApiMappingKey", "") for mapping in found)


def domains(account):
    found = account.client("apigateway").get_domain_names()["items"]
    return {domain["domainName"] for domain in found}


def called(cloud, path, name="api.example.test"):
    answer = requests.get(f"{cloud.endpoint}{path}", headers={"Host": name}, timeout=30)
    return answer.text if answer.status_code == 200 else answer.status_code


def test_two_stages_and_a_neighbour_on_one_domain(troupe, account, cloud):
    for service in (REST, HTTP):
        name = "rest.example.test" if service is REST else "http.example.test"
        file = service.replace("api.example.test", name).replace("shop", name.split(".")[0])
        make_domain(account, name)
        make_neighbour(account, name, "other")
        troupe.write({"serverless.yml": file, "handler.js": HANDLER % "one"})
        troupe("deploy", "dev")
        troupe("deploy", "prod")
        assert paths(account, name) == ["dev", "other", "prod"]
        assert called(cloud, "/dev/hello", name) == called(cloud, "/prod/hello", name) == "one"

        # A change of code moves the stage; one of the path moves the mapping, and goes back.
        troupe.write({"handler.js": HANDLER % "two"})
        troupe.edit("serverless.yml", '"${sls:stage}"', '"${sls:stage}-new"')
        troupe("deploy", "dev")
        assert paths(account, name) == ["dev-new", "other", "prod"]
        assert called(cloud, "/dev-new/hello", name) == "two"
        troupe("rollback", "dev")
        assert paths(account, name) == ["dev", "other", "prod"]
        assert called(cloud, "/dev/hello", name) == called(cloud, "/prod/hello", name) == "one"

        troupe("clone", "prod", "try")
        assert called(cloud, "/try/hello", name) == "one"
        troupe("remove", "try", "--yes")
        troupe("remove", "dev", "--yes")
        assert paths(account, name) == ["other", "prod"]
        assert called(cloud, "/prod/hello", name) == "one"
        troupe("remove", "--service", "--yes")
        assert paths(account, name) == ["other"] and name in domains(account)


SOCKET = """service: talk
plugins: [serverless-domain-manager]
provider: {name: aws, runtime: nodejs20.x}
custom:
  customDomains:
    - websocket: {domainName: ws.example.test, basePath: "${sls:stage}", endpointType: REGIONAL}
      rest: {domainName: deep.example.test, basePath: "a/${sls:stage}", endpointType: REGIONAL}
functions:
  hello: {handler: handler.main, events: [{websocket: $default}, {http: GET /hello}]}
"""


def test_web_sockets_and_paths_of_several_parts(troupe, account):
    for name in ("ws.example.test", "deep.example.test"):
        make_domain(account, name)
    troupe.write({"serverless.yml": SOCKET, "handler.js": HANDLER % "one"})
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert paths(account, "ws.example.test") == ["dev", "prod"]
    assert paths(account, "deep.example.test") == ["a/dev", "a/prod"]
    troupe("remove", "dev", "--yes")
    assert paths(account, "ws.example.test") == ["prod"]
    assert paths(account, "deep.example.test") == ["a/prod"]


def test_what_a_domain_does_not_allow_is_said_before(troupe, account):
    """A domain that is not there, a path that leads elsewhere, or that another stage has."""
    troupe.write({"serverless.yml": REST, "handler.js": HANDLER % "one"})
    result = troupe("deploy", "dev", check=3)
    assert "there is no custom domain 'api.example.test'" in result.err, result

    make_domain(account)
    other = make_neighbour(account, "api.example.test", "dev")
    result = troupe("deploy", "dev", check=3)
    assert f"leads to API '{other}' already" in result.err and "--> serverless.yml" in result.err
    assert "delete-base-path-mapping" in result.err, result
    account.client("apigateway").delete_base_path_mapping(
        domainName="api.example.test", basePath="dev"
    )

    troupe.edit("serverless.yml", 'basePath: "${sls:stage}"', "basePath: v1")
    troupe("deploy", "dev")
    result = troupe("deploy", "prod", check=3)
    assert "base path" in result.err and "dev" in result.err, result
    assert paths(account) == ["v1"]


def test_a_domain_that_troupe_makes(troupe, account):
    """The first stage's stack makes it, the second one finds it; it stays when both are gone."""
    troupe.write({"serverless.yml": REST, "handler.js": HANDLER % "one"})
    troupe.edit(
        "serverless.yml", "endpointType", "autoDomain: true, splitHorizonDns: true, endpointType"
    )
    result = troupe("deploy", "dev", check=3)
    assert "there is no certificate 'api.example.test'" in result.err, result
    certificates = account.client("acm")
    for name in ("example.test", "*.example.test", "else.test"):
        certificates.request_certificate(DomainName=name, ValidationMethod="DNS")
    result = troupe("deploy", "dev", check=3)
    assert "there is no public hosted zone for domain 'api.example.test'" in result.err, result
    zones = account.client("route53")
    ids = {
        name: zones.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
        for name in ("test", "example.test", "ample.test", "else.test")
    }
    zone = ids["example.test"].rsplit("/", 1)[-1]
    result = troupe("deploy", "dev", check=3)
    assert "there is no private hosted zone for" in result.err, result
    inner = zones.create_hosted_zone(
        Name="example.test",
        CallerReference="inner",
        VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-1"},
        HostedZoneConfig={"PrivateZone": True},
    )["HostedZone"]["Id"].rsplit("/", 1)[-1]
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert paths(account) == ["dev", "prod"]
    for one in (zone, inner):
        records = zones.list_resource_record_sets(HostedZoneId=one)["ResourceRecordSets"]
        assert {r["Type"] for r in records if r["Name"].startswith("api.")} == {"A", "AAAA"}
    resources = account.client("cloudformation").describe_stack_resources
    kinds = {
        stage: {r["ResourceType"] for r in resources(StackName=f"shop-{stage}")["StackResources"]}
        for stage in ("dev", "prod")
    }
    assert "AWS::ApiGateway::DomainName" in kinds["dev"] - kinds["prod"]
    assert "AWS::Route53::RecordSet" in kinds["dev"] - kinds["prod"]

    made = account.client("apigateway").get_domain_name(domainName="api.example.test")
    chosen = certificates.describe_certificate(CertificateArn=made["regionalCertificateArn"])
    assert chosen["Certificate"]["DomainName"] == "*.example.test"

    # The same file is no change, and the stage whose stack has the domain can go first.
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    troupe("remove", "dev", "--yes")
    assert paths(account) == ["prod"] and domains(account) == {"api.example.test"}
    troupe("remove", "--service", "--yes")
    assert domains(account) == {"api.example.test"}


def test_what_the_file_must_not_say(troupe):
    """Each line: the domain, and what is said of it, with its place."""
    cases = (
        ("{basePath: a}", "has no 'domainName'"),
        ("{domainName: a.test, colour: red}", "unknown key 'colour'"),
        ("{domainName: a.test, endpointType: private}", "private custom domains"),
        ("{domainName: a.test, apiType: http}", "not of the type EDGE"),
        ("{domainName: a.test, apiType: websocket}", "not of the type EDGE"),
        ("{domainName: a.test, apiType: soap}", "'apiType' must be"),
        (
            "{domainName: a.test, apiType: http, endpointType: regional}",
            "the service has no HTTP API",
        ),
        ("{domainName: a.test, tlsTruststoreUri: 's3://a/b'}", "needs 'endpointType: REGIONAL'"),
        ("{domainName: a.test, tlsTruststoreUri: there}", "s3://bucket/key"),
        ("{domainName: a.test, autoDomain: true, route53Profile: x}", "is not supported"),
        ("{domainName: a.test}\n  customDomains: [{domainName: a.test}]", "is given twice"),
    )
    head, tail = REST.split("  customDomain: ")[0], REST[REST.index("functions:") :]
    for domain, message in cases:
        troupe.write({"serverless.yml": f"{head}  customDomain: {domain}\n{tail}"})
        result = troupe("validate", "dev", "--strict", check=2)
        assert message in result.err and "--> serverless.yml:" in result.err, (domain, result)
    troupe.write({"serverless.yml": f"{head}  other: 1\n{tail}"})
    assert "there is no 'custom.customDomain'" in troupe("validate", "dev", check=2).err
