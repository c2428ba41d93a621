"""One command, tried again and again from the same start under faults, and compared with its
undisturbed run.
"""

import shutil
import time

from invariants import Records, served, settled_problems, stage_problems, stages_of, told
from world import differences, of_stage, settled


class Stand:
    """A troupe whose account and folder go back to what they were when the command had not run."""

    def __init__(self, command, troupe, starts):
        self.command, self.troupe, self.account, self.proxy = (
            command,
            troupe,
            troupe.account,
            troupe.proxy,
        )
        self.kept = troupe.folder.parent / "kept" / command.name
        start = troupe.folder.parent / "kept" / command.start.__name__
        if command.start not in starts:
            self.account.put_back("empty") if starts else self.account.keep("empty")
            self.empty_folder()
            command.start(troupe)
            starts.add(command.start)
            self.keep(start)
        self.put_back(start)
        if command.prepare:
            command.prepare(troupe)
        self.keep(self.kept)
        self.before, self.trouble_before = troupe.world(), self.trouble()
        mark = self.proxy.mark()
        troupe(*command.args)
        self.records = self.proxy.calls(since=mark)
        self.calls = len(self.records)
        self.wanted = troupe.world()
        self.strict, self.loose = (
            settled(self.wanted, self.account.id),
            served(self.wanted, self.account),
        )

    def empty_folder(self):
        shutil.rmtree(self.troupe.folder)
        self.troupe.folder.mkdir()

    def keep(self, place):
        self.account.keep(place.name)
        shutil.copytree(self.troupe.folder, place)

    def put_back(self, place=None):
        place = place or self.kept
        self.account.put_back(place.name)
        self.empty_folder()
        shutil.copytree(place, self.troupe.folder, dirs_exist_ok=True)

    # -- what is looked at ------------------------------------------------------------------------

    def wait_for_stacks(self):
        """What was under way when the command was killed goes on by itself."""
        client = self.account.client("cloudformation")
        for _ in range(2400):
            stacks = client.describe_stacks()["Stacks"]
            if not [stack for stack in stacks if stack["StackStatus"].endswith("IN_PROGRESS")]:
                return
            time.sleep(0.025)
        raise AssertionError("a stack does not settle")

    def others(self, when):
        """Stages that have nothing to do with it are what they were."""
        now = self.troupe.world()
        return [
            f"{when}: {stage} changed: {line}"
            for stage in self.command.others
            for line in differences(
                of_stage(now, stage, "shop"), of_stage(self.before, stage, "shop")
            )
        ]

    def trouble(self):
        """What is wrong with the command's stage: it serves something else than its record says."""
        stage, world = self.command.stage, self.troupe.world()
        if stage not in stages_of(world, "shop") or told(world, stage, "shop") is None:
            return []
        return stage_problems(world, Records(self.account, "shop"), stage, "shop")

    def half_done(self):
        """A stage that serves no single record is known to be half done; of one that is being
        removed versions may be gone, and nothing but the removal helps.
        """
        wrong = self.trouble()
        if not wrong:
            return []
        plan = self.troupe("repair", self.command.stage, "--plan", "--json", check=False)
        known = plan.code == 0 or plan.code == 1 and self.command.gone
        return [] if known and plan.json["findings"] else [f"{wrong}, but {plan}"]

    def repair(self):
        """What `repair` leaves is a stage at one record, before the command or after it."""
        stage = self.command.stage
        result = self.troupe("repair", stage, check=False)
        world = self.troupe.world()
        if result.code == 1 and told(world, stage, "shop") is None:
            return []  # it serves nothing, and the message says so
        if result.code != 0:
            return [f"repaired: {result}"]
        problems = settled_problems(world, Records(self.account, "shop"), "shop")
        return [f"repaired: {line}" for line in problems] + self.others("repaired")

    def end(self, loosely=False):
        world = self.troupe.world()
        records = Records(self.account, "shop")
        lines = (
            differences(served(world, self.account), self.loose)
            if loosely
            else differences(settled(world, self.account.id), self.strict)
        )
        lines += settled_problems(world, records, "shop")
        for stage in self.command.gone:
            last = records.last(stage)
            if (
                last["body"]["what"] != "remove"
                or last.get("outcome", {}).get("outcome") != "succeeded"
            ):
                lines.append(f"{stage}: its last record is {last}, not its removal")
        locks = [key for key in records.keys if "/locks/" in key]
        return [f"end: {line}" for line in lines] + self.locks(locks)

    def locks(self, keys):
        """A stage's lease is given back, so that the next command need not wait until it runs out.
        One that a command run again has no use for (because it lacked nothing but that; the
        service's) stays until then.
        """
        known = {key for objects in self.wanted["buckets"].values() for key in objects}
        return [
            f"end: {key} is left"
            for key in keys
            if key not in known
            and "/locks/stage-" in key
            and not (self.command.gone or self.command.over)
        ]
