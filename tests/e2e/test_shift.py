"""Shifting: functions get a new version by weights first, and keep the old one when something says
no.
"""

import pytest

from shop import append, code, eventually, number, outcomes, served, versions
from test_rollback import three

CANARY = """custom:
  troupe:
    shift: {type: canary, percent: 10, after: %s%s}
"""
LINEAR = """custom:
  troupe:
    shift:
      dev: {type: linear, step: 40, every: 1s}
"""
STATEMENTS = """provider:
  iam: {role: {statements: [{Effect: Allow, Action: 's3:ListAllMyBuckets', Resource: '*'}]}}
"""
RULE = dict(
    MetricName="Errors",
    Namespace="Shop",
    Statistic="Sum",
    Period=60,
    EvaluationPeriods=1,
    Threshold=1.0,
    ComparisonOperator="GreaterThanThreshold",
)


@pytest.fixture
def shop(troupe):
    """dev at one deployment, and code for the next."""
    troupe.use("shop")
    code(troupe, "one")
    troupe("deploy", "dev")
    code(troupe, "two")
    return troupe


def alias(account, stage="dev"):
    """Main version, and weights of the others."""
    got = account.client("lambda").get_alias(FunctionName="shop-hello", Name=stage)
    return got["FunctionVersion"], (got.get("RoutingConfig") or {}).get(
        "AdditionalVersionWeights", {}
    )


def test_canary(shop, account):
    append(shop, CANARY % ("3s", ""))
    old = alias(account)[0]
    running = shop.start("deploy", "dev")
    eventually(lambda: alias(account)[1])
    main, weights = alias(account)
    assert main == old and list(weights.values()) == [0.1], weights
    assert number(shop) == 1
    result = running.wait()
    assert result.code == 0 and "10 % of the calls" in result.err, str(result)
    assert (
        alias(account) == (next(iter(weights)), {}) and served(shop) == "two" and number(shop) == 2
    )
    assert outcomes(shop) == ["succeeded", "succeeded"]
    assert "nothing to do" in shop("deploy", "dev").out


def test_linear_for_one_stage(shop, account, proxy):
    append(shop, LINEAR)
    mark = proxy.mark()
    shop("deploy", "dev")
    steps = [
        call.params["RoutingConfig"]["AdditionalVersionWeights"]
        for call in proxy.calls("lambda.UpdateAlias", mark)
        if call.params["FunctionName"] == "shop-hello"
    ]
    version = alias(account)[0]
    assert steps == [{version: 0.4}, {version: 0.8}, {}]
    assert served(shop) == "two" and alias(account)[1] == {}
    mark = proxy.mark()
    shop("deploy", "prod")
    assert not proxy.calls("lambda.UpdateAlias", mark)


def test_the_first_deployment_and_no_shift_are_at_once(shop, account):
    append(shop, CANARY % ("1h", ""))
    shop("deploy", "dev", "--no-shift")
    assert served(shop) == "two" and alias(account)[1] == {}
    shop("deploy", "prod")
    assert served(shop, "prod") == "two"


def test_an_alarm_takes_it_back(shop, account):
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="too-many", **RULE)
    append(shop, CANARY % ("1h", ", alarms: [too-many]"))
    before = alias(account)
    running = shop.start("deploy", "dev")
    eventually(lambda: alias(account)[1])
    cloudwatch.set_alarm_state(
        AlarmName="too-many", StateValue="ALARM", StateReason="errors everywhere"
    )
    result = running.wait()
    assert result.code == 1 and "alarm 'too-many' went off: errors everywhere" in result.err, str(
        result
    )
    assert alias(account) == before and served(shop) == "one" and number(shop) == 1
    assert outcomes(shop) == ["failed", "succeeded"]
    # while it is on, nothing is shifted
    result = shop("deploy", "dev", check=False)
    assert result.code == 1 and "went off" in result.err and alias(account) == before
    cloudwatch.set_alarm_state(AlarmName="too-many", StateValue="OK", StateReason="fine")
    shop.edit("serverless.yml", "after: 1h", "after: 1s")
    shop("deploy", "dev")
    assert served(shop) == "two"


def test_an_alarm_that_does_not_exist(shop, account):
    append(shop, CANARY % ("1s", ", alarms: [nobody]"))
    before = alias(account)
    result = shop("deploy", "dev", check=False)
    assert result.code == 1 and "there is no alarm 'nobody'" in result.err, str(result)
    assert alias(account) == before and outcomes(shop) == ["failed", "succeeded"]


def test_an_alarm_of_the_stage(shop, account):
    append(
        shop,
        """resources:
  Resources:
    TooMany:
      Type: AWS::CloudWatch::Alarm
      Properties: {MetricName: Errors, Namespace: Shop, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1,
                   ComparisonOperator: GreaterThanThreshold}
"""
        + CANARY % ("1h", ", alarms: [!Ref TooMany]"),
    )
    shop("deploy", "dev", "--no-shift")
    code(shop, "three")
    names = [
        alarm["AlarmName"]
        for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    ]
    running = shop.start("deploy", "dev")
    eventually(lambda: alias(account)[1])
    for name in names:
        account.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason="no"
        )
    assert running.wait().code == 1 and served(shop) == "two"


def test_verify(shop, account, tmp_path):
    before = alias(account)
    log = tmp_path / "log"
    judge = (
        "echo judged; echo $TROUPE_SERVICE $TROUPE_STAGE $TROUPE_REGION $TROUPE_DEPLOYMENT"
        f" $TROUPE_WEIGHT >> {log}"
    )
    result = shop("deploy", "dev", "--verify", f"{judge}; exit 3", check=False)
    assert result.code == 1 and "failed: exit 3" in result.err and "judged" not in result.out, str(
        result
    )
    assert "serves what it served before" in result.err
    assert alias(account) == before and number(shop) == 1 and outcomes(shop)[0] == "failed"
    assert log.read_text() == "shop dev us-east-1 2 100\n"
    append(shop, LINEAR)
    shop("deploy", "dev", "--verify", judge)
    assert [line.split()[-1] for line in log.read_text().splitlines()] == ["100", "40", "80"]
    assert served(shop) == "two"


def test_ctrl_c_takes_it_back(shop, account):
    append(shop, CANARY % ("1h", ""))
    before = alias(account)
    running = shop.start("deploy", "dev")
    eventually(lambda: alias(account)[1])
    running.process.send_signal(2)
    result = running.wait()
    assert result.code == 130 and "serves what it served before" in result.err, str(result)
    assert alias(account) == before and served(shop) == "one"
    shop("deploy", "dev", "--no-shift")
    assert served(shop) == "two"


@pytest.mark.parametrize("then", ["repair", "again", "another", "rollback"])
def test_killed_in_the_middle(shop, account, then):
    code(shop, "zero")
    shop("deploy", "dev")
    code(shop, "two")
    append(shop, CANARY % ("3s", ""))
    before = alias(account)
    running = shop.start("deploy", "dev")
    eventually(lambda: alias(account)[1])
    running.process.kill()
    running.wait()
    assert alias(account)[1]
    if then == "repair":
        shop("repair", "dev")
        assert (
            alias(account) == before
            and served(shop) == "zero"
            and outcomes(shop)[0] == "superseded"
        )
    elif then == "again":
        shop("deploy", "dev")
        assert served(shop) == "two" and alias(account)[1] == {} and number(shop) == 3
    elif then == "another":
        code(shop, "three")
        shop.edit(
            "serverless.yml", "provider:\n", STATEMENTS
        )  # no version with that role could share an alias
        shop("deploy", "dev", "--no-shift")
        assert served(shop) == "three" and alias(account)[1] == {}
    else:
        shop("rollback", "dev")
        assert served(shop) == "one" and alias(account)[1] == {}


def test_a_stack_that_fails_takes_it_back(shop, account):
    append(
        shop,
        CANARY % ("1s", "")
        + """resources:
  Resources:
    Outside:
      Type: AWS::Lambda::Permission
      Properties: {FunctionName: nowhere, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}
""",
    )
    before = alias(account)
    assert shop("deploy", "dev", check=False).code == 1
    assert alias(account) == before and served(shop) == "one" and outcomes(shop)[0] == "failed"


def test_another_role_moves_at_the_end(shop, account, proxy):
    append(shop, CANARY % ("1s", ""))
    shop.edit("serverless.yml", "provider:\n", STATEMENTS)
    mark = proxy.mark()
    result = shop("deploy", "dev")
    assert "its role changes" in result.err, str(result)
    assert not proxy.calls("lambda.UpdateAlias", mark) and served(shop) == "two"


def test_one_function_and_reset_shift_too(shop, account, proxy):
    append(shop, CANARY % ("1s", ""))
    mark = proxy.mark()
    shop("deploy", "dev", "--function", "hello")
    assert len(proxy.calls("lambda.UpdateAlias", mark)) == 2 and served(shop) == "two"
    shop("deploy", "prod")
    code(shop, "three")
    shop("deploy", "dev", "--no-shift")
    mark = proxy.mark()
    shop("reset", "prod", "--to", "dev", "--yes")
    assert proxy.calls("lambda.UpdateAlias", mark) and served(shop, "prod") == "three"


# -- by hand ---------------------------------------------------------------------------------------


def test_by_hand_and_promoted(troupe, account):
    states = three(troupe)
    one = states[0]["shop-hello"]
    result = troupe("shift", "dev", "--to", "1", "--weight", "10")
    assert alias(account) == (states[2]["shop-hello"], {one: 0.1}) and number(troupe) == 3
    assert f"v{states[2]['shop-hello']} 90% v{one} 10%" in result.out, str(result)
    troupe("shift", "dev", "--to", "1", "--weight", "55")
    assert alias(account)[1] == {one: 0.55}
    assert "dev#4" in troupe("shift", "dev", "--promote").out
    assert alias(account) == (one, {}) and number(troupe) == 4 and served(troupe) == "one"
    assert outcomes(troupe)[0] == "succeeded"
    troupe("rollback", "dev")  # back from it, not over it
    assert served(troupe) == "three"
    troupe("rollback", "dev")
    assert served(troupe) == "two"


@pytest.mark.parametrize("way", [("shift", "dev", "--abort"), ("rollback", "dev")])
def test_by_hand_and_taken_back(troupe, account, way):
    states = three(troupe)
    troupe("shift", "dev", "--to", "2", "--weight", "30")
    result = troupe(*way)
    assert "dev#4 was taken back" in result.out, str(result)
    assert versions(troupe) == states[2] and alias(account)[1] == {} and number(troupe) == 3
    assert outcomes(troupe)[0] == "superseded"
    assert "nothing to do" in troupe("deploy", "dev").out
    assert troupe("shift", "dev", "--abort", check=False).code == 3


def test_other_commands_wait_for_its_end(troupe, account):
    states = three(troupe)
    troupe("shift", "dev", "--to", "2", "--weight", "30")
    before = troupe.world()
    code(troupe, "four")
    for command in (
        ["deploy", "dev"],
        ["deploy", "dev", "--function", "hello"],
        ["reset", "dev", "--to", "prod"],
        ["shift", "dev", "--to", "1", "--weight", "10"],
        ["plan", "dev"],
    ):
        result = troupe(*command, check=False)
        assert result.code == 3 and "shift" in result.err and "--promote" in result.err, str(result)
        assert troupe.world() == before
    assert "nothing to repair" in troupe("repair", "dev").out
    troupe("deploy", "prod")
    troupe("rollback", "dev", "--to", "1")
    assert versions(troupe) == states[0] and alias(account)[1] == {}


def test_by_hand_repaired(troupe, account):
    states = three(troupe)
    troupe("shift", "dev", "--to", "1", "--weight", "20")
    standing = alias(account)
    account.client("lambda").update_alias(
        FunctionName="shop-hello",
        Name="dev",
        FunctionVersion=states[1]["shop-hello"],
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    result = troupe("repair", "dev")
    assert "80%" in result.out and alias(account) == standing, str(result)
    assert troupe("shift", "dev", "--promote").code == 0 and served(troupe) == "one"


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--weight", "10", "--promote"],
        ["--weight", "100", "--to", "1"],
        ["--promote", "--to", "1"],
        ["--to", "x", "--weight", "5"],
    ],
)
def test_wrong_usage(troupe, args):
    troupe.use("shop")
    result = troupe("shift", "dev", *args, check=False)
    assert result.code == 2 and "troupe shift STAGE" in result.err, str(result)


def test_what_cannot_be_shifted_to(troupe):
    three(troupe)
    before = troupe.world()
    for args, exit_code, words in (
        (["--to", "3"], 3, "'dev' is at 3"),
        (["--to", "9"], 1, "there is no deployment dev#9"),
    ):
        result = troupe("shift", "dev", *args, "--weight", "5", check=False)
        assert result.code == exit_code and words in result.err, str(result)
    for how in ("--promote", "--abort"):
        result = troupe("shift", "dev", how, check=False)
        assert result.code == 3 and "no shift of 'dev' is under way" in result.err, str(result)
    assert troupe.world() == before


@pytest.mark.parametrize(
    "rule, words",
    [
        ("canary", "needs 'percent' and 'after'"),
        ("{type: blue}", "there is no way to shift called 'blue'"),
        ("{type: canary, percent: 100, after: 1m}", "percent"),
        ("{type: linear, step: 10, every: soon}", "a time like 30s"),
        ("{prod: {type: linear, step: 10}}", "every"),
    ],
)
def test_bad_settings(troupe, rule, words):
    troupe.use("shop")
    append(troupe, f"custom:\n  troupe:\n    shift: {rule}\n")
    result = troupe("validate", "--stage", "dev", check=False)
    assert (
        result.code == 2
        and words in result.err
        and "serverless.yml:" in result.err
        and "^" in result.err
    ), str(result)
