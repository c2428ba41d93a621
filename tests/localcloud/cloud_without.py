"""The local cloud without the mends of one module, TROUPE_CLOUD_WITHOUT: see needed_mends.

Only the mends are left out. The module's functions stay, because other modules call them.
"""

import os

from troupe_cloud import patching
from troupe_cloud.__main__ import main
from troupe_cloud.mends import MENDS

if __name__ == "__main__":
    without = os.environ["TROUPE_CLOUD_WITHOUT"]
    assert without in MENDS, f"no module of mends is called {without}"
    patching.LEFT_OUT.add(f"troupe_cloud.{without}")
    main()
