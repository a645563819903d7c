"""Reads a dbt manifest (schema v7 to v12, `.json` or `.json.gz`) into the tasks that dbt would run.

Models, seeds and snapshots become tasks; their edges are those of `depends_on.nodes`. The rest of a manifest is folded
into them, so that nothing is lost and nothing is run that is none of ours:

* an ephemeral model is no task; who reads it waits for what it reads;
* a test runs inside the task it tests, and where it tests several, inside the last of them, which then waits for the
  others; tests of nothing but sources have no task and are left out;
* a source that a task reads becomes a virtual upstream; other sources, analyses, hooks and disabled nodes are left out;
* edges to ids that the manifest does not hold are dropped.

`Imported.notes` counts what was folded and what was left out. A task keeps dbt's `unique_id` as its `source_key`; it is
shown as `project.name`, with the version, the package or the whole id added where names clash.

`dbt run --select` exits 0 when the selection matches nothing. So a command selects by names that the manifest holds,
by the full path (`fqn`) where a name alone is not enough, and seeds, snapshots and tests get their own dbt verbs.
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import Any

from dpconsole.core.domain.definitions import (
    Dependency,
    Field,
    MaterializationNode,
    Project,
    RunConfig,
    TableKind,
    Task,
    TaskType,
    Workspace,
)
from dpconsole.core.domain.text import clean
from dpconsole.core.workspace.documents import UNSTORABLE
from dpconsole.core.workspace.problems import Problem, WorkspaceRefused, shown

OLDEST, NEWEST = 7, 12
"""The schema versions that are read."""

LARGEST = 1024 * 1024 * 1024
"""Bytes of an unpacked manifest."""

FOLDER_LIMIT = 256

_TASKS = ("model", "seed", "snapshot")
_SQL_BY_ADAPTER = {
    "maxcompute": TaskType.MAXCOMPUTE_SQL,
    "hive": TaskType.HIVE_SQL,
    "spark": TaskType.SPARK_SQL,
    "databricks": TaskType.SPARK_SQL,
}
_KIND_BY_PREFIX = {"dim": TableKind.DIMENSION, "fct": TableKind.FACT, "fact": TableKind.FACT}


@dataclass(frozen=True, slots=True)
class Imported:
    """What a manifest brought in, and what is worth knowing about it, one sentence each."""

    workspace: Workspace
    notes: tuple[str, ...]


def read_manifest(path: Path, project: str | None = None, command: str | None = None, tables: bool = False) -> Imported:
    """Read the manifest at `path` as tasks of one project, the manifest's own unless `project` names another.

    `command` is a template for what a task runs, with `{name}` or `{unique_id}`, such as `dbt run --select {name}`.
    With `tables`, models that declare columns become logical tables of one materialization node. Raises
    `WorkspaceRefused` when the file is no manifest that can be read, or its models wait for each other.
    """
    manifest = _Manifest(_load(path), path)
    template = None if command is None else _template(command, path)
    return _Import(manifest, _project_name(manifest, project), template, tables).run()


def _refused(
    path: Path, reason: str, hint: str = "", line: int = 0, column: int = 0, key: str = ""
) -> WorkspaceRefused:
    problem = Problem(clean(str(path)), line, column, clean(key), clean(reason), hint)
    return WorkspaceRefused([problem])


# The file -------------------------------------------------------------------------------------------------------------

_GZIP_MAGIC = b"\x1f\x8b"


def _load(path: Path) -> dict[str, Any]:
    content = _content(path)
    try:
        loaded = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _refused(path, "is not UTF-8 text", "a manifest is a .json or .json.gz file") from None
    except json.JSONDecodeError as error:
        raise _refused(path, f"is not JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except (RecursionError, ValueError):
        raise _refused(path, "is not JSON that can be read: it is nested too deeply, or a number is too long") from None
    _check_manifest(loaded, path)
    return dict(loaded)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            content = gzip.GzipFile(fileobj=raw).read(LARGEST + 1) if packed else raw.read(LARGEST + 1)
    except EOFError:
        raise _refused(path, "is cut off: the gzip data ends too early", "copy or build it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _refused(path, f"is damaged gzip data: {error}", "copy or build it again") from None
    except (OSError, ValueError) as error:
        raise _refused(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST:
        raise _refused(path, f"unpacks to more than {LARGEST // 1024 // 1024} MiB")
    return content


def _check_manifest(loaded: Any, path: Path) -> None:
    metadata = loaded.get("metadata") if isinstance(loaded, dict) else None
    schema = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    found = re.search(r"/manifest/v(\d{1,4})\b", schema, re.ASCII) if isinstance(schema, str) else None
    if found is None or not isinstance(loaded.get("nodes"), dict):
        raise _refused(path, "is no dbt manifest", "dbt writes it to target/manifest.json")
    if not OLDEST <= int(found[1]) <= NEWEST:
        hint = f"v{OLDEST} to v{NEWEST} are, written by dbt 1.3 to 1.10"
        raise _refused(path, f"manifest schema v{found[1]} is not supported", hint, key="metadata.dbt_schema_version")


# The nodes ------------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    """A text that can be stored; anything else is none."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, or a single one."""
    several = value if isinstance(value, list) else [value]
    return tuple(filter(None, map(_text, several)))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class _Node:
    """One entry of `nodes` or `sources`."""

    unique_id: str
    raw: dict[str, Any]

    @property
    def kind(self) -> str:
        """model, seed, snapshot, test, source, ..."""
        return _text(self.raw.get("resource_type")) or self.unique_id.partition(".")[0]

    @property
    def name(self) -> str:
        """The name alone; of a source with the name of what it belongs to."""
        name = _text(self.raw.get("name")) or self.unique_id.rpartition(".")[2]
        return f"{_text(self.raw.get('source_name'))}.{name}".lstrip(".") if self.kind == "source" else name

    @property
    def package(self) -> str:
        """The dbt package it is defined in."""
        return _text(self.raw.get("package_name")) or (*self.unique_id.split("."), "")[1]

    @property
    def version(self) -> str:
        """`v2` for a version of a model; told by the id where the field is missing."""
        prefix = f"{self.kind}.{self.package}.{self.name}."
        if self.kind == "model" and self.unique_id.startswith(prefix):
            return self.unique_id.removeprefix(prefix)
        return ""

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The ids it reads, each once."""
        return tuple(dict.fromkeys(_texts(_mapping(self.raw.get("depends_on")).get("nodes") or [])))

    @property
    def config(self) -> dict[str, Any]:
        """Its configuration."""
        return _mapping(self.raw.get("config"))

    @property
    def is_enabled(self) -> bool:
        """Whether dbt would look at it at all."""
        return self.config.get("enabled") is not False

    @property
    def is_ephemeral(self) -> bool:
        """Whether it is only text inside those that read it."""
        return self.kind == "model" and self.config.get("materialized") == "ephemeral"

    @property
    def is_task(self) -> bool:
        """Whether dbt makes something of it."""
        return self.kind in _TASKS and not self.is_ephemeral

    def meta(self, key: str) -> Any:
        """A value of its `meta`, which older manifests keep beside the configuration."""
        return _mapping(self.config.get("meta")).get(key) or _mapping(self.raw.get("meta")).get(key)


class _Manifest:
    """The parts of a manifest that matter here."""

    def __init__(self, loaded: Mapping[str, Any], path: Path) -> None:
        self.path = path
        self.metadata = _mapping(loaded["metadata"])
        self.nodes = _nodes(loaded["nodes"])
        self.sources = _nodes(loaded.get("sources"))
        self.groups = {
            _text(group.get("name")): group for group in map(_mapping, _mapping(loaded.get("groups")).values())
        }
        self.disabled = len(_mapping(loaded.get("disabled")))

    def owner(self, node: _Node) -> str:
        """`meta.owner`, or else the owner of its group."""
        group = _text(node.config.get("group")) or _text(node.raw.get("group"))
        return _person(node.meta("owner")) or _person(_mapping(self.groups.get(group)).get("owner")) or group


def _nodes(section: Any) -> dict[str, _Node]:
    found = (_Node(_text(unique_id), raw) for unique_id, raw in _mapping(section).items() if isinstance(raw, dict))
    return {node.unique_id: node for node in found if node.is_enabled}


def _person(value: Any) -> str:
    """A name, the first of several, or the name or address of a described one."""
    if isinstance(value, dict):
        return _text(value.get("name")) or _text(value.get("email"))
    return next(iter(_texts(value)), "")


def _project_name(manifest: _Manifest, wanted: str | None) -> str:
    packages = Counter(node.package for node in manifest.nodes.values())
    own = _text(manifest.metadata.get("project_name")) or next((name for name, _ in packages.most_common(1)), "")
    name = (own or "dbt").replace(".", "_") if wanted is None else wanted
    if not name.strip() or "." in name:
        raise _refused(manifest.path, f"{shown(name)} is no project name", "a task id is project.name")
    return name


# The edges ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Graph:
    """What waits for what, between tasks and sources only."""

    order: tuple[str, ...]
    upstreams: dict[str, tuple[str, ...]]
    tests: dict[str, tuple[_Node, ...]]
    counts: Counter[str] = field(default_factory=Counter)


def _graph(manifest: _Manifest) -> _Graph:
    order = _ordered(manifest)
    counts: Counter[str] = Counter()
    reads = _contracted(order, manifest, counts)
    upstreams = {each: reads[each] for each in order if manifest.nodes[each].is_task}
    tests = _fold_tests(manifest, order, reads, upstreams, counts)
    return _Graph(tuple(upstreams), upstreams, tests, counts)


def _ordered(manifest: _Manifest) -> tuple[str, ...]:
    """The models, seeds and snapshots, upstream first."""
    waits = {
        node.unique_id: [each for each in node.upstreams if each in manifest.nodes and each != ""]
        for node in manifest.nodes.values()
        if node.kind in _TASKS
    }
    try:
        order = TopologicalSorter(waits).static_order()
        return tuple(each for each in order if each in waits)
    except CycleError as error:
        path = " -> ".join(error.args[1])
        raise _refused(manifest.path, f"dependency cycle: {path}", key=error.args[1][0]) from None


def _contracted(order: Iterable[str], manifest: _Manifest, counts: Counter[str]) -> dict[str, tuple[str, ...]]:
    """What each node reads once ephemeral models are seen through: tasks and sources, each once."""
    reads: dict[str, tuple[str, ...]] = {}
    for each in order:
        reads[each] = _through(manifest.nodes[each].upstreams, reads, manifest, counts)
    return reads


def _through(
    upstreams: Iterable[str], reads: Mapping[str, tuple[str, ...]], manifest: _Manifest, counts: Counter[str]
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for upstream in upstreams:
        node = manifest.nodes.get(upstream) or manifest.sources.get(upstream)
        if node is None or not (node.is_task or node.is_ephemeral or node.kind == "source"):
            counts["edges to ids that the manifest does not hold, or that are never run, were dropped"] += 1
        else:
            found.update(dict.fromkeys(reads[upstream] if node.is_ephemeral else (upstream,)))
    return tuple(found)


def _fold_tests(
    manifest: _Manifest,
    order: tuple[str, ...],
    reads: Mapping[str, tuple[str, ...]],
    upstreams: dict[str, tuple[str, ...]],
    counts: Counter[str],
) -> dict[str, tuple[_Node, ...]]:
    """The tests of each task; a task that runs a test waits for everything the test reads."""
    rank = {each: number for number, each in enumerate(order)}
    folded: defaultdict[str, list[_Node]] = defaultdict(list)
    for test in manifest.nodes.values():
        if test.kind != "test":
            continue
        tested = [each for each in _through(test.upstreams, reads, manifest, counts) if each in upstreams]
        if not tested:
            counts["tests of nothing that is run were left out"] += 1
            continue
        last = max(tested, key=rank.__getitem__)
        folded[last].append(test)
        upstreams[last] = tuple(dict.fromkeys((*upstreams[last], *(each for each in tested if each != last))))
        counts["tests are folded into what they test"] += 1
    return {task: tuple(tests) for task, tests in folded.items()}


# Names ----------------------------------------------------------------------------------------------------------------

_LABELS: tuple[Callable[[_Node], str], ...] = (
    lambda node: node.name,
    lambda node: ".".join(filter(None, (node.name, node.version))),
    lambda node: ".".join(filter(None, (node.package, node.name, node.version))),
    lambda node: node.unique_id,
)
"""What a task is shown as, tried in this order until nobody else is shown the same."""


def _names(nodes: Iterable[_Node]) -> dict[str, str]:
    """A name for each unique id, no two the same."""
    named: dict[str, str] = {}
    left = list(nodes)
    for label in _LABELS:
        counted = Counter(map(label, left))
        taken = set(named.values())
        named |= {
            node.unique_id: label(node) for node in left if counted[label(node)] == 1 and label(node) not in taken
        }
        left = [node for node in left if node.unique_id not in named]
    return named


# Commands -------------------------------------------------------------------------------------------------------------

_DBT_RUN = ("dbt", "run")
_VERBS = {"model": "run", "seed": "seed", "snapshot": "snapshot", "test": "test"}


def _template(command: str, path: Path) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise _refused(path, f"the command {shown(command)} cannot be split into words: {error}") from None
    if not any("{name}" in word or "{unique_id}" in word for word in words):
        hint = "write it like dbt run --select {name}"
        raise _refused(path, f"the command {shown(command)} names no task: every task would run the same", hint)
    return words


def _selector(node: _Node, is_alone: bool) -> str:
    """What `dbt --select` finds this node by, and nothing else."""
    if is_alone:
        return node.name
    return ".".join(_texts(node.raw.get("fqn") or [])) or ".".join(filter(None, (node.name, node.version)))


def _filled(
    template: tuple[str, ...], kind: str, selectors: Iterable[str], unique_ids: Iterable[str]
) -> tuple[str, ...]:
    names, ids = " ".join(selectors), " ".join(unique_ids)
    words = [word.replace("{name}", names).replace("{unique_id}", ids) for word in template]
    if template[:2] == _DBT_RUN:
        words[1] = _VERBS[kind]
    return tuple(words)


# The tasks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Import:
    """One reading of a manifest, with the wishes of who reads it."""

    manifest: _Manifest
    project: str
    template: tuple[str, ...] | None
    tables: bool

    def run(self) -> Imported:
        """The tasks, in the order they would run."""
        graph = _graph(self.manifest)
        used = dict.fromkeys(
            each for reads in graph.upstreams.values() for each in reads if each not in graph.upstreams
        )
        nodes = [self.manifest.nodes[each] for each in graph.order] + [self.manifest.sources[each] for each in used]
        names = _names(nodes)
        selectors = Counter(node.name for node in self.manifest.nodes.values() if node.kind in _VERBS)
        tasks = [self._source(self.manifest.sources[each], names) for each in used]
        tasks += [self._task(self.manifest.nodes[each], graph, names, selectors) for each in graph.order]
        workspace = Workspace(projects=(Project(self.project),), tasks=tuple(tasks))
        return Imported(workspace, tuple(self._notes(graph, nodes, names)))

    def _id(self, unique_id: str, names: Mapping[str, str]) -> str:
        return f"{self.project}.{names[unique_id]}"

    def _common(self, node: _Node, names: Mapping[str, str]) -> dict[str, Any]:
        owner = self.manifest.owner(node)
        return {
            "id": self._id(node.unique_id, names),
            "project": self.project,
            "name": names[node.unique_id],
            "owner": owner,
            "operation_owner": owner,
            "description": _text(node.raw.get("description")),
            "tags": tuple(dict.fromkeys((*_texts(node.raw.get("tags")), *_texts(node.config.get("tags"))))),
            "folder": _folder(_text(node.raw.get("original_file_path"))),
            "output_table": _relation(node),
            "source_key": node.unique_id,
        }

    def _source(self, node: _Node, names: Mapping[str, str]) -> Task:
        return Task(**self._common(node, names), type=TaskType.VIRTUAL)

    def _task(self, node: _Node, graph: _Graph, names: Mapping[str, str], selectors: Counter[str]) -> Task:
        depends_on = tuple(Dependency(task=self._id(each, names)) for each in graph.upstreams[node.unique_id])
        common = self._common(node, names) | {
            "run": RunConfig(command=self._command(node, graph, selectors)),
            "code": _text(node.raw.get("raw_code")) or _text(node.raw.get("raw_sql")),
        }
        fields = _fields(node) if self.tables and node.kind == "model" else ()
        if not fields:
            return Task(**common, type=self._type(node), depends_on=depends_on)
        part = MaterializationNode(
            names[node.unique_id], tuple(each.name for each in fields), depends_on, common["code"]
        )
        return Task(**common, type=TaskType.LOGICAL_TABLE, kind=_table_kind(node), fields=fields, nodes=(part,))

    def _type(self, node: _Node) -> TaskType:
        if node.kind == "seed":
            return TaskType.PIPELINE
        if node.raw.get("language") == "python":
            return TaskType.PYTHON
        return _SQL_BY_ADAPTER.get(_text(self.manifest.metadata.get("adapter_type")), TaskType.DATABASE_SQL)

    def _command(self, node: _Node, graph: _Graph, selectors: Counter[str]) -> tuple[str, ...]:
        """What runs the task, and after it the tests that are folded into it."""
        if self.template is None:
            return ()
        own = self._filled((node,), selectors)
        tests = graph.tests.get(node.unique_id, ())
        if not tests or self.template[:2] != _DBT_RUN:
            return own
        return "sh", "-c", f"{shlex.join(own)} && {shlex.join(self._filled(tests, selectors))}"

    def _filled(self, nodes: tuple[_Node, ...], selectors: Counter[str]) -> tuple[str, ...]:
        found = (_selector(node, selectors[node.name] == 1) for node in nodes)
        return _filled(self.template or (), nodes[0].kind, found, (node.unique_id for node in nodes))

    def _notes(self, graph: _Graph, nodes: Iterable[_Node], names: Mapping[str, str]) -> Iterator[str]:
        kinds = Counter(node.kind for node in nodes)
        found = ", ".join(f"{number} {kind}{'s' * (number != 1)}" for kind, number in sorted(kinds.items()))
        yield f"{found} became tasks of {self.project}" if found else "the manifest holds nothing to run"
        ephemeral = sum(node.is_ephemeral for node in self.manifest.nodes.values())
        clashes = sum(names[node.unique_id] != node.name for node in nodes)
        counts = {
            **graph.counts,
            "ephemeral models were seen through": ephemeral,
            "disabled nodes were left out": self.manifest.disabled,
            "names clash and are shown with their version or package": clashes,
        }
        yield from (f"{number} {said}" for said, number in counts.items() if number)


def _folder(file_path: str) -> str:
    """The folder of a file as a task folder: no steps upwards, none of the characters a folder may not have."""
    parts = PurePosixPath(re.sub(r'[|:?<>*"]', "_", file_path.replace("\\", "/"))).parent.parts
    return "/" + "/".join(part for part in parts if part not in ("/", ".", ".."))[: FOLDER_LIMIT - 1].rstrip("/")


def _relation(node: _Node) -> str:
    """The table it writes, as `database.schema.name`, where the manifest tells."""
    if not _text(node.raw.get("schema")):
        return ""
    name = _text(node.raw.get("alias")) or _text(node.raw.get("identifier")) or _text(node.raw.get("name"))
    return ".".join(filter(None, (_text(node.raw.get("database")), _text(node.raw.get("schema")), name)))


def _fields(node: _Node) -> tuple[Field, ...]:
    """The declared columns, names exactly as they are written."""
    keys = set(_texts(node.raw.get("primary_key") or []))
    columns = ((_text(key), _mapping(column)) for key, column in _mapping(node.raw.get("columns")).items())
    named = {_text(column.get("name")) or key: column for key, column in columns}
    return tuple(
        Field(name, _text(column.get("data_type")) or Field(name).type, name in keys)
        for name, column in named.items()
        if name.strip()
    )


def _table_kind(node: _Node) -> TableKind:
    return _KIND_BY_PREFIX.get(node.name.partition("_")[0].lower(), TableKind.AGGREGATE)
