"""The channels between layers: which wires share a track, and which track each takes.

Within a channel a wire runs along the row of its source, turns into a track, and leaves it on the row of its target. A
`Net` is what shares one track: the wires of one source, or those of all sources that have one and the same target and
no other. Two nets share a track where their rows are apart (the left-edge rule).

One more rule keeps unrelated wires off each other: where a source stands on the row of a target, the source's track
comes before the tracks of the other nets that feed the target. Nets that demand this of each other in a circle are
parted by moving target rows down one, and with them all that stands further down in the layers to the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from dpconsole.core.graph.layering import Lattice

APART = 2
"""Tracks between a wire that ends on a row and another that begins on it: they leave a free cell between them."""


@dataclass(frozen=True, slots=True)
class Net:
    """Items of one layer and items of the next, each of the ones wired to each of the others; one side has one."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]

    def span(self, rows: Sequence[int]) -> tuple[int, int]:
        """The first and the last row of its track; the same where the wire runs straight and needs none."""
        on = [rows[item] for item in (*self.sources, *self.targets)]
        return min(on), max(on)


@dataclass(frozen=True, slots=True)
class Channel:
    """The nets between a layer and the next; `tracks` are numbered from the left, None for a straight wire."""

    nets: Sequence[Net]
    tracks: Sequence[int | None]

    @property
    def width(self) -> int:
        """The number of tracks."""
        return max((track + 1 for track in self.tracks if track is not None), default=0)


def channels(lattice: Lattice, rows: list[int]) -> list[Channel]:
    """The channel behind each layer, the last one empty. Moves `rows` down where tracks cannot be found otherwise."""
    return [_channel(lattice, rows, layer) for layer in lattice.layers(range(len(lattice.owner)))]


def _channel(lattice: Lattice, rows: list[int], layer: Sequence[int]) -> Channel:
    nets = _nets(lattice, layer)
    while (circle := (demands := _Demands(nets, rows)).circle()) is not None:
        _move_down(lattice, rows, lattice.layer[layer[0]] + 1, circle)
    return Channel(nets, demands.tracks())


def _nets(lattice: Lattice, layer: Iterable[int]) -> list[Net]:
    """The nets of a channel: sources with one target are gathered at it, all others have a net each."""
    nets: list[Net] = []
    gathered: dict[int, list[int]] = {}
    for item in layer:
        match lattice.downs[item]:
            case []:
                continue
            case [target]:
                gathered.setdefault(target, []).append(item)
            case targets:
                nets.append(Net((item,), tuple(targets)))
    return nets + [Net(tuple(sources), (target,)) for target, sources in gathered.items()]


def _move_down(lattice: Lattice, rows: list[int], layer: int, row: int) -> None:
    """Move all at `row` and below it, from `layer` to the right; parts that lie wholly below move as a whole."""
    for part in lattice.parts:
        whole = min(map(rows.__getitem__, part)) > row
        for item in part:
            if rows[item] >= row and (whole or lattice.layer[item] >= layer):
                rows[item] += 1


class _Demands:
    """What the nets of a channel demand of each other's tracks; those that run straight have none, and no demands."""

    def __init__(self, nets: Sequence[Net], rows: Sequence[int]) -> None:
        self._rows = rows
        self._nets = nets
        self._spans = [net.span(rows) for net in nets]
        self._bent = [number for number, (first, last) in enumerate(self._spans) if first < last]
        self._before = self._demanded()

    def _demanded(self) -> dict[int, dict[int, int]]:
        """For each net those whose tracks come before its own, with the row that demands it."""
        leaving = {self._rows[source]: number for number in self._bent for source in self._nets[number].sources}
        before: dict[int, dict[int, int]] = {number: {} for number in self._bent}
        for number in self._bent:
            for target in self._nets[number].targets:
                row = self._rows[target]
                other = leaving.get(row, number)
                if other != number and self._nets[other].targets != (target,):
                    before[number][other] = row
        return before

    def circle(self) -> int | None:
        """The lowest row of a circle of demands, or None where there is none."""
        try:
            TopologicalSorter({after: before for after, before in self._before.items() if before}).prepare()
        except CycleError as error:
            return max(self._before[after][before] for before, after in pairwise(error.args[1]))
        return None

    def tracks(self) -> list[int | None]:
        """The track of each net: the first that is free on its rows, behind all that must come before it."""
        tracks: dict[int, int] = {}
        waiting = sorted(self._bent, key=self._preference)
        track = 0
        while waiting:
            taken: list[tuple[int, int]] = []
            for number in waiting:
                if self._may_take(number, track, tracks, taken):
                    tracks[number] = track
                    taken.append(self._spans[number])
            waiting = [number for number in waiting if number not in tracks]
            track += 1
        return [tracks.get(number) for number in range(len(self._nets))]

    def _may_take(self, number: int, track: int, tracks: Mapping[int, int], taken: Iterable[tuple[int, int]]) -> bool:
        first, last = self._spans[number]
        ready = all(tracks.get(before, track) <= track - APART for before in self._before[number])
        return ready and all(last + 1 < begin or end + 1 < first for begin, end in taken)

    def _preference(self, number: int) -> tuple[bool, int]:
        """Nets that lead up from the top, then those that lead down from the bottom: so the fewest cross."""
        net = self._nets[number]
        first, last = self._spans[number]
        sources = sum(self._rows[item] for item in net.sources) * len(net.targets)
        targets = sum(self._rows[item] for item in net.targets) * len(net.sources)
        return (False, first) if targets < sources else (True, -last)
