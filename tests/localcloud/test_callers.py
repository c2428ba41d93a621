"""Callers with policies are held to them, whatever service they call, and so are stacks."""

import functools
import json

import pytest

from cloud import ACCOUNT, REGION, Cloud, Tools
from cloud import allow, deny, document, function_arn, name, refused, trust

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
LAMBDA_ROLE = {"iam:PassedToService": "lambda.amazonaws.com"}


class User:
    """An IAM user with an access key."""

    def __init__(self, aws, *statements, boundary=None):
        self.aws, self.name = aws, name("user")
        extra = {"PermissionsBoundary": boundary} if boundary else {}
        self.arn = aws.iam.create_user(UserName=self.name, **extra)["User"]["Arn"]
        key = aws.iam.create_access_key(UserName=self.name)["AccessKey"]
        self.credentials = key["AccessKeyId"], key["SecretAccessKey"], None
        if statements:
            self.may(*statements)

    def may(self, *statements):
        self.aws.iam.put_user_policy(
            UserName=self.name, PolicyName="p", PolicyDocument=document(*statements)
        )

    def client(self, service):
        return self.aws.cloud.client(service, credentials=self.credentials)

    def denied(self, action, resource, why="no identity-based policy allows"):
        end = f" the {action} action" if why.endswith("allows") else ""
        because = f"because {why}" if end else why
        return (
            f"User: {self.arn} is not authorized to perform: {action} on resource: {resource}"
            f" {because}{end}"
        )


# -- calls -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def things(aws):
    """What the calls below are about, by the names used in them."""
    function = aws.function()
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    bucket, stack, role = name("bucket"), name("stack"), name("role")
    aws.s3.create_bucket(Bucket=bucket)
    aws.s3.put_object(Bucket=bucket, Key="k/one", Body=b"1")
    aws.iam.create_role(RoleName=role, Path="/team/", AssumeRolePolicyDocument=json.dumps(trust()))
    rest = aws.rest.create_rest_api(name=name("api"))["id"]
    http = aws.http.create_api(Name=name("api"), ProtocolType="HTTP")["ApiId"]
    aws.ssm.put_parameter(Name=f"/p/{function}", Value="v", Type="String")
    return dict(
        f=function, bucket=bucket, stack=stack, role=role, rest=rest, http=http,
        fn=function_arn(function), gateway=f"arn:aws:apigateway:{REGION}::",
        here=f"{REGION}:{ACCOUNT}",
    )  # fmt: skip


# service, call, arguments, action, resource, how the message names it
CALLS = [
    ("lambda", "get_function", {"FunctionName": "{f}"}, "lambda:GetFunction", "{fn}"),
    ("lambda", "get_function", {"FunctionName": "{f}", "Qualifier": "dev"}, "lambda:GetFunction",
     "{fn}:dev"),
    ("lambda", "get_function", {"FunctionName": "{fn}:1"}, "lambda:GetFunction", "{fn}:1"),
    ("lambda", "get_alias", {"FunctionName": "{f}", "Name": "dev"}, "lambda:GetAlias", "{fn}"),
    ("lambda", "update_alias", {"FunctionName": "{f}", "Name": "dev", "Description": "x"},
     "lambda:UpdateAlias", "{fn}"),
    ("lambda", "list_aliases", {"FunctionName": "{f}"}, "lambda:ListAliases", "{fn}"),
    ("lambda", "delete_alias", {"FunctionName": "{f}", "Name": "other"}, "lambda:DeleteAlias",
     "{fn}"),
    ("lambda", "invoke", {"FunctionName": "{f}", "Qualifier": "dev"}, "lambda:InvokeFunction",
     "{fn}:dev"),
    ("lambda", "publish_version", {"FunctionName": "{f}"}, "lambda:PublishVersion", "{fn}"),
    ("lambda", "list_versions_by_function", {"FunctionName": "{f}"},
     "lambda:ListVersionsByFunction", "{fn}"),
    ("lambda", "update_function_configuration", {"FunctionName": "{f}", "Timeout": 9},
     "lambda:UpdateFunctionConfiguration", "{fn}"),
    ("lambda", "list_functions", {}, "lambda:ListFunctions", "*"),
    ("lambda", "get_event_source_mapping", {"UUID": "u"}, "lambda:GetEventSourceMapping",
     "arn:aws:lambda:{here}:event-source-mapping:u"),
    ("lambda", "delete_event_source_mapping", {"UUID": "u"}, "lambda:DeleteEventSourceMapping",
     "arn:aws:lambda:{here}:event-source-mapping:u"),
    ("lambda", "get_function_event_invoke_config", {"FunctionName": "{f}", "Qualifier": "dev"},
     "lambda:GetFunctionEventInvokeConfig", "{fn}"),
    ("lambda", "get_provisioned_concurrency_config", {"FunctionName": "{f}", "Qualifier": "dev"},
     "lambda:GetProvisionedConcurrencyConfig", "{fn}:dev"),
    ("lambda", "get_layer_version", {"LayerName": "l", "VersionNumber": 3},
     "lambda:GetLayerVersion", "arn:aws:lambda:{here}:layer:l:3"),
    ("lambda", "delete_function_concurrency", {"FunctionName": "{f}"},
     "lambda:DeleteFunctionConcurrency", "{fn}"),
    ("apigateway", "get_rest_api", {"restApiId": "{rest}"}, "apigateway:GET",
     "{gateway}/restapis/{rest}"),
    ("apigateway", "create_deployment", {"restApiId": "{rest}"}, "apigateway:POST",
     "{gateway}/restapis/{rest}/deployments"),
    ("apigateway", "put_rest_api", {"restApiId": "{rest}", "body": b"{{}}"}, "apigateway:PUT",
     "{gateway}/restapis/{rest}"),
    ("apigatewayv2", "get_stages", {"ApiId": "{http}"}, "apigateway:GET",
     "{gateway}/apis/{http}/stages"),
    ("s3", "head_object", {"Bucket": "{bucket}", "Key": "k/one"}, "s3:GetObject",
     "arn:aws:s3:::{bucket}/k/one"),
    ("s3", "list_objects_v2", {"Bucket": "{bucket}"}, "s3:ListBucket", "arn:aws:s3:::{bucket}"),
    ("s3", "put_object", {"Bucket": "{bucket}", "Key": "new"}, "s3:PutObject",
     "arn:aws:s3:::{bucket}/new"),
    ("cloudformation", "describe_stacks", {"StackName": "{stack}"},
     "cloudformation:DescribeStacks", "arn:aws:cloudformation:{here}:stack/{stack}/*"),
    ("cloudformation", "list_stacks", {}, "cloudformation:ListStacks", "*"),
    ("iam", "get_role", {"RoleName": "{role}"}, "iam:GetRole",
     "arn:aws:iam::000000000000:role/team/{role}"),
    ("sts", "assume_role", {"RoleArn": "arn:aws:iam::000000000000:role/team/{role}",
     "RoleSessionName": "s"}, "sts:AssumeRole", "arn:aws:iam::000000000000:role/team/{role}"),
    ("ssm", "get_parameter", {"Name": "/p/{f}"}, "ssm:GetParameter",
     "arn:aws:ssm:{here}:parameter/p/{f}"),
    ("logs", "create_log_group", {"logGroupName": "/l/{f}"}, "logs:CreateLogGroup",
     "arn:aws:logs:{here}:log-group:/l/{f}"),
    ("cloudwatch", "get_metric_data", {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
     "cloudwatch:GetMetricData", "*"),
    ("secretsmanager", "get_secret_value", {"SecretId": "none"}, "secretsmanager:GetSecretValue",
     "arn:aws:secretsmanager:{here}:secret:none"),
]  # fmt: skip


def filled(value, things):
    if isinstance(value, dict):
        return {key: filled(item, things) for key, item in value.items()}
    if isinstance(value, (str, bytes)):
        is_text = isinstance(value, str)
        text = (value if is_text else value.decode()).format_map(things)
        return text if is_text else text.encode()
    return value


def outcome(call, arguments):
    """The code of the error, or None."""
    try:
        call(**arguments)
    except Exception as error:
        return getattr(error, "response", {}).get("Error", {}).get("Code", str(error))
    return None


def shown(action, resource):
    """How a service spells the resource in its answer."""
    if action.startswith("s3:"):
        return f'"{resource}"'
    return f"role {resource.rsplit('/', 1)[-1]}" if action == "iam:GetRole" else resource


def test_actions_and_resources_of_calls(aws, things):
    """A call needs its action on exactly its resource; a neighbour's does not do."""
    user = User(aws)
    for service, operation, arguments, action, resource in CALLS:
        arguments, resource = filled(arguments, things), filled(resource, things)
        call = getattr(user.client(service), operation)
        where = f"{operation} {arguments}"
        user.may(allow("none:None"))
        if operation == "head_object":  # an answer without a body has no text
            assert outcome(call, arguments) == "403", where
        else:
            status, code, text = refused(call, **arguments)
            assert text == user.denied(action, shown(action, resource)), where
            assert code in ("AccessDenied", "AccessDeniedException"), where
        if resource != "*":
            user.may(allow("*", resource=resource + "-neighbour"))
            assert "Denied" in outcome(call, arguments) or operation == "head_object", where
        user.may(allow(action, resource=resource))
        expected = "AccessDenied" if action == "sts:AssumeRole" else None
        code = outcome(call, arguments)
        assert code == expected or "Denied" not in str(code) and code != "403", where


def test_what_a_call_needs_besides(aws, things):
    """A role that is handed on, code, layers, a network, a policy of an API."""
    user = User(aws, allow("lambda:CreateFunction"))
    lam, created = user.client("lambda"), name("f")
    request = dict(
        FunctionName=created, Runtime="nodejs20.x", Handler="index.handler", Role=aws.role,
        Code={"S3Bucket": things["bucket"], "S3Key": "k/one"}, Tags={"a": "b"},
        Layers=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:1"],
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    )  # fmt: skip
    pass_it = allow("iam:PassRole", resource=aws.role, StringEquals=LAMBDA_ROLE)
    wrong = allow("iam:PassRole", StringEquals={"iam:PassedToService": "states.amazonaws.com"})
    may = [allow("lambda:CreateFunction"), wrong]
    user.may(*may)
    for missing, more in (
        (user.denied("iam:PassRole", aws.role), pass_it),
        ("permission to DescribeSecurityGroups for sg-1. EC2 Error Code: UnauthorizedOperation",
         allow("ec2:DescribeSecurityGroups")),
        ("permission to DescribeSubnets for subnet-1", allow("ec2:DescribeSubnets")),
        (user.denied("ec2:DescribeVpcs", "*"), allow("ec2:DescribeVpcs")),
        (user.denied("lambda:GetLayerVersion", request["Layers"][0]),
         allow("lambda:GetLayerVersion")),
        (f"permission to GetObject for {things['bucket']}/k/one. S3 Error Code: AccessDenied",
         allow("s3:GetObject")),
        (user.denied("lambda:TagResource", function_arn(created)), allow("lambda:TagResource")),
    ):  # fmt: skip
        assert missing in refused(lam.create_function, **request)[2]
        may.append(more)
        user.may(*may)
    assert "Denied" not in str(outcome(lam.create_function, request))

    resource = f"{things['gateway']}/restapis/{things['rest']}"
    body = json.dumps({
        "openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {},
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": []},
    })  # fmt: skip
    user.may(allow("apigateway:PUT"))
    put = dict(restApiId=things["rest"], mode="overwrite", body=body)
    assert refused(user.client("apigateway").put_rest_api, **put)[2] == user.denied(
        "apigateway:UpdateRestApiPolicy", resource
    )


def test_boundaries_sessions_and_denials_are_named(aws, things):
    boundary = aws.iam.create_policy(
        PolicyName=name("boundary"), PolicyDocument=document(allow("s3:*"))
    )["Policy"]["Arn"]
    user = User(aws, allow("*"), boundary=boundary)
    assert refused(user.client("lambda").get_function, FunctionName=things["f"])[2] == user.denied(
        "lambda:GetFunction", things["fn"], "no permissions boundary allows"
    )
    user.client("s3").list_objects_v2(Bucket=things["bucket"])
    user = User(aws, allow("*"), deny("lambda:Get*"))
    assert refused(user.client("lambda").get_function, FunctionName=things["f"])[2] == user.denied(
        "lambda:GetFunction", things["fn"], "with an explicit deny in an identity-based policy"
    )
    # A role that was assumed has what it is given and what the session leaves of it.
    role = aws.iam.create_role(
        RoleName=name("deployer"),
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole",
                 "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}]}
        ),
    )["Role"]  # fmt: skip
    aws.put_policy(role["Arn"], allow("lambda:*"))
    session = aws.sts.assume_role(
        RoleArn=role["Arn"], RoleSessionName="s", Policy=document(allow("lambda:List*"))
    )
    given = session["Credentials"]
    user.credentials = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    user.arn = session["AssumedRoleUser"]["Arn"]
    assert refused(user.client("lambda").get_function, FunctionName=things["f"])[2] == user.denied(
        "lambda:GetFunction", things["fn"], "no session policy allows"
    )
    user.client("lambda").list_functions()


def test_calls_count_as_encrypted(aws):
    """Policies that want TLS were written for AWS, which is called through nothing else."""
    plain = deny("*", Bool={"aws:SecureTransport": "false"})
    User(aws, allow("*"), plain).client("lambda").list_functions()


def test_who_may_not_decrypt_sees_no_variables(aws):
    key = aws.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    function = aws.function(KMSKeyArn=key, Environment={"Variables": {"WORD": "hush"}})
    user = User(aws, allow("lambda:*"))
    lam = user.client("lambda")
    for answer in (
        lam.get_function_configuration(FunctionName=function),
        lam.get_function(FunctionName=function)["Configuration"],
        lam.publish_version(FunctionName=function),
        lam.list_versions_by_function(FunctionName=function)["Versions"][0],
    ):
        error = answer["Environment"]["Error"]
        assert "Variables" not in answer["Environment"] and "hush" not in str(answer)
        assert error["ErrorCode"] == "AccessDeniedException"
        assert user.denied("kms:Decrypt", key) in error["Message"]
    user.may(allow("lambda:*"), allow("kms:Decrypt", resource=key))
    shown = lam.get_function_configuration(FunctionName=function)["Environment"]
    assert shown == {"Variables": {"WORD": "hush"}}


def test_a_role_only_with_a_boundary(aws):
    """What accounts do that let a deployer make roles: none without the boundary."""
    boundary = aws.iam.create_policy(
        PolicyName=name("boundary"), PolicyDocument=document(allow("*"))
    )["Policy"]["Arn"]
    user = User(aws, allow("iam:CreateRole", StringEquals={"iam:PermissionsBoundary": boundary}))
    request = dict(RoleName=name("r"), AssumeRolePolicyDocument=json.dumps(trust()))
    create = user.client("iam").create_role
    assert refused(create, **request)[2] == user.denied(
        "iam:CreateRole", f"{ROLE}/{request['RoleName']}"
    )
    create(**request, PermissionsBoundary=boundary)


# -- stacks ----------------------------------------------------------------------------------------


def stack_resources(role, function, **properties):
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": role, "AssumeRolePolicyDocument": trust(),
                "Policies": [{"PolicyName": "p", "PolicyDocument": json.loads(
                    document(allow("logs:*")))}],
            },
        },
        "Fn": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": function, "Runtime": "nodejs20.x", "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "exports.handler = async () => 1"}, **properties,
            },
        },
    }  # fmt: skip


class As(Tools):
    """The steps of stacks, by another caller."""

    def __init__(self, user):
        self.cf = user.client("cloudformation")


def needed(role, function):
    """The statements that the stack above needs, most exactly."""
    return [
        allow("iam:CreateRole", "iam:GetRole", "iam:PutRolePolicy", "iam:DeleteRole",
              "iam:DeleteRolePolicy", resource=f"{ROLE}/{role}"),
        allow("iam:PassRole", resource=f"{ROLE}/{role}", StringEquals=LAMBDA_ROLE),
        allow("lambda:CreateFunction", "lambda:GetFunction", "lambda:DeleteFunction",
              "lambda:UpdateFunctionConfiguration", resource=function_arn(function)),
    ]  # fmt: skip


def test_tags_of_a_stack_take_the_right_to_tag(aws):
    queue, stack = name("q"), name("s")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    making = allow("sqs:CreateQueue", "sqs:GetQueueAttributes", "sqs:DeleteQueue", resource=arn)
    user = User(aws, allow("cloudformation:*"), making)
    resources = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}}}
    tags = [{"Key": "team", "Value": "us"}]
    status, reason = As(user).create(stack, resources, Tags=tags)
    assert status == "ROLLBACK_COMPLETE" and user.denied("sqs:TagQueue", arn) in reason
    As(user).delete(stack)
    user.may(allow("cloudformation:*"), making, allow("sqs:TagQueue", resource=arn))
    assert As(user).create(stack, resources, Tags=tags) == ("CREATE_COMPLETE", "")
    As(user).delete(stack)


def test_the_right_to_a_url_is_one_to_its_function(aws):
    """Whose ARN the resource has as ``TargetFunctionArn``."""
    role, function = name("r"), name("f")
    resources, statements = stack_resources(role, function), needed(role, function)
    resources["Url"] = {
        "Type": "AWS::Lambda::Url",
        "Properties": {"TargetFunctionArn": {"Fn::GetAtt": ["Fn", "Arn"]}, "AuthType": "AWS_IAM"},
    }
    urls = allow(
        "lambda:CreateFunctionUrlConfig",
        "lambda:DeleteFunctionUrlConfig",
        resource=function_arn(function),
    )
    user = User(aws, allow("cloudformation:*"), *statements, urls)
    stack = name("s")
    assert As(user).create(stack, resources) == ("CREATE_COMPLETE", "")
    assert As(user).delete(stack)[0] == "GONE"


def test_a_stack_does_what_its_caller_may(aws):
    role, function = name("r"), name("f")
    resources, statements = stack_resources(role, function), needed(role, function)
    cloudformation = allow("cloudformation:*")
    user = User(aws, cloudformation)
    steps, stack = As(user), name("s")
    status, reason = steps.create(stack, resources)
    assert status == "ROLLBACK_COMPLETE"
    assert user.denied("iam:CreateRole", f"{ROLE}/{role}") in reason
    assert "(Service: Iam, Status Code: 403" in reason
    assert "HandlerErrorCode: AccessDenied" in reason
    steps.delete(stack)

    user.may(cloudformation, statements[0], statements[2])
    stack = name("s")
    status, reason = steps.create(stack, resources)
    assert status == "ROLLBACK_COMPLETE"
    assert user.denied("iam:PassRole", f"{ROLE}/{role}") in reason
    steps.delete(stack)

    user.may(cloudformation, *statements)
    stack = name("s")
    assert steps.create(stack, resources) == ("CREATE_COMPLETE", "")
    resources["Fn"]["Properties"]["Timeout"] = 9
    assert steps.update(stack, resources) == ("UPDATE_COMPLETE", "")
    resources["Fn"]["Properties"]["Code"] = {"ZipFile": "exports.handler = async () => 2"}
    status, reason = steps.update(stack, resources)
    assert status.startswith("UPDATE_ROLLBACK")
    assert user.denied("lambda:UpdateFunctionCode", function_arn(function)) in reason

    user.may(cloudformation)
    assert steps.delete(stack)[0] == "DELETE_FAILED"
    reasons = [
        event["ResourceStatusReason"]
        for event in steps.events_of(stack, last_operation=False)
        if (event["LogicalResourceId"], event["ResourceStatus"]) == ("Fn", "DELETE_FAILED")
    ]
    assert user.denied("lambda:DeleteFunction", function_arn(function)) in reasons[0]
    user.may(cloudformation, *statements)
    assert steps.delete(stack)[0] == "GONE"


def test_a_stack_with_a_role_does_what_that_may(aws):
    """The caller hands over the role once; later operations have it without being told."""
    role, function = name("r"), name("f")
    resources = stack_resources(role, function)
    service_role = aws.role_with(*needed(role, function), service="cloudformation.amazonaws.com")
    user = User(aws, allow("cloudformation:*"))
    steps, stack = As(user), name("s")
    request = dict(StackName=stack, TemplateBody=aws.template(resources), RoleARN=service_role,
                   Capabilities=["CAPABILITY_NAMED_IAM"])  # fmt: skip
    assert refused(user.client("cloudformation").create_stack, **request)[2] == user.denied(
        "iam:PassRole", service_role
    )
    handing = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    user.may(allow("cloudformation:*"), allow("iam:PassRole", StringEquals=handing))
    other = aws.role_with(allow("*"))
    assert refused(user.client("cloudformation").create_stack, **{**request, "RoleARN": other})[
        1:
    ] == ("ValidationError", f"Role {other} is invalid or cannot be assumed")
    assert steps.create(stack, resources, RoleARN=service_role) == ("CREATE_COMPLETE", "")
    user.may(allow("cloudformation:*"))
    resources["Fn"]["Properties"]["Timeout"] = 9
    assert steps.update(stack, resources) == ("UPDATE_COMPLETE", "")
    resources["Q"] = {"Type": "AWS::SQS::Queue"}
    status, reason = steps.update(stack, resources)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{service_role.rsplit('/', 1)[-1]}"
    assert f"User: {session}/AWSCloudFormation is not authorized to perform: sqs:CreateQ" in reason
    del resources["Q"]
    resources["Fn"]["Properties"]["Timeout"] = 8
    steps.cf.create_change_set(
        StackName=stack, ChangeSetName="c", TemplateBody=aws.template(resources),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )  # fmt: skip
    steps.cf.get_waiter("change_set_create_complete").wait(
        StackName=stack, ChangeSetName="c", WaiterConfig={"Delay": 0.1}
    )
    steps.cf.execute_change_set(StackName=stack, ChangeSetName="c")
    assert steps.finished(stack)[0] == "UPDATE_COMPLETE"
    assert steps.delete(stack)[0] == "GONE"


def test_tags_of_an_api_have_a_path_of_their_own(aws):
    properties = {"Name": name("api"), "Tags": [{"Key": "a", "Value": "b"}]}
    resources = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties}}
    gateway = f"arn:aws:apigateway:{REGION}::"
    may = [allow("cloudformation:*"), allow("apigateway:*", resource=f"{gateway}/restapis*")]
    user = User(aws, *may)
    steps, stack = As(user), name("s")
    status, reason = steps.create(stack, resources)
    tags = f"{gateway}/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Frestapis%2F*"
    assert status == "ROLLBACK_COMPLETE" and user.denied("apigateway:PUT", tags) in reason
    user.may(*may, allow("apigateway:PUT", resource=f"{gateway}/tags/*"))
    assert steps.create(name("s"), resources)[0] == "CREATE_COMPLETE"


def test_a_template_in_a_bucket_has_to_be_read(aws):
    bucket = name("templates")
    aws.s3.create_bucket(Bucket=bucket)
    body = aws.template({"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"}})
    aws.s3.put_object(Bucket=bucket, Key="t.json", Body=body.encode())
    user = User(aws, allow("cloudformation:*"))
    for url in (
        f"https://{bucket}.s3.{REGION}.amazonaws.com/t.json",
        f"https://s3.amazonaws.com/{bucket}/t.json",
    ):
        request = dict(StackName=name("s"), TemplateURL=url)
        status, code, text = refused(user.client("cloudformation").create_stack, **request)
        assert (status, code) == (400, "ValidationError") and "S3 error: Access Denied" in text
    object = f"arn:aws:s3:::{bucket}/t.json"
    user.may(allow("cloudformation:*"), allow("s3:GetObject", resource=object))
    stack = name("s")
    user.client("cloudformation").create_stack(StackName=stack, TemplateURL=url)
    assert aws.finished(stack)[0] == "CREATE_COMPLETE"


@pytest.mark.parametrize("by_role", [False, True])
def test_a_part_of_a_stack_does_what_the_whole_may(aws, by_role):
    """Nested stacks are stacks of the same caller, or of the same role."""
    bucket, queue = name("templates"), name("q")
    aws.s3.create_bucket(Bucket=bucket)
    inner = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}}}
    aws.s3.put_object(Bucket=bucket, Key="t.json", Body=aws.template(inner).encode())
    url = f"https://{bucket}.s3.{REGION}.amazonaws.com/t.json"
    whole = {"Part": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}
    user, extra = User(aws, allow("cloudformation:*", "iam:PassRole")), {}
    steps, may, arn = As(user), user.may, user.arn
    if by_role:
        role = aws.role_with(service="cloudformation.amazonaws.com")
        extra, arn = {"RoleARN": role}, role.replace(":iam:", ":sts:")
        arn = f"{arn.replace(':role/', ':assumed-role/')}/AWSCloudFormation"
        may = functools.partial(aws.put_policy, role)
    may(allow("cloudformation:*", "iam:PassRole"))
    status, reason = steps.create(name("s"), whole, **extra)
    assert status == "ROLLBACK_COMPLETE" and "S3 error: Access Denied" in reason
    may(allow("cloudformation:*", "s3:GetObject", "iam:PassRole"))
    stack = name("s")
    assert steps.create(stack, whole, **extra)[0] == "ROLLBACK_COMPLETE"
    parts = [
        event["PhysicalResourceId"]
        for event in steps.events_of(stack, last_operation=False)
        if event["LogicalResourceId"] == "Part" and event.get("PhysicalResourceId")
    ]
    reason = steps.failure(parts[0])
    assert f"User: {arn} is not authorized to perform: sqs:CreateQueue" in reason
    may(allow("cloudformation:*", "s3:GetObject", "iam:PassRole", "sqs:*"))
    assert steps.create(name("s"), whole, **extra)[0] == "CREATE_COMPLETE"


def test_what_was_needed_is_written_down(tmp_path):
    """Calls and the work of stacks, with caller, action, resource and answer."""
    cloud = Cloud(tmp_path, TROUPE_CLOUD_ACTIONS_LOG=str(tmp_path / "actions"))
    try:
        aws = Tools(cloud)
        role, function = name("r"), name("f")
        assert aws.create(name("s"), stack_resources(role, function))[0] == "CREATE_COMPLETE"
        user = User(aws)
        refused(user.client("lambda").get_function, FunctionName=function)
        lines = [json.loads(line) for line in (tmp_path / "actions").read_text().splitlines()]
    finally:
        cloud.stop()
    root = f"arn:aws:iam::{ACCOUNT}:root"
    for principal, action, resource, allowed in (
        (root, "iam:CreateRole", f"{ROLE}/{role}", True),
        (root, "iam:PassRole", f"{ROLE}/{role}", True),
        (root, "lambda:CreateFunction", function_arn(function), True),
        (user.arn, "lambda:GetFunction", function_arn(function), False),
    ):
        line = dict(principal=principal, action=action, resource=resource, allowed=allowed)
        assert line in lines
