"""The table of links and the queue of clicks."""

import json
import os

import botocore.session

# botocore is part of Lambda's Python runtimes; clients are made once for each environment.
_session = botocore.session.get_session()
_table = _session.create_client("dynamodb")
_queue = _session.create_client("sqs")
_TABLE = os.environ["LINKS_TABLE"]


def put(name, target):
    """Create or change a link; clicks start at 0."""
    item = {"name": {"S": name}, "target": {"S": target}, "clicks": {"N": "0"}}
    _table.put_item(TableName=_TABLE, Item=item)


def get(name):
    """The link as a dictionary, or None."""
    answer = _table.get_item(TableName=_TABLE, Key={"name": {"S": name}}, ConsistentRead=True)
    item = answer.get("Item")
    if item is None:
        return None
    return {"name": name, "target": item["target"]["S"], "clicks": int(item["clicks"]["N"])}


def clicked(name):
    """Tell the counter, which works apart from the answer."""
    _queue.send_message(QueueUrl=os.environ["CLICKS_QUEUE"], MessageBody=json.dumps({"name": name}))


def count(name):
    """Add a click."""
    _table.update_item(
        TableName=_TABLE,
        Key={"name": {"S": name}},
        UpdateExpression="ADD clicks :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
