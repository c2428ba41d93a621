"""Installing what Python functions require, with stand-ins for pip and the other programs: which
commands run, when they run again, what is told when one fails. That zips equal the plugin's is the
part of the golden cases (tests/golden/plugins).
"""

import os
import re
import zipfile

import pytest
from run import environment, troupe
from test_build import settle, write

# Stands for each of the programs: a line of `calls` for each call. It installs one module, exports
# one requirement beside a package of the service, and fails where a file says so.
STAND_IN = r"""#!/bin/sh
name=${0##*/}
{ printf '%s' "$name"; for word; do printf '|%s' "$word" | tr '\n' ' '; done; echo; } >> "$CALLS"
case "$name $*" in
  "pipenv --version") echo "pipenv, version $PIPENV_IS" ;;
  pipenv*requirements*) echo noise >&2; printf -- '-e ./lib\npiped==1\n' ;;
  "pipenv lock") : > Pipfile.lock ;;
  *"print("*) printf '\n/nowhere/pyvenv.cfg\n%s\n' "$PWD/pip-version" ;;
  *"pip help install") test -e debian && echo "  --system  for all users" ;;
esac
case "$*" in *" -t "*) test -e fails && { echo "no matching distribution" >&2; exit 3; } ;; esac
while test $# -gt 0; do
  case "$1" in
    -t|--target) test "$2" = /var/task/ || echo installed > "$2/installed.py" ;;
    -o|--output-file) printf -- '-e ./lib\nexported==1\n' > "$2" ;;
    -v) case "$2" in *:/var/task:z) echo installed > "${2%%:*}/installed.py" ;; esac ;;
  esac
  shift
done
true
"""
HEAD = "service: app\nprovider: {name: aws, runtime: python3.11}\n"
FUNCTION = "functions: {f: {handler: f.main}}\n"
POETRY = '[tool.poetry]\nname = "app"\n[build-system]\nrequires = [\n  "poetry-core", # new\n]\n'


class Service:
    def __init__(self, place):
        self.folder, self.bin = place / "app", place / "bin"
        self.folder.mkdir()
        self.bin.mkdir()
        self.env = {"CALLS": str(place / "calls"), "PIPENV_IS": "2023.1.2"}
        self.has("python3.11", "docker", "poetry", "pipenv", "uv")
        write(self.folder, {"f.py": "def main(e, c): return 1\n", "requirements.txt": "one\n"})
        self.options()

    def has(self, *programs):
        for path in self.bin.iterdir():
            path.unlink()
        for name in programs:
            (self.bin / name).write_text(STAND_IN)
            (self.bin / name).chmod(0o755)

    def options(self, text="", rest=FUNCTION):
        plugin = "plugins: [serverless-python-requirements]\n"
        custom = "custom: {pythonRequirements: {%s}}\n" % text
        write(self.folder, {"serverless.yml": HEAD + plugin + custom + rest})

    def package(self):
        """One run; what it said, and the calls of stand-ins, without those that only ask."""
        settle(self.folder)
        env = {**environment(self.folder.parent), **self.env, "PATH": f"{self.bin}:/usr/bin:/bin"}
        calls = self.folder.parent / "calls"
        calls.write_text("")
        done = troupe("package", cwd=self.folder, env=env)
        asked = re.compile(r"python3.11\|(-c|-m\|pip\|help)\||pipenv\|--version")
        lines = [line for line in calls.read_text().splitlines() if not asked.match(line)]
        return done, [re.sub(r"[^|]*/\.troupe/build-\w{6}", "PLACE", line) for line in lines]

    def installs(self):
        """How often something is installed by a run that ends well."""
        done, lines = self.package()
        assert done.returncode == 0, done.stderr
        return len([line for line in lines if "|install|" in line])

    def entries(self, name="app"):
        with zipfile.ZipFile(self.folder / ".serverless" / f"{name}.zip") as archive:
            return {entry: archive.read(entry).decode() for entry in archive.namelist()}


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


PIP = "python3.11|-m|pip|install"
TO = "|-t|PLACE/files|-r|PLACE/files/requirements.txt"


def test_commands(service):
    """Each line: options, files, and the commands that they come to."""
    cache = f"|--cache-dir|{service.folder.parent}/.cache/serverless-python-requirements"
    cache += "/downloadCacheslspyc"
    export = "poetry|export|--without-hashes|-f|requirements.txt|-o|PLACE/exported.txt"
    export += "|--with-credentials"
    uv = "uv|pip|install|--link-mode|copy|--python|python3.11"
    uv_to = "|--target|PLACE/files|-r|PLACE/files/requirements.txt"
    cases = (
        ("", {}, [PIP + TO + cache]),
        ("pythonBin: python3.11, useDownloadCache: false", {}, [PIP + TO]),
        (
            "cacheLocation: .kept, pipCmdExtraArgs: ['--a b c', --d]",
            {},
            [f"{PIP}|--a|b|--d{TO}|--cache-dir|{service.folder}/.kept/downloadCacheslspyc"],
        ),
        ("useDownloadCache: false", {"debian": ""}, [PIP + TO + "|--system"]),
        ("installer: uv, useDownloadCache: false", {}, [uv + uv_to + "|--no-cache"]),
        (
            "poetryWithGroups: [a, b], poetryWithoutGroups: [c], poetryOnlyGroups: [d]",
            {"pyproject.toml": POETRY},
            [export + "|--with=a,b|--without=c|--only=d", PIP + TO + cache],
        ),
        ("usePoetry: false", {"pyproject.toml": POETRY}, [PIP + TO + cache]),
        (
            "useUv: true",
            {"uv.lock": ""},
            [
                "uv|export|--quiet|--locked|--no-dev|--no-hashes|--no-emit-project|--format"
                "|requirements-txt|--output-file|PLACE/exported.txt",
                uv + uv_to,
            ],
        ),
        ("", {"Pipfile": ""}, ["pipenv|lock", "pipenv|requirements", PIP + TO + cache]),
        (
            "",
            {"Pipfile": "", "Pipfile.lock": ""},
            ["pipenv|requirements", PIP + TO + cache],
        ),
    )
    for options, files, wanted in cases:
        service.options(options)
        write(service.folder, files)
        done, lines = service.package()
        assert done.returncode == 0 and lines == wanted, (options, lines, done.stderr)
        assert service.entries()["installed.py"] == "installed\n"
        required = (
            "exported==1" if "export" in wanted[0] else "piped==1" if "Pipfile" in files else "one"
        )
        exported = required != "one"
        assert (
            service.entries()["requirements.txt"]
            == ("./lib\n" if exported else "") + f"{required}\n"
        )
        for name in {*files, "Pipfile.lock"}:
            (service.folder / name).unlink(missing_ok=True)
    service.env["PIPENV_IS"] = "2022.8.5"
    write(service.folder, {"Pipfile": ""})
    assert service.package()[1][0] == "pipenv|lock|--requirements|--keep-outdated"


def test_docker(service):
    service.options(
        "dockerizePip: true, dockerEnv: [A, B=c], dockerRunCmdExtraArgs: [--net=host], slim: true,"
        " dockerExtraFiles: [/lib/x.so], useDownloadCache: false",
        rest="functions: {f: {handler: f.main}}\n",
    )
    done, (line,) = service.package()
    owner = f"'{os.getuid()}:{os.getgid()}'".strip("'")
    assert done.returncode == 0 and line == (
        "docker|run|--rm|-v|PLACE/files:/var/task:z|-e|A|-e|B=c|--net=host"
        "|public.ecr.aws/sam/build-python3.11:latest-x86_64|/bin/sh|-c"
        "|'python3.11' '-m' 'pip' 'install' '-t' '/var/task/' '-r' '/var/task/requirements.txt'"
        f" && chown -R {owner} /var/task && cp '/lib/x.so' /var/task/"
        " && find /var/task -name '*.so' -exec strip {} ';'"
    ), line
    service.options("dockerizePip: true, dockerFile: Own, dockerBuildCmdExtraArgs: [--pull]")
    assert service.package()[1][0] == "docker|build|-f|Own|-t|sls-py-reqs-custom|--pull|."
    service.options("dockerizePip: non-linux, useDownloadCache: false")
    assert service.package()[1] == [PIP + TO]
    service.has("python3.11")
    service.options("dockerizePip: true, invalidateCaches: true")
    done, _ = service.package()
    assert done.returncode == 2 and "'docker' is not installed" in done.stderr, done.stderr


def test_it_installs_again_only_when_something_is_different(service):
    service.options("vendor: lib")
    write(
        service.folder,
        {
            "requirements.txt": "-r more.txt\n./own\none\n",
            "more.txt": "two\n",
            "lib/v.py": "1",
            "own/setup.py": "1",
            "own/src/a.py": "1",
            "pip-version": "1",
        },
    )
    assert (service.installs(), service.installs()) == (1, 0)
    assert service.entries()["v.py"] == "1"
    changes = (
        {"requirements.txt": "-r more.txt\n./own\none==1\n"},
        {"more.txt": "two==2\n"},
        {"lib/v.py": "2"},
        {"lib/deep/w.py": "2"},
        {"own/src/a.py": "2"},
        {"own/src/b.py": "2"},
        {"pip-version": "2"},
    )
    for change in changes:
        write(service.folder, change)
        assert (service.installs(), service.installs()) == (1, 0), change
    service.options("vendor: lib, noDeploy: [one]")
    assert (service.installs(), service.installs()) == (1, 0)
    service.env["PIP_INDEX_URL"] = "https://example.com/simple"
    assert (service.installs(), service.installs()) == (1, 0)
    write(service.folder, {"requirements.txt": ".\n"})  # the service is a package itself
    for change in ({"setup.py": "1"}, {"f.py": "def main(e, c): return 3\n"}):
        write(service.folder, change)
        assert (service.installs(), service.installs()) == (1, 0), change
    write(service.folder, {"requirements.txt": "one\n"})
    assert service.installs() == 1
    write(service.folder, {"f.py": "def main(e, c): return 2\n"})
    assert service.installs() == 0 and "return 2" in service.entries()["f.py"]
    for option in ("invalidateCaches: true", "useStaticCache: false"):
        service.options(option)
        assert (service.installs(), service.installs()) == (1, 1), option


def test_what_is_wrong_is_said(service):
    """Each line: options, programs that there are, files, and words of the error."""
    everything = ("python3.11", "poetry", "pipenv", "uv")
    cases = (
        ("pythonBin: own", (), {}, ("'own' is not installed", "pythonBin", "serverless.yml:3:")),
        ("pythonBin: python377", everything, {}, ("'python3.77' is not installed",)),
        ("", everything, {"fails": ""}, ("exit code 3", "no matching distribution")),
        ("", ("python3.11",), {"pyproject.toml": POETRY}, ("'poetry' is not installed",)),
        ("", ("python3.11",), {"Pipfile": ""}, ("'pipenv' is not installed",)),
        ("installer: uv", ("python3.11",), {}, ("'uv' is not installed",)),
        (
            "requirePoetryLockFile: true",
            everything,
            {"pyproject.toml": POETRY},
            ("there is no 'poetry.lock'", "serverless.yml:4:"),
        ),
        ("zip: true, fileName: gone.txt", everything, {}, ("'gone.txt'", "serverless.yml:4:")),
        ("vendor: gone", everything, {}, ("'vendor'", "gone")),
        ("", everything, {"requirements.txt": "-r gone.txt\n"}, ("gone.txt",)),
        ("", everything, {"requirements.txt": "-r requirements.txt\n"}, ("names itself",)),
    )
    for options, programs, files, words in cases:
        service.has(*programs)
        service.options(options)
        write(service.folder, {"requirements.txt": "one\n", **files})
        done, _ = service.package()
        assert done.returncode == 2 and all(w in done.stderr for w in words), (options, done.stderr)
        for name in files:
            (service.folder / name).unlink()
        assert not list((service.folder / ".troupe").glob("build-*"))


def test_beside_another_builder(service):
    """What a command makes and what is required are in one zip; a zip in the zip is refused."""
    build = "custom:\n  troupe: {build: {command: 'echo made > $TROUPE_BUILD_DIR/f.py'}}\n"
    plugin = "plugins: [serverless-python-requirements]\n"
    write(service.folder, {"serverless.yml": HEAD + plugin + build + FUNCTION})
    assert service.installs() == 1
    found = service.entries()
    assert found["f.py"] == "made\n" and found["installed.py"] == "installed\n"
    build += "  pythonRequirements: {zip: true}\n"
    write(service.folder, {"serverless.yml": HEAD + plugin + build + FUNCTION})
    done, _ = service.package()
    assert done.returncode == 2 and "serverless.yml:6:" in done.stderr, done.stderr


def test_python_of_the_runtime_is_not_there(service):
    """Another one installs for it, and it is said; not where the file names a program."""
    service.has("python3")
    service.options("useDownloadCache: false")
    file = service.folder / "serverless.yml"
    file.write_text(file.read_text().replace("python3.11", "python3.13"))
    done, lines = service.package()
    wheels = "--python-version|3.13|--only-binary=:all:|--no-compile"
    installs = [line for line in lines if "|install|" in line]
    assert installs == [f"python3|-m|pip|install|{wheels}{TO}"], lines
    assert done.returncode == 0 and "'python3.13' does not run here" in done.stderr, done.stderr
