# Compiles again what pip has compiled below the folder that is named, so that the same sources give
# the same bytes: a .pyc has the time of its source and the path at which pip compiled it. With a
# hash of the source in place of the time, Python takes what it finds in Lambda, where files have
# other times.
import importlib.util
import multiprocessing
import os
import py_compile
import re
import sys


def again(compiled):
    source = importlib.util.source_from_cache(compiled)
    level = re.search(r"\.opt-(\d)\.pyc$", compiled)
    if not os.path.exists(source):
        return
    py_compile.compile(
        source,
        compiled,
        os.path.relpath(source, sys.argv[1]),
        doraise=True,
        optimize=int(level.group(1)) if level else 0,
        invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
    )


def main():
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(sys.argv[1])
        if os.path.basename(folder) == "__pycache__"
        for name in names
        if name.endswith(".pyc")
    ]
    if sys.version_info >= (3, 7) and found:
        with multiprocessing.get_context("fork").Pool() as pool:
            pool.map(again, found, 16)


main()
