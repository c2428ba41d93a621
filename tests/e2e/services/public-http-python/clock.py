import datetime
import json


def now(event, context):
    return {
        "statusCode": 200,
        "body": json.dumps({"message": f"It is {datetime.datetime.now().isoformat()}"}),
    }
