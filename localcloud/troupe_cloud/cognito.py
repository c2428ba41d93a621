"""Cognito: an update of a user pool sets back to its default what it does not mention.

What AWS does (Cognito API reference, UpdateUserPool): "If you don't provide a value for an
attribute, Amazon Cognito sets it to its default value". ``UnusedAccountValidityDays`` beside
``TemporaryPasswordValidityDays`` is refused (ibid., AdminCreateUserConfigType). MiniStack keeps
what is not mentioned, and takes both.

Without it fails: ``test_cognito.py::test_an_update_sets_back_what_it_leaves_out``
"""

import copy

from ministack.core.responses import error_response_json
from ministack.services import cognito

from troupe_cloud.patching import patch, require

require(cognito, "_resolve_pool")

DEFAULTS = {
    "AutoVerifiedAttributes": [],
    "SmsVerificationMessage": "",
    "EmailVerificationMessage": "",
    "EmailVerificationSubject": "",
    "SmsAuthenticationMessage": "",
    "MfaConfiguration": "OFF",
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "SmsConfiguration": {},
    "UserPoolTags": {},
    "AccountRecoverySetting": {},
    "LambdaConfig": {},
    "DeletionProtection": "INACTIVE",
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 8,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
            "TemporaryPasswordValidityDays": 7,
        }
    },
}
# Settings that a pool has only after somebody gave them.
OPTIONAL = (
    "DeviceConfiguration",
    "UserPoolAddOns",
    "VerificationMessageTemplate",
    "UserAttributeUpdateSettings",
)


@patch(cognito, "_update_user_pool")
def update_user_pool(original, data):
    pool, problem = cognito._resolve_pool(data.get("UserPoolId"))
    if problem:
        return problem
    policy = data.get("Policies", {}).get("PasswordPolicy", {})
    if "TemporaryPasswordValidityDays" in policy and "UnusedAccountValidityDays" in data.get(
        "AdminCreateUserConfig", {}
    ):
        return error_response_json(
            "InvalidParameterException",
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of "
            "UnusedAccountValidityDays",
            400,
        )
    answer = original(data)
    if answer[0] == 200:
        for member, value in DEFAULTS.items():
            if member not in data:
                pool[member] = copy.deepcopy(value)
        for member in OPTIONAL:
            if member not in data:
                pool.pop(member, None)
    return answer
