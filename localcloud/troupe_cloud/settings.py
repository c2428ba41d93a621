"""Settings, from the environment. Durations are milliseconds there, seconds here."""

import os
import secrets


def _seconds(name: str, default_ms: int) -> float:
    value = os.environ.get(name, "")
    try:
        return max(0, int(value)) / 1000 if value else default_ms / 1000
    except ValueError:
        raise SystemExit(
            f"troupe_cloud: {name} must be a number of milliseconds, not '{value}'"
        ) from None


# How long a function stays Pending after CreateFunction and InProgress after an update.
FUNCTION_UPDATE = _seconds("TROUPE_CLOUD_FUNCTION_UPDATE_MS", 150)
# How long a network interface of Lambda is there after its last use, at most.
NETWORK_RELEASE = _seconds("TROUPE_CLOUD_NETWORK_MS", 300)
# How long a new or changed role is unknown to other services at most (0: they know it at once).
ROLE_DELAY = _seconds("TROUPE_CLOUD_ROLE_DELAY_MS", 0)
# How long a version with SnapStart stays Pending at least.
SNAPSHOT = _seconds("TROUPE_CLOUD_SNAPSHOT_MS", 0)
# How long provisioned concurrency takes to follow an alias to another version.
PROVISIONING = _seconds("TROUPE_CLOUD_PROVISIONING_MS", 150)
# The least time a stack operation stays IN_PROGRESS.
STACK_OPERATION = _seconds("TROUPE_CLOUD_STACK_MS", 300)
# The most bytes of a function's unzipped code with its layers.
CODE_BYTES = int(os.environ.get("TROUPE_CLOUD_CODE_BYTES") or 262144000)
# The most resources that one operation changes in the stacks nested in its own.
STACK_CHANGES = int(os.environ.get("TROUPE_CLOUD_STACK_CHANGES") or 2500)
# What the delays of roles, the order of lists and of independent resources follow from.
SEED = os.environ.get("TROUPE_CLOUD_SEED") or str(secrets.randbelow(10**6))
# The file that says which actions on which resources callers need; empty: nothing is written.
ACTIONS_LOG = os.environ.get("TROUPE_CLOUD_ACTIONS_LOG", "")
