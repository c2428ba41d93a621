"""Settings that Lambda gives a shared function when it makes it, or that are of the function as a
whole: a change reaches the function, or is refused with its place.
"""

from shop import append, served, versions

SIGNED = "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-"


def extended(shop, line):
    """The service's file with one property of the function `hello` more, instead of the
    last one.
    """
    path = shop.folder / "serverless.yml"
    text = path.read_text().split("resources:\n")[0]
    path.write_text(text)
    if line:
        append(
            shop,
            "resources:\n  extensions:\n    HelloLambdaFunction:\n      Properties:\n       "
            f" {line}\n",
        )


def refused(shop, line, *words):
    """By the plan, with the place, and by the deployment; nothing moves."""
    before, number = versions(shop), len(shop.world()["functions"]["shop-hello"]["versions"])
    extended(shop, line)
    for command in ("plan", "deploy"):
        result = shop(command, "dev", check=3)
        assert all(
            word in result.err
            for word in ("function 'hello'", "when it makes the function", *words)
        ), str(result)
        if line:
            assert "serverless.yml:" in result.err, str(result)
    assert (versions(shop), len(shop.world()["functions"]["shop-hello"]["versions"])) == (
        before,
        number,
    )


def test_durable_functions(troupe, account):
    troupe.use("shop")
    extended(troupe, "DurableConfig: {ExecutionTimeout: 60, RetentionPeriodInDays: 3}")
    troupe("deploy", "dev")

    def durable(qualifier):
        got = account.client("lambda").get_function_configuration(
            FunctionName="shop-hello", Qualifier=qualifier
        )
        return (
            got["DurableConfig"]["ExecutionTimeout"],
            got["DurableConfig"]["RetentionPeriodInDays"],
        )

    assert durable("dev") == (60, 3) and "nothing to do" in troupe("deploy", "dev").out
    extended(troupe, "DurableConfig: {ExecutionTimeout: 90, RetentionPeriodInDays: 3}")
    assert "DurableConfig changed" in troupe("plan", "dev").out
    troupe("deploy", "dev")
    assert (durable("dev"), durable("1")) == ((90, 3), (60, 3)) and served(troupe) == "one"
    troupe("rollback", "dev")
    assert durable("dev") == (60, 3)
    refused(troupe, "", "'DurableConfig'", "taken away")


def test_a_function_that_was_made_otherwise(shop):
    refused(shop, "DurableConfig: {ExecutionTimeout: 60}", "'DurableConfig'", "added")
    refused(shop, "TenancyConfig: {TenantIsolationMode: PER_TENANT}", "'TenancyConfig'", "added")


def test_code_signing(shop):
    """It is of the function as a whole: with the service, as its tags; AWS puts it or takes it
    away.
    """

    def signing():
        head = shop.world()["stacks"]["shop"]["template"]["Resources"]["HelloLambdaFunction"]
        return head["Properties"].get("CodeSigningConfigArn")

    for arn in (SIGNED + "0123456789abcdefg", SIGNED + "abcdefghijklmnopq", None):
        before = signing()
        extended(shop, arn and f"CodeSigningConfigArn: {arn}")
        planned = shop("plan", "dev").out
        assert "HelloLambdaFunction" in planned and "troupe deploy --service" in planned, planned
        assert signing() == before
        shop("deploy", "--service")
        assert signing() == arn and "HelloLambdaFunction" not in shop("plan", "dev").out
        assert served(shop) == "one" and "nothing to do" in shop("deploy", "dev").out
