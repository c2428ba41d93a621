"""What AWS is certain to refuse is known from the file: validate, plan and deploy say it with its
place before anybody is asked. What CloudFormation takes is taken.
"""

HEAD = "service: known\nprovider: {name: aws, runtime: nodejs20.x}\n"
F = "  f:\n    handler: handler.hello\n"
TABLE = (
    "{Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST, AttributeDefinitions:"
    " [{AttributeName: k, AttributeType: S}], KeySchema: [{AttributeName: k, KeyType: HASH}]%s}}"
)
QUEUE = "{Type: AWS::SQS::Queue%s}"


def service(function="", resources="", more="", head=HEAD):
    parts = (
        head
        + "functions:\n"
        + F
        + "".join(f"    {line}\n" for line in function.splitlines())
        + more
    )
    return parts + (
        "resources:\n" + "".join(f"  {line}\n" for line in resources.splitlines())
        if resources
        else ""
    )


ORDERS = "Resources:\n  Orders: " + TABLE % ""
# name: (serverless.yml, place, words)
REFUSED = {
    "Ref": (
        service("environment: {TABLE: !Ref Ordrs}", ORDERS),
        "6:26",
        ["Ordrs", "did you mean 'Orders'?"],
    ),
    "long Ref": (service("environment: {TABLE: {Ref: Ordrs}}", ORDERS), "6:32", ["Ordrs"]),
    "GetAtt": (
        service("environment: {ARN: !GetAtt Ordrs.Arn}", ORDERS),
        "6:24",
        ["Ordrs", "'Orders'"],
    ),
    "long GetAtt": (
        service("environment: {ARN: {Fn::GetAtt: [Ordrs, Arn]}}", ORDERS),
        "6:38",
        ["Ordrs"],
    ),
    "Sub": (
        service("environment: {ARN: !Sub 'x-${Ordrs}-${AWS::Region}'}", ORDERS),
        "6:34",
        ["Ordrs", "'Orders'"],
    ),
    "Sub of an attribute": (
        service("environment: {ARN: !Sub 'x-${Ordrs.Arn}'}", ORDERS),
        "6:34",
        ["Ordrs"],
    ),
    "Sub beside a local": (
        service("environment: {ARN: !Sub ['${Own}-${Other}', {Own: 1}]}", ORDERS),
        "6:40",
        ["Other"],
    ),
    "in a Join in a statement": (
        service(
            resources=ORDERS,
            head=HEAD.replace(
                "}\n",
                ", iam: {role: {statements: [{Effect: Allow, Action: 'x:y', "
                "Resource: !Join ['', [!Ref Ordrs, '/*']]}]}}}\n",
            ),
        ),
        "2:",
        ["Ordrs"],
    ),
    "layer": (service("layers: [!Ref NopeLambdaLayer]"), "6:14", ["NopeLambdaLayer"]),
    "value of an API key": (
        service(
            "events:\n  - http: {path: x, method: get, private: true}",
            head=HEAD.replace("}\n", ", apiGateway: {apiKeys: [{name: one, value: short}]}}\n"),
        ),
        "2:",
        ["20 to 128 characters"],
    ),
    "role": (service("role: Orders1", ORDERS), "6:11", ["Orders1"]),
    "event": (
        service("events:\n  - sqs: {arn: !GetAtt Queu.Arn}", "Resources:\n  Queue: " + QUEUE % ""),
        "7:20",
        ["Queu", "'Queue'"],
    ),
    "dependsOn": (service("dependsOn: [Ordrs]", ORDERS), "6:17", ["Ordrs"]),
    "DependsOn": (
        service(resources="Resources:\n  Q: " + QUEUE % ", DependsOn: Nothing"),
        "8:",
        ["Nothing"],
    ),
    "Condition": (
        service(
            resources="Conditions: {IsProd: !Equals [a, b]}\nResources:\n  Q: "
            + QUEUE % ", Condition: IsPrd"
        ),
        "9:",
        ["condition 'IsPrd'", "'IsProd'"],
    ),
    "If": (
        service("environment: {AA: !If [IsPrd, x, y]}", "Conditions: {IsProd: !Equals [a, b]}"),
        "6:28",
        ["IsPrd"],
    ),
    "condition of conditions": (
        service(resources="Conditions: {A1: !Not [Condition: B1]}"),
        "7:",
        ["'B1'"],
    ),
    "FindInMap": (
        service("environment: {AA: !FindInMap [Mapp, x, y]}", "Mappings: {Map: {x: {y: z}}}"),
        "6:35",
        ["mapping 'Mapp'"],
    ),
    "FindInMap, first key": (
        service("environment: {AA: !FindInMap [Map, smal, y]}", "Mappings: {Map: {small: {y: z}}}"),
        "6:40",
        ["mapping 'Map' has no 'smal'", "'small'"],
    ),
    "FindInMap, second key": (
        service("environment: {AA: !FindInMap [Map, x, why]}", "Mappings: {Map: {x: {y: z}}}"),
        "6:43",
        ["mapping 'Map' has no 'why'"],
    ),
    "FindInMap, a function": (
        service(
            "environment: {AA: !FindInMap [Map, !If [IsA, x, z], y]}",
            "Conditions: {IsA: !Equals [a, b]}\nMappings: {Map: {x: {y: z}, z: {y: z}}}",
        ),
        "6:40",
        ["three texts", "Transform"],
    ),
    "FindInMap, a default": (
        service(
            resources=(
                "Mappings: {Map: {x: {y: z}}}\nOutputs:\n"
                "  O: {Value: !FindInMap [Map, x, why, {DefaultValue: a}]}"
            )
        ),
        "9:",
        ["three texts", "Transform"],
    ),
    "Output": (service(resources="Outputs: {O: {Value: !Ref Nothing}}"), "7:24", ["Nothing"]),
    "parameter": (
        service(
            resources=(
                "Parameters: {Size: {Type: String, Default: a}}\nOutputs: {O: {Value: !Ref Sise}}"
            )
        ),
        "8:24",
        ["Sise", "'Size'"],
    ),
    "one name": (
        service("name: known-x", more="  g: {handler: handler.hello, name: known-x}\n"),
        "7:37",
        ["function 'f'", "function 'g'", "6:11"],
    ),
    "one name of a stage's and a shared one": (
        service(
            more=(
                "  home: {handler: handler.hello}\n  dev-home: {handler: handler.hello}\n"
                "custom: {troupe: {functions: {perStage: [home]}}}\n"
            )
        ),
        "7:3",
        ["'home'", "'dev-home'", "6:3"],
    ),
    "one table": (
        service(
            resources="Resources:\n  A: "
            + TABLE % ", TableName: t-x"
            + "\n  B: "
            + TABLE % ", TableName: t-x"
        ),
        "9:",
        ["'A'", "'B'", "t-x"],
    ),
    "one queue": (
        service(
            resources="Resources:\n  A: "
            + QUEUE % ", Properties: {QueueName: q}"
            + "\n  B: "
            + QUEUE % ", Properties: {QueueName: q}"
        ),
        "9:",
        ["'A'", "'B'"],
    ),
    "variables beside": (
        service("events:\n  - http: GET /u/{id}\n  - http: GET /u/{user}/posts"),
        "8:15",
        ["/u/{id}", "/u/{user}", "7:15"],
    ),
    "greedy beside": (
        service("events:\n  - http: {path: '/u/{id}', method: get}\n  - http: GET /u/{proxy+}"),
        "8:15",
        ["/u/{id}", "/u/{proxy+}"],
    ),
    "environment of one letter": (service("environment: {X: x}"), "6:19", ["'X'"]),
    "environment that leads with _": (service("environment: {_LEAD: x}"), "6:19", ["'_LEAD'"]),
    "reserved": (service("environment: {AWS_REGION: x}"), "6:19", ["AWS_REGION"]),
    "runtimeManagement": (
        service("runtimeManagement: onFunctionUpdate"),
        "6:24",
        ["functions.perStage: [f]"],
    ),
    "recursiveLoop": (service("recursiveLoop: Allow"), "6:", ["functions.perStage: [f]"]),
    "extension": (
        service(resources="extensions: {FLambdaFunction: {Properties: {Frob: 1}}}"),
        "7:47",
        ["Frob", "functions.perStage: [f]"],
    ),
    "code signing": (
        service(
            resources=(
                "extensions: {FLambdaFunction: {Properties: {CodeSigningConfigArn: !Ref"
                " Signed}}}\nResources:\n  Signed: {Type: AWS::Lambda::CodeSigningConfig,"
                " Properties: {AllowedPublishers: {SigningProfileVersionArns: [a]},"
                " CodeSigningPolicies: {UntrustedArtifactOnDeployment: Enforce}}}"
            )
        ),
        "7:",
        ["code signing", "functions.perStage: [f]"],
    ),
    "runtime": (service("runtime: [1]"), "6:14", ["runtime"]),
}

TAKEN = {
    "pseudo parameters": service(
        "environment: {AA: !Ref AWS::Region, BB: !Sub '${AWS::StackName}-${!Literal}'}"
    ),
    "nothing": service("environment: {X: !Ref AWS::NoValue}"),
    "a local": service("environment: {AA: !Sub ['${Own}', {Own: !Ref AWS::Region}]}"),
    "made ones": service(
        "environment: {AA: !Ref ServerlessDeploymentBucket}\nevents:\n  - http: GET /u/{id}\n"
        "  - http: GET /u/{id}/posts\n  - http: GET /v/{other}\n  - httpApi: GET /x",
        "Outputs:\n  A: {Value: !Ref ApiGatewayRestApi}\n  B: {Value: !GetAtt"
        " FLambdaFunction.Arn}\n  C: {Value: !Ref HttpApi}\n  D: {Value: !GetAtt"
        " IamRoleLambdaExecution.Arn}\n  E: {Value: !Ref FLambdaAlias}\n  G: {Value: !Ref"
        " FLogGroup}",
    ),
    "conditions": service(
        resources="Conditions: {A1: !Equals [a, b], B1: !Not [Condition: A1]}\nResources:\n  A: "
        + QUEUE % ", Condition: A1, Properties: {QueueName: q}"
        + "\n  B: "
        + QUEUE % ", Condition: B1, Properties: {QueueName: q}"
    ),
    "code signing that warns": service(
        resources=(
            "extensions: {FLambdaFunction: {Properties: {CodeSigningConfigArn: !Ref"
            " Signed}}}\nResources:\n  Signed: {Type: AWS::Lambda::CodeSigningConfig, Properties:"
            " {AllowedPublishers: {SigningProfileVersionArns: [a]}, CodeSigningPolicies:"
            " {UntrustedArtifactOnDeployment: Warn}}}"
        )
    ),
    "a parameter": service(
        "environment: {AA: !Ref Size, BB: !FindInMap [!Ref Size, x, y], CC: !FindInMap [Map, !Ref"
        " Size, y], DD: !FindInMap [Map, x, y]}",
        "Parameters: {Size: {Type: String, Default: a}}\nMappings: {Map: {x: {y: z}}}",
    ),
    "a condition of a policy": service(
        resources=(
            "Resources:\n  P:\n    Type: AWS::SNS::TopicPolicy\n    Properties:\n"
            "      Topics: []\n      PolicyDocument: {Statement: [{Condition: {Bool: {x: y}}}]}"
        )
    ),
    "a role by a function": service(
        "role: !Join ['', ['arn:aws:iam::', !Ref AWS::AccountId, ':role/x']]"
    ),
    "one name, two types": service(
        resources="Resources:\n  A: "
        + QUEUE % ", Properties: {QueueName: x}"
        + "\n  B: {Type: AWS::SNS::Topic, Properties: {TopicName: x}}"
    ),
    "macros": service(
        resources="Transform: AWS::LanguageExtensions\nOutputs: {O: {Value: !Ref MadeByIt}}"
    ),
}


def problem(troupe, proxy, text, place, words):
    """What is wrong with how the three commands refuse `text`, or None."""
    troupe.write({"serverless.yml": text})
    for command in ("validate", "plan", "deploy"):
        result = troupe(command, "dev", check=False)
        found = [word for word in words if word not in result.err]
        if (
            result.code != 2
            or f"--> serverless.yml:{place}" not in result.err
            or found
            or proxy.records
        ):
            return f"{place} {found} {len(proxy.records)} calls\n{result}"
    return None


def test_refused_before_anything_is_asked(troupe, proxy):
    troupe.write({"handler.js": "exports.hello = async () => 1;\n"})
    wrong = {name: problem(troupe, proxy, *case) for name, case in REFUSED.items()}
    assert not any(wrong.values()), "\n".join(
        f"{name}: {said}" for name, said in wrong.items() if said
    )


def test_what_cloudformation_takes(troupe):
    troupe.write({"handler.js": "exports.hello = async () => 1;\n"})
    wrong = []
    for name, text in TAKEN.items():
        troupe.write({"serverless.yml": text})
        result = troupe("validate", "dev", check=False)
        wrong += [f"{name}: {result}"] if result.code else []
    assert not wrong, "\n".join(wrong)


def test_packages_what_the_reference_packages(troupe):
    troupe.write({"handler.js": "exports.hello = async () => 1;\n"})
    for name in (
        "Ref",
        "one name",
        "variables beside",
        "environment of one letter",
        "runtimeManagement",
    ):
        troupe.write({"serverless.yml": REFUSED[name][0]})
        troupe("package")


def test_all_at_once(troupe, proxy):
    """Of the template and of the code, in the order of the file."""
    troupe.write(
        {
            "handler.js": "exports.hello = async () => 1;\n",
            "serverless.yml": service(
                "environment: {AWS_REGION: a}\nevents:\n  - http: GET /u/{id}\n  - http: GET"
                " /u/{name}",
                "Outputs: {O: {Value: !Ref Nothing}}",
                "  g: {handler: missing.hello}\n",
            ),
        }
    )
    for words in (("AWS_REGION", "missing"), ("'X'", "/u/{name}", "missing", "Nothing")):
        result = troupe("plan", "dev", check=2)
        said = [line for line in result.err.splitlines() if line.startswith("error: ")]
        assert len(said) == len(words) and all(map(str.__contains__, said, words)), str(result)
        troupe.write(
            {
                "serverless.yml": (
                    (troupe.folder / "serverless.yml").read_text().replace("AWS_REGION", "X")
                )
            }
        )
    assert proxy.records == []
