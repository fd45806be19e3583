"""The runner and the reader that the groups of a client use, made on first use."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..bulk.runner import Runner
    from ..http.session import Session
    from ..settings import Settings
    from .cache import ReferenceCache
    from .methods import ReferenceReader
    from .resolve import Resolver


class Parts:
    """The runner of queries and the reader of reference data, over a session."""

    _session: Session
    settings: Settings

    @cached_property
    def _cache(self) -> ReferenceCache:
        from .cache import ReferenceCache

        in_process = self._session.transport.in_process
        return ReferenceCache.from_settings(self.settings, in_process=in_process)

    @cached_property
    def _reader(self) -> ReferenceReader:
        from .methods import ReferenceReader

        return ReferenceReader(self._session, self._cache)

    @cached_property
    def _resolver(self) -> Resolver:
        from .catalog import Catalog
        from .resolve import Resolver

        return Resolver(Catalog(self._reader))

    @cached_property
    def _runner(self) -> Runner:
        from ..bulk.runner import Runner

        return Runner(self._session, self._resolver.resolve_all, partial(getattr, self, "settings"))
