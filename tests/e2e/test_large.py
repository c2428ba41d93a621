"""A service of fifty functions: the work of a deploy follows what changed, not the size."""

import pytest

COUNT = 50


@pytest.fixture
def fifty(troupe):
    functions = "".join(f"  f{n:02}:\n    handler: f{n:02}.main\n    package:\n      patterns: ['f{n:02}.js']\n"
                        for n in range(COUNT))
    troupe.write({"serverless.yml": "service: fifty\nprovider:\n  name: aws\n  runtime: nodejs20.x\n"
                                    "package:\n  individually: true\n  patterns: ['!**']\n"
                                    f"functions:\n{functions}",
                  **{f"f{n:02}.js": f"exports.main = async () => ({{code: 'one', n: {n}}});\n" for n in range(COUNT)}})
    troupe("deploy", "dev")
    return troupe


def artifacts(proxy, mark):
    return [record for record in proxy.calls("s3.PutObject", mark) if "/artifacts/" in record.params["Key"]]


def test_no_change_takes_at_most_twelve_calls(fifty, proxy):
    mark = proxy.mark()
    fifty("deploy", "dev")
    calls = proxy.calls(since=mark)
    assert len(calls) <= 12, proxy.show(mark)
    assert artifacts(proxy, mark) == [] and proxy.calls("lambda.PublishVersion", mark) == []
    assert [call for call in calls if call.service == "cloudformation" and call.writes] == []


def test_one_changed_function_is_one_artifact_one_version_one_update(fifty, proxy):
    before = fifty.world()["functions"]
    fifty.edit("f07.js", "'one'", "'two'")
    mark = proxy.mark()
    fifty("deploy", "dev")
    assert len(artifacts(proxy, mark)) == 1, proxy.show(mark)
    published = proxy.calls("lambda.PublishVersion", mark)
    assert [record.params["FunctionName"] for record in published] == ["fifty-f07"]
    updates = [record for record in proxy.calls(since=mark) if record.service == "cloudformation" and record.writes]
    assert [record.operation for record in updates] == ["UpdateStack"] and updates[0].params["StackName"] == "fifty-dev"
    after = fifty.world()["functions"]
    moved = [name for name in after if after[name]["aliases"]["dev"]["version"] !=
             before[name]["aliases"]["dev"]["version"]]
    assert moved == ["fifty-f07"]
    assert '"two"' in fifty("invoke", "dev", "f07").out.replace(" ", "")
