"""A service of fifty functions: the work of a deploy follows what changed, not the size."""

import json

import pytest

import fifty as service


@pytest.fixture
def fifty(troupe):
    troupe.write(service.files())
    troupe("deploy", "dev")
    return troupe


def test_no_change_takes_at_most_twelve_calls(fifty, proxy):
    mark = proxy.mark()
    fifty("deploy", "dev")
    sent = service.sent(proxy, mark)
    assert len(sent["calls"]) <= 12, proxy.show(mark)
    assert (sent["artifacts"], sent["versions"], sent["stack changes"]) == ([], [], [])


def test_one_changed_function_is_one_artifact_one_version_one_update(fifty, proxy):
    before = fifty.world()["functions"]
    fifty.edit("f07.js", "'one'", "'two'")
    mark = proxy.mark()
    fifty("deploy", "dev")
    sent = service.sent(proxy, mark)
    assert len(sent["artifacts"]) == 1, proxy.show(mark)
    assert [call.params["FunctionName"] for call in sent["versions"]] == ["fifty-f07"]
    assert [(call.operation, call.params["StackName"].rpartition("/")[0].rpartition("/")[2] or call.params["StackName"])
            for call in sent["stack changes"]] == [("UpdateStack", "fifty-dev")]
    after = fifty.world()["functions"]
    moved = [name for name in after if after[name]["aliases"]["dev"]["version"] !=
             before[name]["aliases"]["dev"]["version"]]
    assert moved == ["fifty-f07"]
    assert json.loads(fifty("invoke", "dev", "f07").out)["code"] == "two"
