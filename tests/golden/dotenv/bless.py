#!/usr/bin/env python3
"""Write what the reference's libraries read from the .env files of cases.json.

Usage: bless.py [--random N] [--out FILE]

Without options: the cases below, hand-made and random ones with a fixed seed, go to cases.json
beside this file. --random N writes N new random ones instead, for a comparison by hand:

    python3 tests/golden/dotenv/bless.py --random 5000 --out /tmp/cases.json
    build-tests/clang/tests/unit/test_config_dotenv tests /tmp/cases.json

Files whose references never end in the reference are left out, and values in which "\\${" is left:
the service's own variables take that backslash, in the reference, too.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))

import bless as reference_tool  # noqa: E402  (the compile cases' tool: finds and installs it)

SCRIPT = """
const [modules] = process.argv.slice(1);
const dotenv = require(modules + '/dotenv'), expand = require(modules + '/dotenv-expand').expand;
const vm = require('vm'), cases = JSON.parse(require('fs').readFileSync(0, 'utf8')), done = [];
global.read = ({file, env}) => {
  const all = {...env}, parsed = dotenv.parse(file);
  dotenv.populate(all, parsed);
  expand({parsed, processEnv: all});
  return all;
};
for (const one of cases) {
  global.one = one;
  try {
    one.values = vm.runInThisContext('read(one)', {timeout: 300});
    const text = JSON.stringify(one.values);
    if (text.length < 50000 && !text.includes('\\\\\\\\${')) done.push(one);
  } catch (error) {
    if (error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
  }
}
process.stdout.write(JSON.stringify(done));
"""

HAND_MADE = [
    'J="{"a":1}"',
    "Q='it's'",
    "Q='it''s'",
    'T="x"y',
    'T="x" y',
    'T="x" # c',
    'T="x"# c',
    'A="x\nB=end',
    "A='x\nB=end2",
    'A="a" "b"',
    'A=a "b"',
    'A="a"b"',
    "A=`x`y",
    'A=""a""',
    "A='\"a\"'",
    "A=\"'a'\"",
    'A=""',
    'A=" x "',
    "A='multi\nline' # c\nB=after",
    'A="multi\nline"x\nB=after',
    "A=\nB=1",
    "A\n=b",
    "A=\n'x'",
    "A: b",
    "A:b",
    "A:\nB=c",
    "A : b",
    "export A=1",
    "export\tA=1",
    "exportA=1",
    "export=1",
    "export A",
    "export A\nB=1",
    "  A = b  ",
    "A.b-c=1",
    "1A=1",
    "A=b#c",
    "A=b #c",
    "A=#c",
    "A= # c",
    "A='b#c'",
    'A="b#c" # d',
    "A='a\\'b'",
    "A='a\\'",
    "A='a\\' # c",
    'A="a\\"b"',
    'A="a\\nb"',
    "A='a\\nb'",
    "A=a\\nb",
    'A="a\\rb"',
    'A="a\\nb',
    "A=1\r\nB=2\r\n",
    "A=1\rB=2",
    "\ufeffA=1",
    "A=\u00a0x\u00a0",
    "\u00a0A=1",
    "A=1\nA=2",
    "A=1\nB=$A\nA=3",
    "A='a\n\n\nb'",
    "A=`a\n'\"b`",
    "# A=1",
    "A=1 B=2",
    "A==b",
    "A=b=c",
    "=x",
    "A",
    "A='\nB='\nC=1",
    'A="$B"\nB=1',
    "A='$B'\nB=1",
    "A=\\$B\nB=1",
    "A=${B:-x}",
    "A=${B-x}",
    "A=${B:+x}",
    "A=${B+x}",
    "B=1\nA=${B:+x}",
    "B=1\nA=${B+x}",
    "A=${B:-${C}}\nC=deep",
    "A=${B:-${C:-last}}",
    "A=${B:-a:-b}",
    "A=${B:-a-b}",
    "A=${B-a:-b}",
    "A=${}",
    "A=${",
    "A=$",
    "A=$1",
    "A=${1}",
    "A=$$B\nB=1",
    "A=${B",
    "A={B}",
    "A=$B$B\nB=1",
    "A=$A",
    "A=x$A",
    "A=$B\nB=$A",
    "A=${A:-x}",
    "A=${B}\nB='${C}'\nC=1",
    "A='\\${B} ${B}'\nB=1",
    "A=$B\nB='$$x'",
    "A=\"[$B]\"\nB='$&'",
    "A=\"[$B]\"\nB='$`'",
    'A="[$B]"\nB="$\'"',
    "A=$B_C\nB=1",
    "A=${B C:-d}",
    "A=${B\nC:-d}",
    "B=\nA=${B:-x}",
    "B=\nA=${B-x}",
    "B=\nA=${B+x}",
    "A=\\\\$B\nB=1",
    "A=$B.$C\nB=1\nC=2",
    "A=a\\$b\\$c",
    'A="a\tb"',
    "A=a\tb",
    "A=\u00e9\u4e2d",
    "A='\u00e9' # \u4e2d",
    "\n\n\nA=1\n\n\nB=2\n\n",
    "A='x'\n\n# c\n\nB=2",
]
ENVIRONMENTS = [
    ("A=file\nB=$A", {"A": "given"}),
    ("A=file\nB=$A", {"A": ""}),
    ("B=$A\nA=file", {"A": "given"}),
    ("B=$A", {"A": "given"}),
    ("A=$B\nB=1", {"A": "$B"}),
    ("A=file\nB=$A", {"A": "a\\$b"}),
    ("B=${A:-x}", {"A": ""}),
    ("A=file\nB=${A:-x}", {"A": ""}),
    ("B=$A", {"A": "$C", "C": "deep"}),
    ("A=x\nB=${A:+y}", {"A": ""}),
]
PIECES = [
    "A",
    "B",
    "C",
    "A_1",
    "=",
    "=",
    "=",
    "='",
    '="',
    "=`",
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    '\\"',
    "\n",
    "\n",
    "\n",
    " ",
    "  ",
    "\t",
    "#",
    " # ",
    ": ",
    ":",
    "$",
    "$A",
    "${A}",
    "${B:-",
    "${C-x}",
    "${A:+y}",
    "${B+z}",
    "}",
    "{",
    "x",
    "y z",
    "-",
    "+",
    "\\n",
    "\\$",
    "\\$A",
    "export ",
    "é",
    "\r\n",
    "1",
    ".",
    "A=",
    "B=",
    "C=",
    "\nA=",
    "\nB=",
    "\nC=",
    "$&",
    "$$",
]


def random_case(rng):
    file = "".join(rng.choice(PIECES) for _ in range(rng.randint(3, 28)))
    env = {
        name: rng.choice(["", "given", "x$A", "$B", "a\\$b"])
        for name in "ABC"
        if rng.random() < 0.12
    }
    return {"file": file, "env": env}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--random", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "cases.json")
    options = parser.parse_args()
    if options.random:
        rng = random.Random()
        cases = [random_case(rng) for _ in range(options.random)]
    else:
        rng = random.Random(17)
        cases = [{"file": file, "env": {}} for file in HAND_MADE]
        cases += [{"file": file, "env": env} for file, env in ENVIRONMENTS]
        cases += [random_case(rng) for _ in range(300)]
    modules = reference_tool.reference().parents[2]
    done = subprocess.run(
        ["node", "-e", SCRIPT, str(modules)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in made)
    options.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(made)} cases in {options.out}")


if __name__ == "__main__":
    main()
