try:
    import unzip_requirements  # noqa: F401
except ImportError:
    pass

import idna


def hello(event, context):
    return idna.__version__
