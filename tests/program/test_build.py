"""Builds, with stand-ins for esbuild and TypeScript, and with esbuild itself where npm reaches its
registry.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import zipfile

import pytest

from run import PROGRAM, TIMEOUT_S, environment, troupe

HEAD = "service: app\nprovider: {name: aws, runtime: nodejs20.x}\n"
# Stands for the project's esbuild: what it bundles is the text of the entry and of ./lib.ts beside
# it. Each call is a line of `calls`.
ESBUILD = """
const fs = require('fs'), path = require('path');
exports.build = async (options) => {
  fs.appendFileSync('calls', JSON.stringify(options) + '\\n');
  const [entry] = options.entryPoints;
  const text = fs.readFileSync(entry, 'utf8');
  if (text.includes('FAIL')) { console.error(entry + ':1:1: it is wrong'); throw Object.assign(new Error(), { errors: [{}] }); }
  if (text.includes('HANG')) { fs.writeFileSync('hangs', String(process.pid)); await new Promise((r) => setTimeout(r, 1e8)); }
  const out = path.join(options.outdir, path.basename(entry).replace(/[.]tsx?$/, '.js'));
  const inputs = { [entry]: {} };
  if (text.includes('./lib')) inputs[path.join(path.dirname(entry), 'lib.ts')] = {};
  fs.mkdirSync(options.outdir, { recursive: true });
  if (!text.includes('SILENT')) fs.writeFileSync(out, Object.keys(inputs).map((f) => fs.readFileSync(f, 'utf8')).join(''));
  return { metafile: { inputs, outputs: {} }, warnings: [] };
};
"""


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def settle(folder):
    """Wait until a file that is written now is later than all that were written before."""
    newest = max(path.lstat().st_ctime_ns for path in folder.rglob("*"))
    probe = folder / ".probe"
    while True:
        probe.write_text("x")
        done = probe.stat().st_ctime_ns > newest
        probe.unlink()
        if done:
            return


@pytest.fixture
def service(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def run(folder, *args, **how):
    settle(folder)
    return troupe(*args, cwd=folder, env=environment(folder.parent), **how)


def entries(folder, name="app"):
    with zipfile.ZipFile(folder / ".serverless" / f"{name}.zip") as archive:
        return {entry: archive.read(entry).decode() for entry in archive.namelist()}


def command(folder, text, more="", head=HEAD):
    """A service whose code a command makes."""
    write(
        folder,
        {
            "serverless.yml": (
                head
                + "custom: {troupe: {build: {command: %s%s}}}\n" % (json.dumps(text), more)
                + "functions: {f: {handler: f.main}}\n"
            )
        },
    )


def esbuild(folder, plugins="plugins: [serverless-esbuild]\n"):
    write(
        folder,
        {
            "node_modules/esbuild/package.json": (
                '{"name": "esbuild", "version": "1.0.0", "main": "main.js"}'
            ),
            "node_modules/esbuild/main.js": ESBUILD,
            "src/a.ts": "a ./lib;",
            "src/b.ts": "b;",
            "src/lib.ts": "lib;",
            "serverless.yml": (
                HEAD
                + plugins
                + "functions:\n  a: {handler: src/a.main}\n  b: {handler: src/b.main}\n"
            ),
        },
    )


def calls(folder):
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# ---- commands ----


def test_command_writes_into_its_own_place(service):
    command(service, "echo $GREETING > $TROUPE_BUILD_DIR/f.js", ", environment: {GREETING: hello}")
    write(service, {"secret.txt": "not packaged"})
    done = run(service, "package")
    assert done.returncode == 0 and entries(service) == {"f.js": "hello\n"}, done.stderr
    assert (service / ".troupe/.gitignore").read_text() == "*\n"
    assert [path.name for path in (service / ".troupe").glob("build-*")] == []


@pytest.mark.parametrize(
    "outputs, names", [("dist", {"f.js", "deep/g.js"}), ("['dist/**', '!**/g.js']", {"dist/f.js"})]
)
def test_outputs(service, outputs, names):
    command(
        service,
        "mkdir -p dist/deep; echo 1 > dist/f.js; echo 2 > dist/deep/g.js",
        f", outputs: {outputs}",
    )
    run(service, "package")
    assert set(entries(service)) == names


def test_runs_only_when_inputs_differ(service):
    count = lambda: (service / "count").read_text().count("x")
    command(
        service, "printf x >> count; cat src/* > $TROUPE_BUILD_DIR/f.js", ", inputs: ['src/**']"
    )
    write(service, {"src/a": "1"})
    for _ in range(3):
        run(service, "package")
    assert count() == 1 and entries(service) == {"f.js": "1"}
    for number, change in enumerate(
        [
            lambda: write(service, {"src/a": "2"}),
            lambda: write(service, {"src/b": "3"}),
            (service / "src/b").unlink,
        ],
        2,
    ):
        change()
        run(service, "package")
        assert count() == number and entries(service)["f.js"] == "".join(
            path.read_text() for path in sorted((service / "src").iterdir())
        )
    same_size_and_time = (service / "src/a").stat()
    write(service, {"src/a": "9"})
    os.utime(service / "src/a", ns=(same_size_and_time.st_atime_ns, same_size_and_time.st_mtime_ns))
    run(service, "package")
    assert entries(service) == {"f.js": "9"}
    next((service / ".troupe/build").glob("service-*/f.js")).unlink()
    for path in (service / ".troupe/build").glob("service-*/f.js"):
        path.unlink()
    run(service, "package")
    assert entries(service) == {"f.js": "9"} and count() == 6


def test_without_inputs_it_runs_each_time(service):
    command(service, "printf x >> count; cp count $TROUPE_BUILD_DIR/f.js")
    run(service, "package")
    run(service, "package")
    assert entries(service) == {"f.js": "xx"}


def test_functions_have_builds_of_their_own(service):
    write(
        service,
        {
            "serverless.yml": (
                HEAD
                + """
custom:
  troupe:
    build:
      functions:
        f: {command: [sh, -c, 'echo f > "$TROUPE_BUILD_DIR/f.js"']}
functions: {f: {handler: f.main}, ff: {handler: ff.main}}
"""
            ),
            "ff.js": "ff",
        },
    )
    done = run(service, "package")
    assert entries(service, "f") == {"f.js": "f\n"} and entries(service) == {"ff.js": "ff"}, (
        done.stderr
    )


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "echo first; echo wrong at x >&2; exit 3",
            ["service failed: it ended with exit code 3", "note: first", "note: wrong at x"],
        ),
        ("true", ["it has ended well, and has written nothing", "TROUPE_BUILD_DIR"]),
        ("kill -9 $$", ["it was ended by signal 9"]),
        ("seq 1 200000; exit 1", ["note: 200000", "note: 199990"]),
        ("cp missing.js dist", ["exit code 1", "missing.js"]),
        ("printf '\\033[31mred' ; exit 1", ["\\u001b[31mred"]),
    ],
)
def test_a_builder_that_fails(service, text, said):
    command(service, text)
    done = run(service, "package")
    assert done.returncode == 2 and "serverless.yml:3:" in done.stderr, done.stderr
    assert all(part in done.stderr for part in said), done.stderr
    assert "note: 100000\n" not in done.stderr
    assert not (service / ".serverless").exists() and not list(
        (service / ".troupe").glob("build-*")
    )


def test_what_a_failed_builder_wrote_is_not_taken(service):
    command(service, "echo half > $TROUPE_BUILD_DIR/f.js; test -e good", ", inputs: [src]")
    write(service, {"src": "1"})
    assert run(service, "package").returncode == 2
    assert run(service, "package").returncode == 2
    write(service, {"good": ""})
    assert run(service, "package").returncode == 0


def test_too_much(service):
    command(service, "truncate -s 300M big", ", outputs: big")
    done = run(service, "package")
    assert done.returncode == 2 and "its outputs have more than 250 MB" in done.stderr, done.stderr
    command(service, "truncate -s 300M $TROUPE_BUILD_DIR/big")
    done = run(service, "package")
    assert done.returncode == 2 and "the largest in it: big 300.0 MB" in done.stderr, done.stderr


def test_limit(service):
    command(service, "echo it hangs; sleep 1000", ", limit: 1s")
    done = run(service, "package")
    assert (
        done.returncode == 2
        and "taken more than 1s" in done.stderr
        and "note: it hangs" in done.stderr
    ), done.stderr


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(holds):
    end = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < end, "it has not come"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(service, number):
    """The builder and what it started end, also when they do not want to."""
    command(
        service,
        "trap '' TERM INT; sleep 1000 & echo $! > other; echo half > $TROUPE_BUILD_DIR/f.js; echo"
        " $$ > pid; wait; wait",
    )
    process = subprocess.Popen(
        [PROGRAM, "package"],
        cwd=service,
        env=environment(service.parent),
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: (service / "pid").exists() and (service / "pid").read_text().strip())
    process.send_signal(number)
    _, said = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130 and "stopped while it was built" in said, said
    for name in ("pid", "other"):
        eventually(lambda name=name: not alive(int((service / name).read_text())))
    assert not (service / ".serverless").exists() and not list(
        (service / ".troupe").glob("build-*")
    )


def test_what_a_builder_leaves_running_ends(service):
    command(service, "sleep 1000 & echo $! > other; echo 1 > $TROUPE_BUILD_DIR/f.js")
    assert run(service, "package").returncode == 0
    eventually(lambda: not alive(int((service / "other").read_text())))


@pytest.mark.parametrize(
    "build, said",
    [
        ("{inputs: [a]}", "a build without 'command'"),
        ("{command: ''}", "command"),
        ("{command: []}", "command"),
        ("{command: x, limit: soon}", "a time like 90s"),
        ("{functions: {g: {command: x}}}", "there is no function 'g'"),
        ("{functions: {f: {}}}", "a build without 'command'"),
        ("{command: x, output: dist}", "did you mean 'outputs'"),
        ("{command: x, inputs: [none/*]}", "no file matches the inputs"),
        ("{command: nobody-has-this}", "nobody-has-this"),
        ("{command: [nobody-has-this]}", "cannot run 'nobody-has-this'"),
    ],
)
def test_what_is_wrong_with_the_section(service, build, said):
    write(
        service,
        {
            "serverless.yml": (
                HEAD + "custom: {troupe: {build: %s}}\nfunctions: {f: {handler: f.main}}\n" % build
            )
        },
    )
    done = run(service, "package")
    assert done.returncode == 2 and said in done.stderr and "serverless.yml:3:" in done.stderr, (
        done.stderr
    )


def test_validate_does_not_build(service):
    command(service, "touch built; false")
    assert run(service, "validate").returncode == 0 and not (service / "built").exists()
    command(service, "false", ", inputs: []")
    assert run(service, "validate").returncode == 0


def test_what_has_no_effect_is_said(service):
    command(service, "echo 1 > $TROUPE_BUILD_DIR/f.js", head=HEAD + "package: {patterns: ['!x']}\n")
    assert "'patterns' has no effect: a command makes the code" in run(service, "package").stderr


def test_runs_at_once(service):
    command(service, "sleep 0.3; cat src/* > $TROUPE_BUILD_DIR/f.js", ", inputs: [src]")
    write(service, {"src/a": "1"})
    settle(service)
    start = lambda number: subprocess.Popen(
        [PROGRAM, "package", "--package", f"out{number}"],
        cwd=service,
        env=environment(service.parent),
        stderr=subprocess.PIPE,
        text=True,
    )
    for process in [start(number) for number in range(3)]:
        _, said = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, said
    for number in range(3):
        with zipfile.ZipFile(service / f"out{number}" / "app.zip") as archive:
            assert archive.read("f.js") == b"1"


# ---- esbuild ----


def test_esbuild_builds_every_handler_once(service):
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                (service / "serverless.yml").read_text() + "  c: {handler: src/b.other}\n"
            )
        },
    )
    done = run(service, "package")
    assert entries(service) == {"src/a.js": "a ./lib;lib;", "src/b.js": "b;"}, done.stderr
    assert sorted(call["entryPoints"][0] for call in calls(service)) == ["src/a.ts", "src/b.ts"]
    assert calls(service)[0]["target"] == "node20" and calls(service)[0]["external"] == ["aws-sdk"]
    assert not {"packager", "exclude", "outputFileExtension"} & set(calls(service)[0])


CHANGES = {
    "the entry": lambda s: write(s, {"src/a.ts": "a2 ./lib;"}),
    "an import": lambda s: write(s, {"src/lib.ts": "lib2;"}),
    "a file that an import may find": lambda s: write(s, {"src/lib.tsx": ""}),
    "tsconfig.json": lambda s: write(s, {"tsconfig.json": "{}"}),
    "package.json": lambda s: write(s, {"package.json": "{}"}),
    "esbuild": lambda s: write(
        s,
        {
            "node_modules/esbuild/package.json": (
                '{"name": "esbuild", "version": "2.0.0", "main": "main.js"}'
            )
        },
    ),
    "an option": lambda s: write(
        s,
        {
            "serverless.yml": (
                (s / "serverless.yml").read_text() + "custom: {esbuild: {minify: true}}\n"
            )
        },
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_esbuild_is_called_when_something_differs(service, change):
    esbuild(service)
    run(service, "package")
    run(service, "package")
    assert len(calls(service)) == 2
    CHANGES[change](service)
    run(service, "package")
    assert len(calls(service)) == 4, change
    write(service, {"docs/x": ""})
    run(service, "package")
    assert len(calls(service)) == 4


def test_typescript_handlers_without_a_plugin(service):
    esbuild(service, "")
    write(
        service,
        {
            "serverless.yml": (service / "serverless.yml").read_text() + "  c: {handler: c.main}\n",
            "c.js": "c",
        },
    )
    done = run(service, "package")
    assert entries(service, "a") == {"src/a.js": "a ./lib;lib;"} and "c.js" in entries(service), (
        done.stderr
    )
    assert {call["entryPoints"][0] for call in calls(service)} == {"src/a.ts", "src/b.ts"}
    shutil.rmtree(service / "node_modules")
    done = run(service, "package")
    assert done.returncode == 0 and "npm install --save-dev esbuild" in done.stderr, done.stderr


def test_plugin_without_esbuild(service):
    esbuild(service)
    shutil.rmtree(service / "node_modules")
    done = run(service, "package")
    assert (
        done.returncode == 2
        and "esbuild, which builds the handlers, is not installed" in done.stderr
    )
    assert "serverless.yml:3:" in done.stderr, done.stderr
    assert run(service, "validate").returncode == 0


@pytest.mark.parametrize(
    "word, said", [("FAIL", "note: src/b.ts:1:1: it is wrong"), ("SILENT", "")]
)
def test_esbuild_fails(service, word, said):
    esbuild(service)
    write(service, {"src/b.ts": word, **({"src/a.ts": word} if word == "SILENT" else {})})
    done = run(service, "package")
    assert done.returncode == 2 and "the build of the handlers by esbuild failed" in done.stderr, (
        done.stderr
    )
    assert said in done.stderr and (said or "has written nothing" in done.stderr), done.stderr


def test_esbuild_is_stopped(service):
    esbuild(service)
    write(service, {"src/b.ts": "HANG"})
    process = subprocess.Popen(
        [PROGRAM, "package"],
        cwd=service,
        env=environment(service.parent),
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: (service / "hangs").exists() and (service / "hangs").read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) == 130
    eventually(lambda: not alive(int((service / "hangs").read_text())))


@pytest.mark.parametrize(
    "custom, said",
    [
        ("{skipBuild: true}", "option 'skipBuild' of serverless-esbuild is not supported"),
        (
            "{nodeExternals: {allowList: [a]}}",
            "option 'nodeExternals' of serverless-esbuild is not supported",
        ),
        ("{outputFileExtension: .mjs}", "only builds in format"),
        ("{external: [left-pad]}", "there is no package.json"),
        ("{packager: bun, external: [left-pad]}", "there is no packager 'bun'"),
        ("{config: ./none.js}", "Cannot find module"),
    ],
)
def test_options_that_are_not_covered(service, custom, said):
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                (service / "serverless.yml").read_text() + f"custom: {{esbuild: {custom}}}\n"
            )
        },
    )
    done = run(service, "package")
    assert done.returncode == 2 and said in done.stderr and "serverless.yml:" in done.stderr, (
        done.stderr
    )


def test_scripts_with_options_and_plugins(service):
    """Like `config` and `plugins` of the plugin; whoever reads the environment is asked
    each time.
    """
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                (service / "serverless.yml").read_text()
                + "custom: {esbuild: {config: ./build.js}}\n"
            ),
            "build.js": (
                "module.exports = (serverless) => ({ minify: true, define: { NAME:"
                " serverless.service.service } });"
            ),
        },
    )
    run(service, "package")
    run(service, "package")
    assert len(calls(service)) == 2 and calls(service)[0]["define"] == {"NAME": "app"}
    write(
        service, {"build.js": "module.exports = () => ({ minify: Boolean(process.env.MINIFY) });"}
    )
    run(service, "package")
    run(service, "package")
    assert len(calls(service)) == 6 and calls(service)[-1]["minify"] is False


def test_individually_with_patterns(service):
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                HEAD
                + """plugins: [serverless-esbuild]
package: {individually: true, patterns: ['all/**', '!all/no*']}
functions:
  a: {handler: src/a.main, package: {patterns: ['own/**']}}
  b: {handler: src/b.main}
  c: {handler: c.main, skipEsbuild: true}
"""
            ),
            "all/x": "x",
            "all/no": "",
            "own/y": "y",
            "c.js": "c",
        },
    )
    done = run(service, "package")
    assert entries(service, "a") == {
        "src/a.js": "a ./lib;lib;",
        "all/x": "x",
        "own/y": "y",
    }, done.stderr
    assert entries(service, "b") == {"src/b.js": "b;", "all/x": "x"} and "c.js" in entries(
        service, "c"
    )


def test_needs_a_runtime_of_node(service):
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                (service / "serverless.yml").read_text().replace("nodejs20.x", "python3.12")
            )
        },
    )
    done = run(service, "validate")
    assert done.returncode == 2 and "needs a 'provider.runtime' of Node.js" in done.stderr, (
        done.stderr
    )


def test_what_is_read_only_by_the_plugin(service):
    write(
        service,
        {
            "serverless.yml": HEAD + "functions: {f: {handler: f.main, skipEsbuild: true}}\n",
            "f.js": "",
        },
    )
    assert "unknown key 'skipEsbuild'" in run(service, "package").stderr


def test_two_builders(service):
    esbuild(service)
    write(
        service,
        {
            "serverless.yml": (
                (service / "serverless.yml").read_text()
                + "custom: {troupe: {build: {command: x}}}\n"
            )
        },
    )
    done = run(service, "validate")
    assert (
        done.returncode == 2 and "both this command and plugin 'serverless-esbuild'" in done.stderr
    ), done.stderr


# ---- TypeScript ----

# Stands for the project's TypeScript: what it compiles is the text, with the new ending.
TYPESCRIPT = """
const fs = require('fs');
exports.ScriptTarget = { ES5: 1 };
exports.ModuleResolutionKind = { NodeJs: 2 };
exports.sys = { readFile: (name) => fs.readFileSync(name, 'utf8') };
exports.flattenDiagnosticMessageText = (text) => text;
exports.parseConfigFileTextToJson = (name, text) => ({ config: JSON.parse(text) });
exports.parseJsonConfigFileContent = (config) => ({ options: config.compilerOptions || {}, fileNames: config.files || [], errors: [] });
exports.createProgram = (roots, options) => ({
  getSourceFiles: () => roots.map((fileName) => ({ fileName })),
  emit: (target, write) => {
    fs.appendFileSync('calls', JSON.stringify({ roots, options }) + '\\n');
    const wrong = roots.filter((name) => fs.readFileSync(name, 'utf8').includes('WRONG'));
    if (!(wrong.length && options.noEmitOnError))
      for (const name of roots) write('.build/' + name.replace(/[.]ts$/, '.js'), 'made of ' + fs.readFileSync(name, 'utf8'));
    return { emitSkipped: Boolean(wrong.length && options.noEmitOnError), diagnostics: wrong.map((name) => ({ messageText: name + ' is wrong' })) };
  },
});
exports.getPreEmitDiagnostics = () => [];
"""


def typescript(folder, files="[]", options="{}"):
    write(
        folder,
        {
            "node_modules/typescript/package.json": (
                '{"name": "typescript", "version": "1.0.0", "main": "main.js"}'
            ),
            "node_modules/typescript/main.js": TYPESCRIPT,
            "node_modules/dep/index.js": "dep",
            "src/a.ts": "a;",
            "node_modules/dep/package.json": '{"name": "dep", "version": "1.0.0"}',
            "data/x.json": "{}",
            "package.json": (
                '{"name": "app", "dependencies": {"dep": "1.0.0"}, "devDependencies":'
                ' {"typescript": "1.0.0"}}'
            ),
            "tsconfig.json": f'{{"files": {files}, "compilerOptions": {options}}}',
            "serverless.yml": (
                HEAD + "plugins: [serverless-plugin-typescript]\npackage: {patterns: ['data/**',"
                " '!src/not*']}\nfunctions: {a: {handler: src/a.main}}\n"
            ),
        },
    )


def test_typescript_plugin(service):
    typescript(service, '["src/more.ts", "src/not.ts"]')
    write(service, {"src/more.ts": "more;", "src/not.ts": "not;"})
    done = run(service, "package")
    assert done.returncode == 0, done.stderr
    files = entries(service)
    assert (
        files["src/a.js"] == "made of a;"
        and files["src/more.js"] == "made of more;"
        and files["data/x.json"] == "{}"
    )
    assert {"package.json", "node_modules/dep/index.js"} < set(files)
    assert not {"src/a.ts", "src/not.js", "node_modules/typescript/main.js", "tsconfig.json"} & set(
        files
    )
    run(service, "package")
    assert len(calls(service)) == 1 and entries(service) == files
    write(service, {"data/x.json": "{1}"})
    run(service, "package")
    assert len(calls(service)) == 2 and entries(service)["data/x.json"] == "{1}"


def test_typescript_finds_errors(service):
    typescript(service)
    write(service, {"src/a.ts": "WRONG"})
    for _ in range(2):
        done = run(service, "package")
        assert done.returncode == 0 and "warning: src/a.ts is wrong" in done.stderr, done.stderr
    typescript(service, options='{"noEmitOnError": true}')
    write(service, {"src/a.ts": "WRONG"})
    done = run(service, "package")
    assert (
        done.returncode == 2
        and "note: src/a.ts is wrong" in done.stderr
        and "serverless.yml:3:" in done.stderr
    ), done.stderr
    shutil.rmtree(service / "node_modules/typescript")
    assert "npm install --save-dev typescript" in run(service, "package").stderr


# ---- esbuild itself ----

LOCKED = "0.25.12"


@pytest.fixture(scope="module")
def real_esbuild(tmp_path_factory):
    """The modules of a project with esbuild; installed once into the user's cache."""
    cache = os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "troupe",
        f"esbuild-{LOCKED}",
    )
    if not os.path.exists(os.path.join(cache, "complete")):
        if not shutil.which("npm"):
            pytest.skip("npm is not installed")
        os.makedirs(cache, exist_ok=True)
        words = [
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--save-exact",
            "--prefix",
            cache,
            f"esbuild@{LOCKED}",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install esbuild: {done.stderr[-200:]}")
        with open(os.path.join(cache, "complete"), "w", encoding="utf-8"):
            pass
    return os.path.join(cache, "node_modules")


def test_thirty_handlers(service, real_esbuild):
    """Nothing has changed: no builder, and no longer than a fraction of what the build takes."""
    (service / "node_modules").symlink_to(real_esbuild)
    functions = "".join(f"  f{i}: {{handler: src/f{i}.main}}\n" for i in range(30))
    write(
        service,
        {
            "serverless.yml": (
                HEAD + "plugins: [serverless-esbuild]\npackage: {individually: true}\n"
                "custom: {esbuild: {minify: true, sourcemap: true}}\nfunctions:\n" + functions
            ),
            "src/lib.ts": "export const twice = (n: number): number => n * 2;\n",
            **{
                f"src/f{i}.ts": (
                    "import { twice } from './lib';\nexport const main = async () =>"
                    f" twice({i});\n"
                )
                for i in range(30)
            },
        },
    )
    done = run(service, "package")
    assert done.returncode == 0 and "1 build in" in done.stderr, done.stderr
    files = entries(service, "f7")
    assert (
        set(files) == {"src/f7.js", "src/f7.js.map"}
        and "../../../src/f7.ts" in json.loads(files["src/f7.js.map"])["sources"]
    )
    result = subprocess.run(
        ["node", "-e", "require('./f7.js').main().then(console.log)"],
        cwd=unpacked(service, "f7") / "src",
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "14\n"
    done = run(service, "package")
    assert "nothing has changed" in done.stderr, done.stderr


def unpacked(service, name):
    with zipfile.ZipFile(service / ".serverless" / f"{name}.zip") as archive:
        archive.extractall(service.parent / name)
    return service.parent / name
