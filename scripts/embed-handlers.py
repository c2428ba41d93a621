#!/usr/bin/env python3
"""Write a C file with the handlers of custom resources: as a zip, and each as one script.

Usage: embed-handlers.py FOLDER OUTPUT

FOLDER has `lib/*.js` and `<kind>/handler.js`. In the zip files are stored, not compressed, in the
order of their names and with the earliest date of the format, so that every build writes the same
bytes. A script has the handler and all of `lib` in one file, without lines that are only comments,
so that it fits into a template.
"""

import io
import pathlib
import re
import sys
import zipfile

EARLIEST = (1980, 1, 1, 0, 0, 0)
COLUMNS = 20
COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
INDENT = re.compile(r"^\s+", re.MULTILINE)


def zipped(folder):
    """The bytes of a zip with the .js files below `folder`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*.js")):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())
    return out.getvalue()


def module(path):
    """A member of the table of modules: its name, and a function that runs it."""
    text = path.read_text(encoding="utf-8").replace("'use strict';\n", "", 1)
    text = INDENT.sub("", COMMENT.sub("", text))
    name = path.stem if path.parent.name == "lib" else "main"
    return f"'{name}': (module, exports, require) => {{\n{text}}},\n"


def script(folder, handler):
    """One file: modules are called by the last part of their path, and run when first asked for."""
    modules = [*sorted((folder / "lib").glob("*.js")), handler]
    return (
        "'use strict';\nconst modules = {\n"
        + "".join(map(module, modules))
        + "};\nconst loaded = {};\n"
        "const load = (path) => {\n"
        "const name = path.split('/').pop();\n"
        "if (!modules[name]) return require(path);\n"
        "if (!loaded[name]) {\n"
        "loaded[name] = { exports: {} };\n"
        "modules[name](loaded[name], loaded[name].exports, load);\n"
        "}\n"
        "return loaded[name].exports;\n"
        "};\n"
        "exports.handler = load('main').handler;\n"
    ).encode("utf-8")


def array(name, data):
    """`data` as a C array."""
    rows = (data[i : i + COLUMNS] for i in range(0, len(data), COLUMNS))
    text = "".join("    %s,\n" % ", ".join(map(str, row)) for row in rows)
    return f"static const unsigned char {name}[] = {{\n{text}}};\n"


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    handlers = sorted(folder.glob("*/handler.js"))
    arrays = [array("zip", zipped(folder))]
    rows = []
    for i, handler in enumerate(handlers):
        arrays.append(array(f"script_{i}", script(folder, handler)))
        rows.append(
            f'    {{"{handler.parent.name}/handler.handler", {{(const char *)script_{i}, '
            f"sizeof script_{i}}}}},\n"
        )
    output.write_text(
        '#include "compile/handlers.h"\n\n'
        + "".join(arrays)
        + "\nconst struct str handlers_zip = {(const char *)zip, sizeof zip};\n"
        + "const struct handler_script handler_scripts[] = {\n"
        + "".join(rows)
        + "    {0},\n};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
