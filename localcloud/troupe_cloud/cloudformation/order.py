"""Resources without a dependency between them come in any order, another for each seed.

What AWS does (CloudFormation user guide, "DependsOn attribute"): whatever is not held back by
``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` or ``DependsOn`` is created, updated and deleted in parallel,
so that no order can be relied upon. MiniStack takes the alphabetical one: a template that lacks a
``DependsOn`` works here for ever, and fails on AWS as soon as the other resource is slower.

The order follows from ``TROUPE_CLOUD_SEED`` and the names of the template's resources, so that the
same command on the same template meets the same order again. It is one resource after the other.

Without it fails: ``test_cloudformation.py::test_independent_resources_come_in_any_order``
"""

import random

from ministack.services.cloudformation import engine

from troupe_cloud import settings
from troupe_cloud.patching import patch, require

require(engine, "_extract_deps")


@patch(engine, "_topological_sort")
def shuffled(original, resources, conditions):
    waiting = sorted(
        original(resources, conditions)
    )  # refuses circles, leaves out what is not made
    names, done = set(waiting), []
    needs = {name: engine._extract_deps(resources[name], names) - {name} for name in waiting}
    draw = random.Random(f"{settings.SEED} {' '.join(waiting)}")
    while waiting:
        ready = [name for name in waiting if needs[name].isdisjoint(waiting)]
        chosen = draw.choice(ready)
        waiting.remove(chosen)
        done.append(chosen)
    return done
