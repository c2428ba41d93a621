"""Stacks that CloudFormation does not delete: serverless-stack-termination-protection, and
custom.troupe.terminationProtection."""

FILE = """service: shop
provider: {name: aws, runtime: nodejs20.x}
%s
functions: {hello: {handler: handler.main}}
"""
HANDLER = "exports.main = async () => 'one';\n"
PLUGIN = "plugins: [serverless-stack-termination-protection]\n"
LISTED = PLUGIN + "custom: {serverlessTerminationProtection: {stages: [prod]}}"


def guarded(account):
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in stacks if stack["EnableTerminationProtection"]}


def write(troupe, says):
    troupe.write({"serverless.yml": FILE % says, "handler.js": HANDLER})


def lift(account, *stacks):
    for stack in stacks:
        account.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=False
        )


def test_protected_stages(troupe, account, proxy):
    write(troupe, LISTED)
    for stage in ("dev", "prod2"):
        troupe("deploy", stage)
    assert guarded(account) == set()

    # Who may not do it is told, and has the stage all the same; the next deployment does it.
    told = troupe("plan", "prod").err
    assert "termination protection of stack 'shop-prod' is turned on" in told, told
    rule = proxy.fail(403, "AccessDenied", operation="UpdateTerminationProtection")
    told = troupe("deploy", "prod").err
    assert "'shop-prod' could not be turned on" in told and "'shop' could not" in told, told
    proxy.rules.remove(rule)
    told = troupe("deploy", "prod").err
    assert "termination protection of stack 'shop-prod' is on" in told, told
    assert guarded(account) == {"shop", "shop-prod"}
    mark = proxy.mark()
    troupe("deploy", "prod")
    assert not proxy.calls("cloudformation.UpdateTerminationProtection", since=mark)

    # Nothing of what is protected goes, not even what could.
    before = troupe.world()
    for args in (["prod", "--yes"], ["prod", "--plan"], ["--service", "--yes"]):
        mark = proxy.mark()
        result = troupe("remove", *args, check=False)
        assert result.code, result
        assert "'shop-prod' is protected against deletion" in result.err, result
        assert "--stack-name shop-prod --region us-east-1" in result.err, result
        assert not [call for call in proxy.calls(since=mark) if "Delete" in call.operation]
    assert troupe.world() == before
    troupe("remove", "prod2", "--yes")

    # As with the plugin: who is not listed loses it. A neighbour's stack does not.
    client = account.client("cloudformation")
    for stack in ("shop-dev", "shop-other"):
        if stack == "shop-other":
            body = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
            client.create_stack(StackName=stack, TemplateBody=body)
        client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    assert "of stack 'shop-dev' is turned off" in troupe("plan", "dev").err
    troupe("deploy", "dev")
    assert "is turned" not in troupe("plan", "dev").err
    assert guarded(account) == {"shop", "shop-prod", "shop-other"}

    # A rollback takes nothing away; a deployment without the stage in the list does.
    troupe("rollback", "prod", check=False)
    write(troupe, LISTED.replace("[prod]", "[live]"))
    assert "shop-prod" in guarded(account)
    troupe("deploy", "prod")
    assert guarded(account) == {"shop", "shop-other"}
    assert "'shop' is protected" in troupe("remove", "--service", "--yes", check=False).err
    lift(account, "shop")
    troupe("remove", "--service", "--yes")
    assert guarded(account) == {"shop-other"}


def test_without_the_key_it_stays_as_it_is(troupe, account):
    write(troupe, "")
    troupe("deploy", "dev")
    client = account.client("cloudformation")
    client.update_termination_protection(StackName="shop-dev", EnableTerminationProtection=True)
    troupe("deploy", "dev")
    assert guarded(account) == {"shop-dev"}
    iam = troupe("iam", "dev", "--json").out
    assert "UpdateTerminationProtection" not in iam
    # All stages, and troupe's own key.
    for says in (PLUGIN, "custom: {troupe: {terminationProtection: ['*']}}"):
        lift(account, *guarded(account))
        write(troupe, says)
        troupe("deploy", "dev")
        assert guarded(account) == {"shop", "shop-dev"}
        assert "UpdateTerminationProtection" in troupe("iam", "dev", "--json").out
