"""A store of MiniStack that answers differently while one request is served.

A REST API stage serves the deployment it points at, not what is being edited; a weighted alias
serves the version drawn for this call. MiniStack's functions read module-wide stores, so the value
that belongs to the request is laid over the store in the request's own context. Nothing is
written: two requests at the same moment see their own values.
"""

import contextlib
import contextvars

from ministack.core.responses import AccountRegionScopedDict

_LAID_OVER = contextvars.ContextVar("troupe_overlay", default={})


class OverlaidStore(AccountRegionScopedDict):
    """The store's own class plus a look at the context first. Same layout, so ``__class__`` can
    change.
    """

    __slots__ = ()

    def _seen(self, key):
        return _LAID_OVER.get().get((id(self), key))

    def get(self, key, default=None):
        seen = self._seen(key)
        return super().get(key, default) if seen is None else seen

    def get_scoped(self, account_id, region, key, default=None):
        seen = self._seen(key)
        found = super().get_scoped(account_id, region, key, default)
        return found if seen is None or found is default else seen

    def __getitem__(self, key):
        seen = self._seen(key)
        return super().__getitem__(key) if seen is None else seen


def make_overlayable(*stores) -> None:
    for store in stores:
        store.__class__ = OverlaidStore


@contextlib.contextmanager
def laid_over(*entries):
    """Within the block ``store[key]`` is ``value`` for every ``(store, key, value)``, in this
    context only.
    """
    merged = dict(_LAID_OVER.get())
    merged.update({(id(store), key): value for store, key, value in entries})
    token = _LAID_OVER.set(merged)
    try:
        yield
    finally:
        _LAID_OVER.reset(token)


def stored(store, key, default=None):
    """What the store really holds, whatever is laid over it."""
    return AccountRegionScopedDict.get(store, key, default)
