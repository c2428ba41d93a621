"""The one way this package changes MiniStack.

A mend is a function that takes the original as its first argument::

    @patch(lambda_svc, "_publish_version")
    def publish(original, name, data):
        ...
        return original(name, data)

The name must exist and take what it took when the mend was written (see ``signatures``): anything
else stops the start, because it means that another MiniStack is installed than the one these mends
were written for.
"""

import functools
import inspect
import sys


NEEDED = set()  # (module, class or resource type; name) of everything replaced or required
LEFT_OUT = set()  # modules whose mends are not applied: the tests learn what each of them is for


class PatchError(Exception):
    """A function or table of MiniStack that a mend needs is not there, or is another one."""


def require(module, *names) -> None:
    """Refuse to start unless ``module`` (or class) has every one of ``names``: those that a mend
    uses without replacing them.
    """
    owner = f"{module.__module__}.{module.__name__}" if inspect.isclass(module) else module.__name__
    for name in names:
        if not hasattr(module, name):
            raise PatchError(f"{owner} has no '{name}'")
        NEEDED.add((owner, name))


def _bound(original, mend):
    """``mend`` with ``original`` as its first argument, a coroutine function if the original is
    one.
    """
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def replacement(*args, **kwargs):
            return await mend(original, *args, **kwargs)

    else:

        @functools.wraps(original)
        def replacement(*args, **kwargs):
            return mend(original, *args, **kwargs)

    return replacement


def _replace_in_tables(module, original, replacement) -> None:
    """Dispatch tables of the module hold functions by reference: replace those too."""
    for value in list(vars(module).values()):
        if not isinstance(value, dict):
            continue
        for key, entry in list(value.items()):
            if entry is original:
                value[key] = replacement
            elif isinstance(entry, dict):
                for operation, handler in list(entry.items()):
                    if handler is original:
                        entry[operation] = replacement


def patch(module, name):
    """Decorator: replace ``module.name`` everywhere MiniStack has imported it by reference."""
    require(module, name)

    def decorate(mend):
        if mend.__module__ in LEFT_OUT:
            return mend
        original = getattr(module, name)
        replacement = _bound(original, mend)
        for owner in [m for n, m in sys.modules.items() if n.startswith("ministack.")]:
            if vars(owner).get(name) is original:
                setattr(owner, name, replacement)
                _replace_in_tables(owner, original, replacement)
        setattr(module, name, replacement)
        return mend

    return decorate


def patch_handler(resource_type, operation):
    """Decorator: replace one operation of one CloudFormation resource type."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    if operation not in handlers.get(resource_type, {}):
        raise PatchError(f"{resource_type} has no '{operation}'")
    NEEDED.add((resource_type, operation))

    def decorate(mend):
        if mend.__module__ in LEFT_OUT:
            return mend
        entry = handlers[resource_type] = dict(handlers[resource_type])
        entry[operation] = _bound(entry[operation], mend)
        return mend

    return decorate
