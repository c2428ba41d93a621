"""User pools whose triggers a custom resource changes."""

from cloud import name, refused


def test_an_update_sets_back_what_it_leaves_out(aws):
    cognito = aws.cloud.client("cognito-idp")
    trigger = "arn:aws:lambda:us-east-1:000000000000:function:signs"
    pool = cognito.create_user_pool(
        PoolName=name("pool"),
        AutoVerifiedAttributes=["email"],
        UserPoolTags={"a": "b"},
        Policies={"PasswordPolicy": {"MinimumLength": 17}},
        VerificationMessageTemplate={"EmailSubject": "Welcome"},
        LambdaConfig={"PreSignUp": trigger},
    )["UserPool"]["Id"]
    cognito.update_user_pool(UserPoolId=pool, LambdaConfig={"PostConfirmation": trigger})
    now = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert now["LambdaConfig"] == {"PostConfirmation": trigger}
    assert now["AutoVerifiedAttributes"] == [] and not now.get("UserPoolTags")
    assert now["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert "VerificationMessageTemplate" not in now
    both = {
        "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
        "AdminCreateUserConfig": {"UnusedAccountValidityDays": 3},
    }
    assert (
        refused(cognito.update_user_pool, UserPoolId=pool, **both)[1] == "InvalidParameterException"
    )
