"""A small model of a service and its stages: what every command must make of them.

Nothing here knows AWS or troupe's insides. A *description* is the service as data, `files` writes
it down as serverless.yml and code. `view` is what a stage serves when it is made from a
description. The `Model` keeps, for each stage, its records and which one it is at; `Model.do(step)`
applies a step and says what the command must answer. A *step* is a list of plain values, so a
sequence can be printed and played again: `["deploy", "dev", [["set", "api", "code", 7]]]`.
"""

import copy
import json
from dataclasses import dataclass, field, replace

SERVICE = "play"
AWAY = "eu-central-1"
STAGES = ("dev", "prod", "pr-7", "qa", f"dev@{AWAY}")
FUNCTIONS = ("api", "mail", "jobs", "cron")
PATHS = ("/p0", "/p1", "/p2")
QUEUES = ("Inbox", "Outbox")
TOPICS = ("News", "Alarms")
BIG = 12, 55_000  # so many resources of so many bytes are too large for one stack
SIZES = (128, 256, 512)
PLAIN = {
    "code": 1,
    "memory": 128,
    "value": None,
    "stage": False,
    "queue": None,
    "kept": False,
    "rest": None,
    "http": None,
    "own": False,
    "topic": None,
}
START = {
    "functions": {"api": {**PLAIN, "rest": "/p0", "stage": True}, "mail": {**PLAIN, "code": 2}},
    "queues": {},
    "role": False,
    "sizes": {},
    "kept": "k0",
    "logs": "service",
    "rest": "shared",
    "http api": "perStage",
    "topics": {},
    "big": False,
}
BROKEN = {
    "Type": "AWS::Lambda::Permission",
    "Properties": {
        "FunctionName": "nobody",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
    },
}
KEEP = 4  # records of a stage that are kept
OK, FAILED, USAGE, REFUSED = 0, 1, 2, 3

CODE = """exports.main = async (event) => {
  const seen = {key: '%s', code: %d, env: {}};
  for (const name of ['VALUE', 'STAGE', 'QUEUE', 'KEPT', 'TOPIC']) if (name in process.env) seen.env[name] = process.env[name];
  return event.raw ? seen : {statusCode: 200, body: JSON.stringify(seen)};
};
"""


# -- the service -----------------------------------------------------------------------------------


def files(description, broken=False):
    """The service's folder. JSON is YAML, so that is what serverless.yml holds."""
    functions, found = {}, {}
    for key, f in description["functions"].items():
        environment = {}
        if f["value"] is not None:
            environment["VALUE"] = str(f["value"])
        if f["stage"]:
            environment["STAGE"] = "${sls:stage}"
        if f["queue"]:
            environment["QUEUE"] = {"Ref": f["queue"]}
        if f["kept"]:
            environment["KEPT"] = "${env:KEPT}"
        if f["topic"]:
            environment["TOPIC"] = {"Ref": f["topic"]}
        functions[key] = {
            "handler": f"{key}.main",
            "package": {"patterns": [f"{key}.js"]},
            "environment": environment,
            "memorySize": "${param:size}" if f["memory"] == "size" else f["memory"],
            "events": [
                {kind: f"GET {f[member]}"}
                for kind, member in (("http", "rest"), ("httpApi", "http"))
                if f[member]
            ],
        }
        found[f"{key}.js"] = CODE % (key, f["code"])
    provider = {"name": "aws", "runtime": "nodejs20.x", "timeout": 10}
    if description["role"]:
        provider["iam"] = {
            "role": {
                "statements": [
                    {
                        "Effect": "Allow",
                        "Action": "s3:GetObject",
                        "Resource": "arn:aws:s3:::x-${sls:stage}/*",
                    }
                ]
            }
        }
    resources = {
        id: {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": seconds}}
        for id, seconds in description["queues"].items()
    }
    resources |= {
        id: {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": shown}}
        for id, (_, shown) in description["topics"].items()
    }
    if description["big"]:
        resources |= {
            f"Big{n}": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": "x"},
                "Metadata": {"Text": "x" * BIG[1]},
            }
            for n in range(BIG[0])
        }
    own = [key for key, f in description["functions"].items() if f["own"]]
    settings = {
        "functions": {"perStage": own},
        "history": {"keep": KEEP},
        "logs": description["logs"],
        "apis": {"rest": description["rest"], "http": description["http api"]},
        "resources": {"service": of_the_service(description)},
    }
    service = {
        "service": SERVICE,
        "provider": provider,
        "package": {"individually": True, "patterns": ["!**"]},
        "custom": {"troupe": settings},
        "params": {
            "default": {"size": SIZES[0]},
            **{stage: {"size": size} for stage, size in description["sizes"].items()},
        },
        "functions": functions,
        "resources": {"Resources": {**resources, **({"Wrong": BROKEN} if broken else {})}},
    }
    return {"serverless.yml": json.dumps(service, indent=1), **found}


def of_the_service(description):
    return sorted(id for id, (scope, _) in description["topics"].items() if scope == "service")


def named(stage):
    """The name of a stage without its region."""
    return stage.partition("@")[0]


def view(description, stage, urls):
    """What `stage` serves when made from `description`; `urls` are those of its queues and topics,
    and of the service's topics by "service/NAME": those that are known.
    """
    functions, routes, away, short = {}, {"rest": {}, "http": {}}, "@" in stage, named(stage)
    for key, f in description["functions"].items():
        own = f["own"] or away
        name = f"{SERVICE}-{short}-{key}" if own else f"{SERVICE}-{key}"
        topic = f["topic"] and (
            f"service/{f['topic']}" if f["topic"] in of_the_service(description) else f["topic"]
        )
        values = {
            "VALUE": f["value"] is not None and str(f["value"]),
            "STAGE": f["stage"] and short,
            "QUEUE": f["queue"] and (urls.get(f["queue"]) or "?"),
            "KEPT": f["kept"] and description["kept"],
            "TOPIC": topic and (urls.get(topic) or "?"),
        }
        memory = description["sizes"].get(short, SIZES[0]) if f["memory"] == "size" else f["memory"]
        log = f"{SERVICE}-{short}-{key}" if own or description["logs"] == "stage" else name
        functions[name] = {
            "key": key,
            "code": f["code"],
            "memory": memory,
            "own": own,
            "log": f"/aws/lambda/{log}",
            "env": {name: value for name, value in values.items() if value},
        }
        for kind, paths in routes.items():
            if f[kind]:
                paths[f[kind]] = name
    return {
        "functions": functions,
        **routes,
        "queues": dict(description["queues"]),
        "role": description["role"],
        "own rest": bool(routes["rest"]) and (away or description["rest"] == "perStage"),
        "big": description["big"],
        "own http": bool(routes["http"]) and (away or description["http api"] == "perStage"),
        "topics": {
            id: shown for id, (scope, shown) in description["topics"].items() if scope == "stage"
        },
    }


# -- changing it -----------------------------------------------------------------------------------


def edit(description, change):
    """Apply a change; one that does not fit (a step before it was left out) changes nothing."""
    kind, *args = change
    functions = description["functions"]
    if kind in ("set", "drop", "rename") and args[0] not in functions:
        return
    if kind == "set":
        key, member, value = args
        if member in ("rest", "http") and value:
            for other in functions.values():
                other[member] = None if other[member] == value else other[member]
        if member == "queue" and value:
            description["queues"].setdefault(value, 30)
        if member == "topic" and value:
            description["topics"].setdefault(value, ["service", "first"])
        functions[key][member] = value
    elif kind == "add":
        functions.setdefault(args[0], {**PLAIN, "code": args[1]})
    elif kind == "drop" and len(functions) > 1:
        del functions[args[0]]
    elif kind == "rename" and args[1] not in functions:
        functions[args[1]] = functions.pop(args[0])
    elif kind == "queue":
        description["queues"][args[0]] = args[1]
    elif kind == "no queue":
        description["queues"].pop(args[0], None)
        for f in functions.values():
            f["queue"] = None if f["queue"] == args[0] else f["queue"]
    elif kind == "size":
        description["sizes"][args[0]] = args[1]
    elif kind == "topic":
        description["topics"][args[0]] = args[1:]
    elif kind == "no topic":
        description["topics"].pop(args[0], None)
        for f in functions.values():
            f["topic"] = None if f["topic"] == args[0] else f["topic"]
    elif kind in ("role", "kept", "logs", "rest", "http api", "big"):
        description[kind] = args[0]


def random_edit(rng, description):
    key, other = rng.choice(sorted(description["functions"])), rng.choice(FUNCTIONS)
    number = rng.randrange(1, 1000)
    member, value = rng.choice(
        [
            ("memory", rng.choice([*SIZES, "size"])),
            ("value", rng.choice([None, number])),
            ("stage", rng.random() < 0.5),
            ("queue", rng.choice([None, *QUEUES])),
            ("kept", rng.random() < 0.5),
            ("rest", rng.choice([None, *PATHS])),
            ("rest", rng.choice(PATHS)),
            ("http", rng.choice([None, *PATHS])),
            ("own", rng.random() < 0.5),
            ("topic", rng.choice([None, *TOPICS])),
        ]
    )
    layout = rng.choice(
        [
            ["logs", rng.choice(["service", "stage"])],
            ["rest", rng.choice(["shared", "perStage"])],
            ["http api", rng.choice(["shared", "perStage"])],
            ["big", rng.random() < 0.4],
            [
                "topic",
                rng.choice(TOPICS),
                rng.choice(["service", "service", "stage"]),
                f"shown {number}",
            ],
            ["no topic", rng.choice(TOPICS)],
        ]
    )
    return rng.choice(
        [
            *[["set", key, "code", number]] * 5,
            *[["set", key, member, value]] * 6,
            ["add", other, number],
            ["drop", key],
            ["rename", key, other],
            ["queue", rng.choice(QUEUES), rng.choice([30, 60])],
            ["no queue", rng.choice(QUEUES)],
            ["size", named(rng.choice(STAGES)), rng.choice(SIZES)],
            ["role", rng.random() < 0.4],
            ["kept", f"k{number}"],
            *[layout] * 5,
        ]
    )


# -- the stages ------------------------------------------------------------------------------------


@dataclass
class Record:
    """One numbered deployment of a stage."""

    what: str
    description: dict | None = None
    view: dict | None = None  # None until the step is done: the queues' URLs come from AWS
    exact: bool = False  # the functions are another stage's: the view is more than the description
    before: int = 0
    restores: int = 0
    outcome: str = "succeeded"
    collected: bool = False  # its versions may be gone
    role: object = None  # which role of the stage's own: one made again has another name
    snapshots: dict = field(
        default_factory=dict
    )  # function or API -> version or deployment, as observed


@dataclass
class Expected:
    """What a command must answer. Only `stage` may change, and nothing at all unless `changes`."""

    args: list
    code: int
    stage: str | None = None
    changes: bool = False
    broken: bool = False  # the service's files have a resource in them that cannot be made
    like: Record | None = None  # its very snapshots are to serve where nothing about them differs


def address(stage, number):
    return f"{stage}#{number}" if number else stage


def like_is_served(like, now):
    """Are the snapshots of `like` those of `now`? Its versions cannot be when they have a role that
    is gone.
    """
    kept = like.snapshots if like else {}
    if like and like.role is not now.role:
        kept = {name: snapshot for name, snapshot in kept.items() if not name.startswith(SERVICE)}
    return kept.items() <= now.snapshots.items()


class Model:
    def __init__(self):
        self.description = copy.deepcopy(START)
        self.records, self.current, self.urls = (
            {},
            {},
            {},
        )  # by stage; `current` only for those that are there
        self.shared, self.arns = {}, {}  # the service's topics: what each shows; where they are

    def do(self, step):
        return getattr(self, step[0])(*step[1:])

    def now(self, stage):
        return self.records[stage][self.current[stage]] if stage in self.current else None

    def add(self, stage, record):
        all = self.records.setdefault(stage, {})
        record.before = self.current.get(stage, 0)
        all[max(all, default=0) + 1] = record
        return max(all)

    def served(self, stage, number):
        """The record, when the stage is there or a number is named, and it ever served."""
        record = self.records.get(stage, {}).get(number or self.current.get(stage))
        return (
            record
            if record
            and record.outcome == "succeeded"
            and record.what != "remove"
            and (not record.collected)
            else None
        )

    def known(self, stage):
        return self.urls.get(stage, {}) | {f"service/{id}": arn for id, arn in self.arns.items()}

    def loses(self, now, wanted):
        """Would a topic that the stage has, or the service has for it, be another one, made
        anew?
        """
        before, after = now.description["topics"], wanted["topics"]
        return any(
            after.get(id, ("",))[0] == "service" and id not in self.shared
            for id, (scope, _) in before.items()
            if scope == "stage"
        ) or any(
            before.get(id, ("",))[0] == "service"
            for id, (scope, _) in after.items()
            if scope == "stage"
        )

    def reach(self, args, stage, record, like=None):
        """The stage becomes what `record` is, unless it is that already."""
        now = self.now(stage)
        if now and self.loses(now, record.description):
            return Expected(args, REFUSED)
        record.view = record.view or view(record.description, stage, self.known(stage))
        new = {
            id: shown
            for id, (scope, shown) in record.description["topics"].items()
            if scope == "service" and id not in self.shared
        }
        self.shared |= new
        same = now and not new and now.view == record.view and like_is_served(like, now)
        if not same:
            if record.view["role"]:
                record.role = now.role if now and now.view["role"] else object()
            self.current[stage] = self.add(stage, record)
        return Expected(args, OK, stage, changes=not same, like=like)

    def learn(self, stage, urls, snapshots):
        """What AWS made up during the step."""
        self.urls[stage] = urls
        record = self.now(stage)
        record.snapshots = snapshots
        if not record.exact:
            record.view = view(record.description, stage, self.known(stage))

    # -- the commands; each gives what is expected of it -------------------------------------------

    def deploy(self, stage, changes):
        for change in changes:
            edit(self.description, change)
        return self.reach(
            ["deploy", stage], stage, Record("deploy", copy.deepcopy(self.description))
        )

    def broken(self, stage, code):
        """A deploy whose stack cannot be updated: the stage stays what it is, and a record
        says so.
        """
        if stage not in self.current:
            return self.repair(stage)
        saved, self.description = self.description, copy.deepcopy(self.now(stage).description)
        for f in self.description["functions"].values():
            f["code"] = code
        self.add(stage, Record("deploy", self.description, outcome="failed"))
        expected = Expected(["deploy", stage], FAILED, stage, changes=True, broken=True)
        self.files, self.description = files(self.description, broken=True), saved
        return expected

    def function(self, stage, key, changes):
        """deploy --function: its code, and nothing else."""
        for change in changes:
            edit(self.description, change)
        args, now, wanted = (
            ["deploy", stage, "--function", key],
            self.now(stage),
            self.description["functions"].get(key),
        )
        if not wanted or not now or key not in now.description["functions"]:
            return Expected(args, FAILED)
        name = f"{SERVICE}-{key}"
        new = view(self.description, stage, self.known(stage))
        if wanted["own"] or name not in now.view["functions"]:
            return Expected(args, REFUSED)
        if new["role"] != now.view["role"] or {**new["functions"][name], "code": 0} != {
            **now.view["functions"][name],
            "code": 0,
        }:
            return Expected(args, REFUSED)
        record = Record(
            f"deploy of function {key}",
            copy.deepcopy(now.description),
            copy.deepcopy(now.view),
            now.exact,
        )
        record.description["functions"][key]["code"] = wanted["code"]
        record.view["functions"][name]["code"] = wanted["code"]
        return self.reach(args, stage, record)

    def rollback(self, stage, number):
        args = ["rollback", stage, *(["--to", str(number)] if number else [])]
        if stage not in self.current:
            return Expected(args, FAILED)
        if not number:
            number = self.current[stage]
            while self.records[stage][number].restores:
                number = self.records[stage][number].restores
            number = self.records[stage][number].before
        target = number and self.served(stage, number)
        if not target:
            return Expected(args, REFUSED if number in self.records[stage] else FAILED)
        record = Record(
            f"rollback to {number}",
            target.description,
            target.view if target.exact else None,
            target.exact,
            restores=number,
        )
        return self.reach(args, stage, record, like=target)

    def reset(self, stage, other, number, exact):
        args = ["reset", stage, "--to", address(other, number), *(["--exact"] if exact else [])]
        if stage in self.current and stage == other and not number:
            return Expected(args, USAGE)
        if stage not in self.current:
            return Expected(args, FAILED)
        return self.copy(args, "reset to", stage, other, number, exact)

    def clone(self, other, number, stage, exact):
        args = ["clone", address(other, number), stage, *(["--exact"] if exact else [])]
        return self.copy(args, "clone of", stage, other, number, exact, only_new=True)

    def copy(self, args, verb, stage, other, number, exact, only_new=False):
        source = self.served(other, number)
        bound = (
            source
            and (source.view["role"] or source.description["logs"] == "stage")
            and any(not f["own"] for f in source.view["functions"].values())
        )
        if not source:
            return Expected(args, REFUSED if number in self.records.get(other, {}) else FAILED)
        if exact and (bound or stage.partition("@")[2] != other.partition("@")[2]):
            return Expected(args, REFUSED)
        what = f"{verb} {other}#{number or self.current[other]}{' exactly' if exact else ''}"
        if only_new and stage in self.current and self.now(stage).what != what:
            return Expected(args, REFUSED)
        record = Record(what, source.description, exact=exact)
        if exact:
            if stage != other and any(
                f["own"] for f in source.view["functions"].values()
            ):  # a definition names them
                source = replace(
                    source,
                    snapshots={
                        name: version
                        for name, version in source.snapshots.items()
                        if name.startswith(SERVICE)
                    },
                )
            record.view = view(source.description, stage, self.known(stage))
            record.view["functions"].update(
                {name: f for name, f in source.view["functions"].items() if not f["own"]}
            )
        return self.reach(args, stage, record, like=source if exact else None)

    def remove(self, stage):
        there = stage in self.current
        if there:
            self.add(stage, Record("remove"))
            del self.current[stage], self.urls[stage]
        known = bool(
            self.records.get(stage)
        )  # one that never was is an error, a second removal is none
        return Expected(["remove", stage, "--yes"], OK if known else FAILED, stage, changes=there)

    def repair(self, stage):
        return Expected(["repair", stage], OK if stage in self.current else FAILED, stage)

    def service(self):
        """What stages share becomes what the description says, but for what a kept record needs."""
        needed = {
            id
            for records in self.records.values()
            for record in records.values()
            if record.description and not record.collected
            for id in of_the_service(record.description)
        }
        today = {
            id: shown
            for id, (scope, shown) in self.description["topics"].items()
            if scope == "service"
        }
        self.shared = {id: shown for id, shown in self.shared.items() if id in needed} | today
        return Expected(["deploy"], OK, changes=True)

    def prune(self):
        """All but the last records of a stage, and all of a stage that is gone."""
        gone = []
        for stage, records in self.records.items():
            kept = (
                {*sorted(records)[-KEEP:], self.current[stage]} if stage in self.current else set()
            )
            gone += [
                record
                for number, record in records.items()
                if number not in kept and not record.collected
            ]
        for record in gone:
            record.collected = True
        return Expected(["prune", "--unused-for", "0s"], OK, changes=bool(gone))


# -- sequences -------------------------------------------------------------------------------------

AGAIN = (
    "deploy",
    "function",
    "reset",
    "clone",
    "remove",
    "repair",
)  # doing these twice is doing them once


def random_step(rng, model, last):
    if last and last[0] in AGAIN and rng.random() < 0.08:
        return [
            [] if last[0] in ("deploy", "function") and isinstance(part, list) else part
            for part in last
        ]
    there = sorted(model.current)
    stage = rng.choice(there if there and rng.random() < 0.85 else STAGES)
    other = rng.choice([name for name in there if name != stage] or STAGES)
    number = rng.randrange(1, len(model.records.get(other, {})) + 2) if rng.random() < 0.4 else None
    free = rng.choice([name for name in STAGES if name not in model.current] or STAGES)
    exact = rng.random() < 0.3
    changes = [random_edit(rng, model.description) for _ in range(rng.choice([1, 1, 2, 3]))]
    code = [
        "set",
        rng.choice(sorted(model.description["functions"])),
        "code",
        rng.randrange(1, 1000),
    ]
    to = rng.randrange(1, len(model.records.get(stage, {})) + 2)
    steps = {
        ("deploy", stage, tuple(map(tuple, changes))): 30,
        ("deploy", free, ()): 3 if len(there) < 3 else 1,
        ("rollback", stage, None): 14,
        ("rollback", stage, to): 10,
        ("reset", stage, other, number, exact): 14,
        ("clone", other, number, free, exact): 6,
        ("function", stage, code[1], (tuple(code),)): 8,
        ("remove", stage): 4 if len(there) > 1 else 1,
        ("repair", stage): 3,
        ("service",): 4,
        ("prune",): 6,
        ("broken", stage, code[3]): 4,
    }
    return json.loads(json.dumps(rng.choices(list(steps), list(steps.values()))[0]))
