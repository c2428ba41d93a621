"""A version with SnapStart takes its time, and one that failed comes back from PublishVersion.

What AWS does (Lambda developer guide, "Improving startup performance with Lambda SnapStart" and
"Troubleshooting SnapStart errors"; PublishVersion: "Lambda doesn't publish a version if the
function's configuration and code haven't changed since the last version"): the version is Pending
while its environment is started and stored, for minutes, and Failed when the function's own start
fails. Publishing again without a change answers that version. MiniStack is ready at once, and
starts only environments of Python.

``TROUPE_CLOUD_SNAPSHOT_MS`` is the time it stays Pending at least.

Without it fails: ``test_states.py::test_a_version_with_snapstart_takes_its_time``
"""

import threading
import time

from ministack.services import lambda_svc

from troupe_cloud import settings
from troupe_cloud.patching import patch


@patch(lambda_svc, "_snapstart_provision_version_async")
def provision(original, name, record):
    if not settings.SNAPSHOT:
        original(name, record)
        return

    def later():
        time.sleep(settings.SNAPSHOT)
        original(name, record)

    threading.Thread(target=later, daemon=True).start()
