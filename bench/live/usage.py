"""Processor time and memory of trees of processes, from /proc (Linux).

A tree's processor time includes the children that have ended, as far as their parent has waited for
them, so the many short connections of a database server are counted.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `pss` shares out what several processes map, so it may be summed."""

    rss: int = 0
    pss: int = 0
    private: int = 0

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss, self.private + other.private)


def own_cpu_seconds(pid: int) -> float:
    """Of one process alone; 0 once it is gone."""
    fields = _stat(pid)
    return sum(map(int, fields[11:13])) / TICKS_A_SECOND if fields else 0.0


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Of the tree below each process, its ended children included."""
    stats = _stats()
    return {
        name: sum(sum(map(int, stats[pid][11:15])) for pid in _tree(root, stats) if pid in stats)
        / TICKS_A_SECOND
        for name, root in roots.items()
    }


def memory(roots: Mapping[str, int]) -> dict[str, Memory]:
    """Of the tree below each process."""
    stats = _stats()
    return {name: sum(map(_memory, _tree(root, stats)), Memory()) for name, root in roots.items()}


def _stats() -> dict[int, list[str]]:
    found = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: fields for pid, fields in found.items() if fields}


def _tree(root: int, stats: Mapping[int, list[str]]) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[1])].append(pid)
    found, open_ends = [], [root]
    while open_ends:
        pid = open_ends.pop()
        found.append(pid)
        open_ends += children[pid]
    return found


def _stat(pid: int) -> list[str]:
    """From the state on, the third field; empty once the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory(pid: int) -> Memory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return Memory()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Memory(sizes["Rss"], sizes["Pss"], private)
