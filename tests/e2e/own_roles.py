"""A service whose functions' role is the stage's own, because it refers to the stage's table."""

HANDLER = "exports.main = async () => 'CODE';\n"
SERVICE = """service: rights
provider:
  name: aws
  runtime: nodejs22.x
  iam:
    role:
      statements:
        - {{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Orders.Arn}}
{provider}
functions:
  f:
    handler: handler.main
{function}
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
        KeySchema: [{{AttributeName: id, KeyType: HASH}}]
        StreamSpecification: {{StreamViewType: KEYS_ONLY}}
    Jobs: {{Type: AWS::SQS::Queue}}
    Dead: {{Type: AWS::SNS::Topic}}
    Done: {{Type: AWS::SQS::Queue}}
{resources}
"""
TRUST = (
    "{Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sts:AssumeRole', "
    "Principal: {Service: lambda.amazonaws.com}}]}"
)
OWN_ROLE = f"""    Own:
      Type: AWS::IAM::Role
      Properties: {{AssumeRolePolicyDocument: {TRUST}}}
"""


def write(troupe, code, provider="", function="", resources=""):
    troupe.write(
        {
            "handler.js": HANDLER.replace("CODE", code),
            "serverless.yml": SERVICE.format(
                provider=provider, function=function, resources=resources
            ),
        }
    )
