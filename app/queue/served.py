"""Which queues a worker takes runs from: those it was told, or all there are."""

from collections.abc import Collection

from app.jobs.kinds.base import KindName

# Until more is known: the queues that every installation has.
FIRST = frozenset(kind.value for kind in KindName)


class Served:
    """Shared by what waits for hints, what sends them, and what claims runs in one process."""

    def __init__(self, named: Collection[str] | None = None) -> None:
        """Without names it serves all, those made later included."""
        self.named = None if named is None else frozenset(named)
        self._known = FIRST

    def learn(self, names: Collection[str]) -> None:
        """These are all the queues there are."""
        self._known = frozenset(names)

    @property
    def known(self) -> frozenset[str]:
        """All queues there are, as far as this process knows."""
        return self._known

    @property
    def names(self) -> frozenset[str]:
        """Where to look for hints."""
        return self._known if self.named is None else self.named

    @property
    def words(self) -> str | None:
        """The names with commas around each, as statements look for one among them; None for all."""
        return None if self.named is None else f",{','.join(sorted(self.named))},"
