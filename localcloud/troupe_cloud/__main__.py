"""Check the version, apply every mend, then start MiniStack's own server."""

import os
import sys

from troupe_cloud import MINISTACK_VERSION
from troupe_cloud.patching import PatchError


def main() -> None:
    from importlib import metadata

    os.environ["AUTH"] = "true"  # MiniStack verifies nothing itself without it

    try:
        found = metadata.version("ministack")
    except metadata.PackageNotFoundError:
        sys.exit("troupe_cloud: ministack is not installed in this Python environment")
    if found != MINISTACK_VERSION:
        sys.exit(
            f"troupe_cloud: made for ministack {MINISTACK_VERSION}, found {found}: "
            "every mend depends on that version's inner functions"
        )
    try:
        from troupe_cloud import mends, settings

        mends.apply()
    except PatchError as error:
        sys.exit(f"troupe_cloud: {error}")

    print(f"troupe_cloud: TROUPE_CLOUD_SEED={settings.SEED}", flush=True)
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
