"""A service of fifty functions, each with an artifact of its own, and what a deploy of it sent."""

COUNT = 50


def files():
    functions = "".join(
        f"  f{n:02}:\n    handler: f{n:02}.main\n    package:\n      patterns: ['f{n:02}.js']\n"
        for n in range(COUNT)
    )
    return {
        "serverless.yml": (
            "service: fifty\nprovider:\n  name: aws\n  runtime: nodejs20.x\n"
            "package:\n  individually: true\n  patterns: ['!**']\n"
            f"functions:\n{functions}"
        ),
        **{
            f"f{n:02}.js": f"exports.main = async () => ({{code: 'one', n: {n}}});\n"
            for n in range(COUNT)
        },
    }


def sent(proxy, mark):
    """The calls since the mark: all, artifacts uploaded, versions published, stacks created or
    updated.
    """
    calls = proxy.calls(since=mark)
    return {
        "calls": calls,
        "artifacts": [
            call
            for call in calls
            if call.name == "s3.PutObject" and "/artifacts/" in call.params["Key"]
        ],
        "versions": [call for call in calls if call.name == "lambda.PublishVersion"],
        "stack changes": [
            call for call in calls if call.service == "cloudformation" and call.writes
        ],
    }
