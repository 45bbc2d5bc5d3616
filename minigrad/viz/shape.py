"""What of a graph is shown, and how much of it is folded: each wish becomes keys, which `collapse` carries out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase

from minigrad.errors import ArgumentError
from minigrad.graph import primitives
from minigrad.viz.collapse import CUT, HIDDEN, MODULES, PATTERN, REPEATS, Key, Origin, closed_at
from minigrad.viz.rows import CONST, DATA, INPUT, OP, PARAM, Node, Rows, ancestors

VIEW = "view"
_ALIKE = {"dense": "linear"}


def known_paths(rows: Rows, paths: Iterable[str], method: str) -> None:
    """Raise ArgumentError for a path that no module of `rows` has."""
    known = {path for module in rows.modules for path in ancestors(module.path)}
    plain = {".".join(part.partition("@")[0] for part in path.split(".")) for path in known}
    for path in paths:
        if path not in known | plain:
            raise ArgumentError(f"{method}: no module {path!r} in the graph; there are {sorted(known)[:50]}")


def expanded(origin: Origin, paths: Collection[str]) -> Origin:
    """Return the origin with the modules `paths`, and whatever is around them, open by one level."""
    if not paths:
        return Origin(origin.graph, tuple(node.id for node in origin.graph.nodes))
    names = {key[1] for key in origin.keys if isinstance(key, tuple) and key[0] == PATTERN}
    known_paths(origin.graph, set(paths) - names, "expand")
    keys = [_opened(key, node, paths) for key, node in zip(origin.keys, origin.graph.nodes, strict=True)]
    return Origin(origin.graph, tuple(keys))


def _opened(key: Key, node: Node, paths: Collection[str]) -> Key:
    if not isinstance(key, tuple) or key[0] not in (MODULES, REPEATS, PATTERN):
        return key
    if key[0] == PATTERN:
        return node.id if key[1] in paths else key
    depth = len([*ancestors(key[1])]) - 1
    own = [*ancestors(node.module or "")][::-1][depth]
    siblings = {own} if key[0] == MODULES else {own, key[1]}
    if key[0] == REPEATS:  # any of the modules alike opens all of them side by side
        parent = own.rpartition(".")[0]
        siblings |= {p for path in paths for p in ancestors(path) if p and p.rpartition(".")[0] == parent}
    if not any(p in ancestors(path) for path in paths for p in siblings):
        return key
    opened = closed_at(node, depth, paths)
    return node.id if opened is None else opened


def focused(origin: Origin, rows: Rows, path: str, context: int) -> Origin:
    """Return the origin cut to the module or node `path` and what is at most `context` ops around it."""
    inside = {n.id for n in rows.nodes if n.name == path or (n.module is not None and path in ancestors(n.module))}
    if not inside:
        named = sorted({m.path for m in rows.modules} | {n.name for n in rows.nodes if n.name})
        raise ArgumentError(f"focus: no module or node {path!r} in the graph; there are {named[:50]}")
    ops = {node.id for node in rows.nodes if node.op}
    near: dict[int, set[int]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            near.setdefault(edge.tail, set()).add(edge.head)
            near.setdefault(edge.head, set()).add(edge.tail)
    edge_of = inside
    for _ in range(context):
        edge_of = {other for id in edge_of & (ops | inside) for other in near.get(id, ())} - inside
        inside = inside | edge_of
    leaves = {leaf for id in inside & ops for leaf in near.get(id, ()) if leaf not in ops} if context else set()
    shown, stands = inside | leaves, origin.stands()
    keys = zip(origin.graph.nodes, origin.keys, strict=True)
    return Origin(origin.graph, tuple(k if stands.get(n.id) in shown or k == HIDDEN else CUT for n, k in keys))


def hidden(origin: Origin, rows: Rows, kinds: Collection[str]) -> Origin:
    """Return the origin without the nodes of these kinds, or of ops of these names; edges lead past them."""
    known = {CONST, INPUT, PARAM, VIEW, *primitives, *(node.op for node in rows.nodes)}
    for kind in kinds:
        if kind not in known:
            raise ArgumentError(f"hide: kinds are 'const', 'input', 'param', 'view' or names of ops, got {kind!r}")
    gone = {node.id for node in rows.nodes if _is_kind(node, kinds)}
    stands = origin.stands()
    keys = zip(origin.graph.nodes, origin.keys, strict=True)
    return Origin(origin.graph, tuple(HIDDEN if stands.get(n.id) in gone else k for n, k in keys))


def _is_kind(node: Node, kinds: Collection[str]) -> bool:
    if node.kind == OP:
        is_view = node.op in primitives and primitives[node.op].view is not None
        return node.op in kinds or (VIEW in kinds and is_view)
    return not node.op and node.kind in kinds


def patterned(origin: Origin, pattern: str, name: str) -> Origin:
    """Return the origin with every unbranched run that matches `pattern` folded into one box."""
    terms = [_plain(term) for term in pattern.split(">")]
    if not all(terms):
        raise ArgumentError(
            f"fold: a pattern is names of ops or modules, as 'conv > batchnorm > relu', got {pattern!r}"
        )
    nodes = [n for n, key in zip(origin.graph.nodes, origin.keys, strict=True) if isinstance(key, int)]
    finder = _Finder(origin.graph, nodes)
    keys = {node.id: key for node, key in zip(origin.graph.nodes, origin.keys, strict=True)}
    taken: set[int] = set()
    for count, found in enumerate(finder.matches(terms, taken)):
        taken |= found
        keys |= dict.fromkeys(found | finder.leaves(found), (PATTERN, name, count))
    if not taken:
        raise ArgumentError(f"fold: nothing in the graph is {pattern!r}, one after the other and without a branch")
    return Origin(origin.graph, tuple(keys[node.id] for node in origin.graph.nodes))


def _plain(name: str) -> str:
    """Return a name as patterns compare it: "BatchNorm2d", "batch_norm" and "batchnorm" are one."""
    plain = re.sub(r"\d*d$", "", name.strip().lower().replace("_", ""))
    return _ALIKE.get(plain, plain)


class _Finder:
    """Finds runs of units: a unit is one op, or all ops of one call of a module."""

    def __init__(self, graph: Rows, nodes: list[Node]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.ops = [node for node in nodes if node.op and not node.order]
        self.kinds = {module.path: _plain(module.kind) for module in graph.modules}
        self.within: dict[str, set[int]] = {}
        for node in self.ops:
            for path in ancestors(node.module) if node.module is not None else ():
                self.within.setdefault(path, set()).add(node.id)
        self.users: dict[int, set[int]] = {}
        self.used: dict[int, set[int]] = {}
        for edge in graph.edges:
            if edge.kind == DATA:
                self.users.setdefault(edge.tail, set()).add(edge.head)
                self.used.setdefault(edge.head, set()).add(edge.tail)

    def unit(self, id: int, term: str) -> set[int]:
        """Return the ops of the outermost module around op `id` that is a `term`, or the op if it is one."""
        node = self.nodes[id]
        for path in [*ancestors(node.module)][::-1] if node.module is not None else ():
            if fnmatchcase(self.kinds.get(path, ""), term):
                return self.within[path]
        return {id} if fnmatchcase(_plain(node.op), term) else set()

    def matches(self, terms: list[str], taken: set[int]) -> Iterator[set[int]]:
        """Yield the ops of each run; `taken` are those of the runs before."""
        for node in self.ops:
            if node.id not in taken and (run := self._run(node.id, terms)) and not run & taken:
                yield run

    def _run(self, first: int, terms: list[str]) -> set[int]:
        unit = self.unit(first, terms[0])
        if not unit or first != min(unit):
            return set()
        run = set(unit)
        for term in terms[1:]:
            after = {head for id in unit for head in self.users.get(id, ())} - unit
            if not after or not all(id in self.nodes and self.nodes[id].op for id in after):
                return set()
            following = self.unit(min(after), term)
            from_ops = {t for id in following for t in self.used.get(id, ()) if t in self.nodes and self.nodes[t].op}
            if not after <= following or not from_ops <= following | unit:
                return set()
            run, unit = run | following, following
        return run

    def leaves(self, run: set[int]) -> set[int]:
        """Return the parameters and constants that only the ops of `run` use; data that comes in stays to be seen."""
        near = {tail for id in run for tail in self.used.get(id, ()) if tail in self.nodes}
        own = {id for id in near if not self.nodes[id].op and self.nodes[id].kind != INPUT}
        return {id for id in own if self.users[id] <= run}
