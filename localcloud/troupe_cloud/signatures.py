"""What the functions of MiniStack that mends replace or call take, compared at every start.

The mends hand on MiniStack's private arguments, so a function that keeps its name and takes
something else breaks them in ways no start would show. ``signatures.json`` holds what each of them
took when the mends were written:

    python -m troupe_cloud.signatures            what the MiniStack installed here has otherwise
    python -m troupe_cloud.signatures --write    record what it has
"""

import inspect
import json
import os
import pkgutil
import secrets
import sys
from pathlib import Path

from troupe_cloud.patching import NEEDED, PatchError

RECORD = Path(__file__).with_name("signatures.json")
MISSING = object()


def plain(parameter):
    """A parameter whose text is the same at every start and in every Python: without annotation,
    and with the type of a default that is an object of its own.
    """
    default = parameter.default
    if not isinstance(default, (type, type(None), bool, int, float, str, bytes, tuple)):
        default = type(default)
    return parameter.replace(annotation=inspect.Parameter.empty, default=default)


def signature_of(value):
    """``async (name, data=None)``; None for what is no function."""
    if not callable(value) or inspect.isclass(value):
        return None
    parameters = map(plain, inspect.signature(value).parameters.values())
    text = str(inspect.Signature(list(parameters)))
    return f"async {text}" if inspect.iscoroutinefunction(value) else text


def found(owner, name):
    """The signature of ``name`` in a module, a class or a resource type's handlers, or MISSING."""
    from ministack.services.cloudformation import provisioners

    if "::" in owner:
        value = provisioners._RESOURCE_HANDLERS.get(owner, {}).get(name, MISSING)
    else:
        try:
            value = getattr(pkgutil.resolve_name(owner), name, MISSING)
        except (ImportError, AttributeError):
            value = MISSING
    return value if value is MISSING else signature_of(value)


def recorded():
    return {
        (owner, name): signature
        for owner, names in json.loads(RECORD.read_text()).items()
        for name, signature in names.items()
    }


def differences():
    """A line for each name that MiniStack has no more or that takes something else."""
    lines = []
    for (owner, name), before in recorded().items():
        now = found(owner, name)
        if now is MISSING:
            lines.append(f"{owner} has no '{name}'")
        elif now != before:
            lines.append(
                f"{owner}: '{name}' takes {now or 'nothing: it is no function'}, "
                f"the mends were written for {before or 'what is no function'}"
            )
    return lines


def check() -> None:
    """Before any mend: refuse a MiniStack whose functions differ from the recorded ones."""
    if lines := differences():
        raise PatchError("MiniStack differs from what the mends replace:\n  " + "\n  ".join(lines))


def check_record() -> None:
    """After all mends: refuse a record that lacks what they need, or holds what none needs."""
    unlike = sorted(NEEDED.symmetric_difference(recorded()))
    if unlike:
        names = ", ".join(f"'{name}' of {owner}" for owner, name in unlike)
        raise PatchError(
            f"{RECORD.name} does not match what the mends need ({names}); "
            "record it with: python -m troupe_cloud.signatures --write"
        )


def write() -> None:
    from troupe_cloud import mends

    os.environ["TROUPE_CLOUD_SECRET"] = secrets.token_hex(20)  # nothing is served
    mends.load()
    record = {}
    for owner, name in sorted(NEEDED):
        record.setdefault(owner, {})[name] = found(owner, name)
    RECORD.write_text(json.dumps(record, indent=2) + "\n")


def main() -> None:
    try:
        if sys.argv[1:] == ["--write"]:
            write()
        elif sys.argv[1:]:
            sys.exit("usage: python -m troupe_cloud.signatures [--write]")
        elif lines := differences():
            sys.exit("\n".join(lines))
    except PatchError as error:
        sys.exit(f"troupe_cloud: {error}")


if __name__ == "__main__":
    main()
