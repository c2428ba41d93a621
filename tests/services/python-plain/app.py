import os

import idna


def handler(event, context):
    return {"name": idna.encode("bücher.example").decode(), "stage": os.environ["STAGE"]}
