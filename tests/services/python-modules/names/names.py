import idna


def handler(event, context):
    return idna.__version__
