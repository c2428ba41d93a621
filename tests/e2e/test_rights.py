"""What a function's role may, while it changes: rights come before what needs them, and what serves
keeps its own until the pointers have moved.
"""

import json

from own_roles import OWN_ROLE, TRUST, write


def updates(proxy, since):
    """The templates that the stage's stack was brought to, in order."""
    return [
        json.loads(record.params["TemplateBody"])
        for record in proxy.calls(since=since)
        if record.operation in ("CreateStack", "UpdateStack")
        and record.params["StackName"] == "rights-dev"
    ]


def actions(template, role="IamRoleLambdaExecution"):
    """What the role may, and the version that serves with it."""
    policies = template["Resources"][role]["Properties"].get("Policies", [])
    statements = [
        statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]
    ]
    allowed = {
        action
        for statement in statements
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    alias = template["Resources"].get("FLambdaAlias", {"Properties": {"FunctionVersion": None}})
    return allowed, alias["Properties"]["FunctionVersion"]


GET = "        - {Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Orders.Arn}\n"
PUT = (
    "        - {Sid: Mine, Effect: Allow, Action: 'dynamodb:PutItem', Resource: !GetAtt"
    " Extra.Arn}\n"
)
DENY = "        - {Effect: Deny, Action: 'dynamodb:DeleteItem', Resource: '*'}\n"
EXTRA = """    Extra:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
ONE, BOTH, TWO = (
    {"dynamodb:GetItem"},
    {"dynamodb:GetItem", "dynamodb:PutItem"},
    {"dynamodb:PutItem"},
)


def with_get(troupe, code):
    write(troupe, code)


def with_put(troupe, code):
    """Another table in place of the right to read; and something is denied."""
    write(troupe, code, provider=PUT + DENY, resources=EXTRA)
    troupe.edit("serverless.yml", GET, "")


def seen(proxy, since):
    """``[(actions without what all may, version)]`` of each update."""
    found = []
    for template in updates(proxy, since):
        allowed, version = actions(template)
        found.append(
            (
                {action for action in allowed if action.startswith("dynamodb:")},
                version,
                "Extra" in template["Resources"],
            )
        )
    return found


def test_rights_come_first_and_go_last(troupe, proxy):
    with_get(troupe, "one")
    troupe("deploy", "dev")
    with_put(troupe, "two")
    mark = proxy.mark()
    troupe("deploy", "dev")
    denied = TWO | {"dynamodb:DeleteItem"}
    # Nothing is denied, and nothing taken away, before the alias has moved.
    assert seen(proxy, mark) == [(BOTH, "1", True), (BOTH, "2", True), (denied, "2", True)]
    assert "nothing to do" in troupe("deploy", "dev").out
    # The other way round: the table stays as long as the right to it.
    with_get(troupe, "three")
    mark = proxy.mark()
    troupe("deploy", "dev", "--yes")
    assert seen(proxy, mark) == [(BOTH, "2", True), (BOTH, "3", True), (ONE, "3", False)]
    assert "nothing to do" in troupe("deploy", "dev").out
    # Only something that goes, and no alias that moves: one update.
    troupe.edit("serverless.yml", GET, GET + GET.replace("GetItem", "Query"))
    troupe("deploy", "dev")
    with_get(troupe, "three")
    mark = proxy.mark()
    troupe("deploy", "dev")
    assert seen(proxy, mark) == [(ONE, "3", False)]


def test_a_rollback_serves_under_the_rights_of_its_versions(troupe, proxy):
    with_get(troupe, "one")
    troupe("deploy", "dev")
    write(troupe, "two", provider=GET.replace("GetItem", "PutItem"))
    troupe.edit("serverless.yml", GET, "")
    troupe("deploy", "dev")
    refused = troupe("shift", "dev", "--to", "1", "--weight", "10", check=False)
    assert refused.code and "rights that their roles do not have now" in refused.err, str(refused)
    mark = proxy.mark()
    result = troupe("rollback", "dev")
    assert "not at once" not in result.out + result.err
    # The rights first, then the alias by API, then the stack.
    names = [
        name
        for name in proxy.names(mark)
        if name in ("cloudformation.UpdateStack", "lambda.UpdateAlias")
    ]
    assert names == [
        "cloudformation.UpdateStack",
        "lambda.UpdateAlias",
        *["cloudformation.UpdateStack"] * 2,
    ]
    assert seen(proxy, mark) == [(BOTH, "2", False), (BOTH, "1", False), (ONE, "1", False)]
    assert json.loads(troupe("invoke", "dev", "f").out) == "one"
    # Whose rights are there already moves at once.
    with_get(troupe, "two")
    troupe.edit("serverless.yml", GET, GET + GET.replace("GetItem", "Query"))
    troupe("deploy", "dev")
    mark = proxy.mark()
    troupe("rollback", "dev")
    assert len(updates(proxy, mark)) == 2


def test_a_failed_publish_leaves_the_rights(troupe, proxy):
    with_get(troupe, "one")
    troupe("deploy", "dev")
    with_put(troupe, "two")
    proxy.fail(status=400, code="InvalidParameterValueException", operation="PublishVersion")
    mark = proxy.mark()
    troupe("deploy", "dev", check=1)
    proxy.clear()
    assert seen(proxy, mark) == [(BOTH, "1", True)]
    assert json.loads(troupe("invoke", "dev", "f").out) == "one"
    troupe("repair", "dev")
    assert seen(proxy, mark)[-1] == (ONE, "1", False)


def test_rights_that_cannot_be_taken_leave_the_stage_half_done(troupe, proxy):
    """Its pointers have moved by then, so it is not taken back."""
    with_get(troupe, "one")
    troupe("deploy", "dev")
    with_put(troupe, "two")
    proxy.fail(
        status=400, code="ValidationError", message="told to fail", operation="UpdateStack", nth=3
    )
    result = troupe("deploy", "dev", check=5)
    proxy.clear()
    assert "told to fail" in result.err and "troupe repair dev" in result.err, str(result)
    assert json.loads(troupe("invoke", "dev", "f").out) == "two"
    mark = proxy.mark()
    troupe("repair", "dev")
    assert [allowed for allowed, *_ in seen(proxy, mark)] == [TWO | {"dynamodb:DeleteItem"}]
    assert "nothing to do" in troupe("deploy", "dev").out


def test_a_version_keeps_the_role_that_it_left(troupe, proxy):
    """The function gets another role, and the one that it had loses its rights."""
    own = OWN_ROLE.replace(
        "Properties: {",
        "Properties: {Policies: [{PolicyName: own, PolicyDocument: {"
        "Statement: [{Effect: Allow, Action: ['logs:*', 'dynamodb:Scan'], Resource: '*'}]}}], ",
    )
    write(troupe, "one", function="    role: Own\n", resources=own)
    troupe("deploy", "dev")
    write(troupe, "two", resources=own.replace(", 'dynamodb:Scan'", ""))
    mark = proxy.mark()
    troupe("deploy", "dev")
    steps = [actions(template, "Own") for template in updates(proxy, mark)]
    assert steps == [
        ({"logs:*", "dynamodb:Scan"}, "1"),
        ({"logs:*", "dynamodb:Scan"}, "2"),
        ({"logs:*"}, "2"),
    ]


def test_rights_that_are_too_much_together(troupe, account):
    """IAM takes 10,240 characters of a role's policies."""

    def statements(word):
        return "".join(
            f"        - {{Effect: Allow, Action: '{word}:{'x' * 60}{n}', Resource: '*'}}\n"
            for n in range(60)
        )

    write(troupe, "one", provider=statements("sqs"))
    troupe("deploy", "dev")
    write(troupe, "two", provider=statements("sns"))
    before = troupe.world()
    for command in ("plan", "deploy"):
        result = troupe(command, "dev", check=False)
        assert result.code and "IAM takes 10240" in result.err, str(result)
    assert troupe.world() == before


SHARED = """custom: {troupe: {resources: {service: [Shared]}}}
"""
SHARED_ROLE = f"""    Shared:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument: {TRUST}
        Policies:
          - PolicyName: all
            PolicyDocument:
              Version: '2012-10-17'
              Statement: [{{Effect: Allow, Action: 'ACTION', Resource: '*'}}]
"""


def with_shared_role(troupe, action, function=""):
    write(
        troupe,
        "one",
        function="    role: Shared\n" + function,
        resources=SHARED_ROLE.replace("ACTION", action),
    )
    with open(troupe.folder / "serverless.yml", "a", encoding="utf-8") as file:
        file.write(SHARED)


def test_a_role_that_stages_share_gets_rights_with_a_stage_and_loses_them_with_the_service(
    troupe, account
):
    def allowed():
        name = account.client("cloudformation").describe_stack_resource(
            StackName="rights", LogicalResourceId="Shared"
        )["StackResourceDetail"]["PhysicalResourceId"]
        policy = account.client("iam").get_role_policy(RoleName=name, PolicyName="all")[
            "PolicyDocument"
        ]
        return {
            action
            for statement in policy["Statement"]
            for action in (
                [statement["Action"]]
                if isinstance(statement["Action"], str)
                else statement["Action"]
            )
        }

    with_shared_role(troupe, "logs:*")
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    with_shared_role(troupe, "xray:*", "    tracing: Active\n")
    assert "Shared" in troupe("plan", "dev").out
    troupe("deploy", "dev")
    assert allowed() == {"logs:*", "xray:*"}  # prod has not moved
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe("deploy", "prod")
    troupe("deploy", "--service")
    assert allowed() == {"xray:*"}
