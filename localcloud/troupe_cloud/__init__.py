"""The local cloud of troupe: MiniStack, made as strict as AWS where stages live.

MiniStack's services are plain Python modules. Every module of this package mends one subject from
outside, by replacing single functions (see ``patching``), and says what AWS does and why it
matters. Run it with ``python -m troupe_cloud``; it takes the environment variables of
``ministack``.
"""

import re
from pathlib import Path

_PINS = (Path(__file__).parents[1] / "requirements.txt").read_text()
MINISTACK_VERSION = re.search(r"^ministack==(\S+)", _PINS, re.M)[1]
