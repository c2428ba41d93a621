#!/usr/bin/env python3
"""Write a C file that holds the text of another file as a string.

Usage: embed.py NAME INPUT OUTPUT      makes `const char NAME[]` of INPUT in OUTPUT
"""

import pathlib
import sys


def main():
    name, given, made = sys.argv[1:]
    data = pathlib.Path(given).read_bytes() + b"\0"
    lines = [",".join(map(str, data[i : i + 24])) for i in range(0, len(data), 24)]
    text = f"extern const char {name}[];\nconst char {name}[] = {{\n" + ",\n".join(lines) + "};\n"
    pathlib.Path(made).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
