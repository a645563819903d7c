"""What is made of a dbt manifest, and of everything that stands in real ones beside models."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dpconsole.core.domain.definitions import Dependency, Field, TableKind, Task, TaskType, Unit
from dpconsole.core.workspace.cycles import dependency_cycles
from dpconsole.core.workspace.dbt import Imported, read_manifest
from dpconsole.core.workspace.problems import WorkspaceRefused
from tests.faults.sizes import size

REPOSITORY = Path(__file__).parents[3]
SAMPLES = Path(os.environ.get("DPCONSOLE_SAMPLES", REPOSITORY.parent / "shared" / "data"))


def node(unique_id: str, *upstreams: str, **more: Any) -> dict[str, Any]:
    kind, package, *rest = unique_id.split(".")
    name = rest[0] if kind in ("model", "test") else rest[-1]
    fields = {"unique_id": unique_id, "name": name, "resource_type": kind, "package_name": package}
    return fields | {"depends_on": {"nodes": list(upstreams)}, "config": {}} | more


def manifest(*nodes: dict[str, Any], version: int = 12, **sections: Any) -> dict[str, Any]:
    by_id = {each["unique_id"]: each for each in nodes if each["resource_type"] != "source"}
    sources = {each["unique_id"]: each for each in nodes if each["resource_type"] == "source"}
    schema = f"https://schemas.getdbt.com/dbt/manifest/v{version}.json"
    metadata = {"dbt_schema_version": schema, "project_name": "shop", "adapter_type": "duckdb"}
    return {"metadata": metadata, "nodes": by_id, "sources": sources} | sections


@pytest.fixture
def load(tmp_path):
    def load_manifest(content: Any, **options: Any) -> Imported:
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return read_manifest(path, **options)

    return load_manifest


@pytest.fixture
def tasks(load):
    """The tasks of a manifest of these nodes, by name."""

    def by_name(*nodes: dict[str, Any], **options: Any) -> dict[str, Task]:
        return {task.name: task for task in load(manifest(*nodes), **options).workspace.tasks}

    return by_name


def upstreams(task: Task) -> list[str]:
    return [dependency.task for dependency in task.depends_on]


EPHEMERAL = {"config": {"materialized": "ephemeral"}}


def test_models_seeds_and_snapshots_become_tasks_and_nothing_else(tasks):
    found = tasks(
        node("model.shop.orders"),
        node("seed.shop.countries"),
        node("snapshot.shop.history"),
        node("test.shop.not_null.1a", "model.shop.orders"),
        node("analysis.shop.study", "model.shop.orders"),
        node("operation.shop.on-run-start-0"),
        node("source.shop.raw.unused"),
    )
    assert set(found) == {"orders", "countries", "history"}
    assert {task.project for task in found.values()} == {"shop"}
    assert found["orders"].source_key == "model.shop.orders"
    assert found["orders"].type is TaskType.DATABASE_SQL
    assert found["countries"].unit is Unit.PIPELINE


@pytest.mark.parametrize("version", range(7, 13))
def test_every_supported_schema_version_is_read(load, version):
    assert len(load(manifest(node("model.shop.orders"), version=version)).workspace.tasks) == 1


def test_depends_on_nodes_become_upstreams(tasks):
    found = tasks(node("model.shop.b", "model.shop.a", "seed.shop.s"), node("model.shop.a"), node("seed.shop.s"))
    assert found["b"].depends_on == (Dependency(task="shop.a"), Dependency(task="shop.s"))


def test_another_project_name_may_be_given(tasks):
    found = tasks(node("model.shop.a"), node("model.shop.b", "model.shop.a"), project="trade")
    assert [found["a"].id, *upstreams(found["b"])] == ["trade.a", "trade.a"]


def test_ephemeral_models_are_contracted_and_not_cut(tasks):
    found = tasks(
        node("model.shop.a"),
        node("model.shop.e1", "model.shop.a", **EPHEMERAL),
        node("model.shop.e2", "model.shop.e1", "source.shop.raw.events", **EPHEMERAL),
        node("model.shop.b", "model.shop.e2", "model.shop.a"),
        node("source.shop.raw.events", source_name="raw"),
    )
    assert set(found) == {"a", "b", "raw.events"}
    assert upstreams(found["b"]) == ["shop.a", "shop.raw.events"]


def test_a_chain_of_ephemeral_models_may_be_long(tasks):
    chain = [node(f"model.shop.e{number}", f"model.shop.e{number - 1}", **EPHEMERAL) for number in range(1, 3000)]
    found = tasks(node("model.shop.e0"), *chain, node("model.shop.b", "model.shop.e2999"))
    assert upstreams(found["b"]) == ["shop.e0"]


def test_a_source_is_a_virtual_upstream_only_where_a_task_reads_it(tasks):
    found = tasks(
        node("source.shop.raw.orders", source_name="raw"),
        node("source.shop.raw.tested", source_name="raw"),
        node("model.shop.a", "source.shop.raw.orders"),
        node("test.shop.fresh.1a", "source.shop.raw.tested"),
    )
    assert set(found) == {"raw.orders", "a"}
    assert found["raw.orders"].type is TaskType.VIRTUAL
    assert upstreams(found["a"]) == ["shop.raw.orders"]


def test_a_test_runs_after_what_it_tests_inside_it(tasks):
    found = tasks(
        node("model.shop.a"),
        node("test.shop.not_null_a.1f", "model.shop.a"),
        node("test.shop.unique_a.2f", "model.shop.a"),
        command="dbt run --select {name}",
    )
    assert found["a"].run.command == (
        "sh",
        "-c",
        "dbt run --select a && dbt test --select 'not_null_a unique_a'",
    )


def test_a_test_of_several_runs_inside_the_last_and_after_the_others(tasks):
    found = tasks(
        node("test.shop.relationships.1f", "model.shop.b", "model.shop.a"),
        node("model.shop.a"),
        node("model.shop.b"),
        command="dbt run --select {name}",
    )
    last = next(task for task in found.values() if "relationships" in task.run.command[-1])
    assert upstreams(last) == [task.id for task in found.values() if task is not last]


def test_a_test_of_an_ephemeral_model_runs_inside_what_the_model_reads(tasks):
    found = tasks(
        node("model.shop.a"),
        node("model.shop.e", "model.shop.a", **EPHEMERAL),
        node("test.shop.unique_e.1f", "model.shop.e"),
        command="dbt run --select {name}",
    )
    assert found["a"].run.command[-1] == "dbt run --select a && dbt test --select unique_e"


def test_seeds_and_snapshots_get_their_own_verbs(tasks):
    found = tasks(node("seed.shop.s"), node("snapshot.shop.h"), command="dbt run --select {name} --target prod")
    assert found["s"].run.command == ("dbt", "seed", "--select", "s", "--target", "prod")
    assert found["h"].run.command == ("dbt", "snapshot", "--select", "h", "--target", "prod")


def test_any_command_may_be_a_template(tasks):
    found = tasks(node("model.shop.a"), command="""./run.sh '{"model": "{unique_id}"}' {name}""")
    assert found["a"].run.command == ("./run.sh", '{"model": "model.shop.a"}', "a")


def test_without_a_template_there_is_no_command(tasks):
    assert tasks(node("model.shop.a"))["a"].run.command == ()


def test_versions_of_a_model_share_a_name_and_are_told_apart(tasks):
    found = tasks(
        node("model.shop.orders.v1", version=1, fqn=["shop", "marts", "orders", "v1"]),
        node("model.shop.orders.v2", version=2, fqn=["shop", "marts", "orders", "v2"]),
        node("model.shop.b", "model.shop.orders.v2"),
        command="dbt run --select {name}",
    )
    assert set(found) == {"orders.v1", "orders.v2", "b"}
    assert upstreams(found["b"]) == ["shop.orders.v2"]
    assert found["orders.v2"].run.command == ("dbt", "run", "--select", "shop.marts.orders.v2")


def test_the_same_name_in_two_packages_is_told_apart(tasks):
    found = tasks(
        node("model.shop.orders", fqn=["shop", "marts", "orders"]),
        node("model.lib.orders", fqn=["lib", "orders"]),
        command="dbt run --select {name}",
    )
    assert set(found) == {"shop.orders", "lib.orders"}
    assert found["lib.orders"].run.command == ("dbt", "run", "--select", "lib.orders")


def test_what_no_shorter_name_tells_apart_is_shown_by_its_unique_id(tasks):
    found = tasks(node("model.shop.orders"), node("seed.shop.orders"))
    assert set(found) == {"model.shop.orders", "seed.shop.orders"}


def test_disabled_nodes_are_left_out_wherever_they_stand(load):
    content = manifest(
        node("model.shop.a", "model.shop.off", "model.shop.gone"),
        node("model.shop.off", config={"enabled": False}),
        disabled={"model.shop.gone": [node("model.shop.gone")]},
    )
    found = load(content)
    assert [(task.name, task.depends_on) for task in found.workspace.tasks] == [("a", ())]
    assert "2 edges to ids that the manifest does not hold, or that are never run, were dropped" in found.notes


def test_parent_map_and_its_unknown_ids_are_not_looked_at(load):
    content = manifest(node("model.shop.a"), parent_map={"exposure.shop.x": ["semantic_model.shop.y"]})
    assert len(load(content).workspace.tasks) == 1


def test_tags_owners_folders_and_descriptions_carry_over(load):
    content = manifest(
        node(
            "model.shop.a",
            tags=["gold"],
            config={"tags": ["nightly", "gold"], "meta": {"owner": "lin"}},
            description="orders",
            original_file_path="models/marts/a.sql",
            schema="dw",
            database="prod",
            alias="a_v",
            raw_code="select 1",
        ),
        node("model.shop.b", meta={"owner": ["mei", "lin"]}),
        node("model.shop.c", config={"group": "finance"}),
        groups={"group.shop.finance": {"name": "finance", "owner": {"email": "fin@example.com", "name": "Fin"}}},
    )
    a, b, c = load(content).workspace.tasks
    assert (a.tags, a.owner, a.operation_owner, a.description) == (("gold", "nightly"), "lin", "lin", "orders")
    assert (a.folder, a.output_table, a.code) == ("/models/marts", "prod.dw.a_v", "select 1")
    assert (b.owner, c.owner) == ("mei", "Fin")


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("../../shared/models/a.sql", "/shared/models"),
        ("./dbt_project.yml", "/"),
        ("models\\marts\\a.sql", "/models/marts"),
        ("models/a<b>|c?/a.sql", "/models/a_b__c_"),
        (f"{'deep/' * 200}a.sql", ("/deep" * 60)[:256].rstrip("/")),
        ("", "/"),
    ],
)
def test_a_folder_stays_inside_and_within_its_limits(tasks, path, folder):
    found = tasks(node("model.shop.a", original_file_path=path))["a"].folder
    assert folder.startswith(found) or found == folder
    assert len(found) <= 256


COLUMNS = ["id", "Id", "a.b", "two words", "$cost", "trailing,", "concat(coalesce('x', ' '))"]


def test_declared_columns_make_a_logical_table_with_names_as_they_are(tasks):
    columns = {name: {"name": name, "data_type": None} for name in COLUMNS} | {"n": {"name": "n", "data_type": "int"}}
    table = tasks(
        node("model.shop.dim_user", "seed.shop.s", columns=columns, primary_key=["id"]),
        node("seed.shop.s"),
        tables=True,
    )["dim_user"]
    assert (table.type, table.kind) == (TaskType.LOGICAL_TABLE, TableKind.DIMENSION)
    assert [column.name for column in table.fields] == [*COLUMNS, "n"]
    assert table.fields[0] == Field("id", "string", key=True)
    assert table.fields[-1] == Field("n", "int")
    (part,) = table.nodes
    assert part.fields == tuple(column.name for column in table.fields)
    assert part.depends_on == (Dependency(task="shop.s"),)
    assert table.depends_on == ()


def test_tables_are_made_only_where_asked_and_only_of_models_with_columns(tasks):
    nodes = (
        node("model.shop.a", columns={"x": {"name": "x"}}),
        node("model.shop.b"),
        node("seed.shop.s", columns={"x": {}}),
    )
    assert not [task for task in tasks(*nodes).values() if task.type is TaskType.LOGICAL_TABLE]
    assert [task.name for task in tasks(*nodes, tables=True).values() if task.type is TaskType.LOGICAL_TABLE] == ["a"]


def test_281_columns_and_ids_of_771_characters_are_nothing_special(tasks):
    name = "x" * (771 - len("model.shop."))
    columns = {f"c{number}": {} for number in range(281)}
    (table,) = tasks(node(f"model.shop.{name}", columns=columns), tables=True).values()
    assert (table.name, len(table.fields)) == (name, 281)


def test_a_thousand_isolated_models_and_a_wide_level_are_read(tasks):
    wide = [node(f"model.shop.a{number}") for number in range(1000)]
    found = tasks(*wide, node("model.shop.b", *(each["unique_id"] for each in wide)))
    assert len(found["b"].depends_on) == 1000


def test_models_that_wait_for_each_other_are_refused_with_the_path(load):
    with pytest.raises(
        WorkspaceRefused, match=r"dependency cycle: model\.shop\.\w -> model\.shop\.\w -> model\.shop\.\w"
    ):
        load(manifest(node("model.shop.a", "model.shop.b"), node("model.shop.b", "model.shop.a")))


def test_a_circle_through_ephemeral_models_is_one_too(load):
    with pytest.raises(WorkspaceRefused, match="dependency cycle"):
        load(manifest(node("model.shop.a", "model.shop.e"), node("model.shop.e", "model.shop.a", **EPHEMERAL)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"command": "dbt run"}, "names no task"),
        ({"command": "dbt run --select '{name}"}, "cannot be split into words"),
        ({"project": "a.b"}, "is no project name"),
        ({"project": " "}, "is no project name"),
    ],
)
def test_options_that_make_no_sense_are_refused(load, options, reason):
    with pytest.raises(WorkspaceRefused, match=reason):
        load(manifest(node("model.shop.a")), **options)


PACKED = gzip.compress(json.dumps(manifest(node("model.shop.a"))).encode())


def test_a_packed_manifest_is_read(tmp_path):
    path = tmp_path / "manifest.json.gz"
    path.write_bytes(PACKED)
    assert [task.id for task in read_manifest(path).workspace.tasks] == ["shop.a"]


SCHEMA = "https://schemas.getdbt.com/dbt/manifest"
NO_MANIFEST = [
    (b"", 1, "is not JSON"),
    (b"version: 1\ntasks: []", 1, "is not JSON"),
    (b'{"a": 1,\n"b": }', 2, "is not JSON"),
    (b"\xff\xfe{}", 0, "is not UTF-8 text"),
    (b"[" * 200_000, 0, "nested too deeply"),
    (b"1" * 10_000, 0, "a number is too long"),
    (b"[]", 0, "is no dbt manifest"),
    (b"{}", 0, "is no dbt manifest"),
    (
        b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}}',
        0,
        "is no dbt manifest",
    ),
    (f'{{"metadata": {{"dbt_schema_version": "{SCHEMA}/v6.json"}}, "nodes": {{}}}}'.encode(), 0, "v6 is not supported"),
    (
        f'{{"metadata": {{"dbt_schema_version": "{SCHEMA}/v13.json"}}, "nodes": {{}}}}'.encode(),
        0,
        "v13 is not supported",
    ),
    (PACKED[:-20], 0, "is cut off"),
    (PACKED[:30] + b"\0" * 20 + PACKED[50:], 0, "damaged gzip data"),
    (b"\x1f\x8bnot gzip at all", 0, "damaged gzip data"),
]


@pytest.mark.parametrize(("content", "line", "reason"), NO_MANIFEST, ids=range(len(NO_MANIFEST)))
def test_what_is_no_manifest_is_refused_in_one_sentence(tmp_path, content, line, reason):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(WorkspaceRefused) as caught:
        read_manifest(path)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert reason in problem.reason


def test_a_manifest_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(WorkspaceRefused, match="cannot be read: No such file"):
        read_manifest(tmp_path / "manifest.json")


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["model.p.a", "model.p.b", "source.p.s.t"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nodes", "name", "owner", "meta", "tags", "enabled"]) | st.text(max_size=3), inner
        )
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "name",
        "resource_type",
        "package_name",
        "depends_on",
        "config",
        "columns",
        "tags",
        "meta",
        "fqn",
        "schema",
        "version",
    ]
)
NODES = st.dictionaries(
    st.sampled_from(["model.p.a", "model.p.b", "test.p.t", "seed.p.s", ""]), st.dictionaries(KEYS, ANY) | ANY
)


@settings(max_examples=size(40, 400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NODES, NODES, ANY)
@example({"model.p.a": {"name": "\ud800", "tags": ["\0"]}}, {}, None)
def test_whatever_a_manifest_holds_only_workspace_refused_is_raised(load, nodes, sources, groups):
    content = manifest() | {"nodes": nodes, "sources": sources, "groups": groups, "disabled": groups}
    try:
        found = load(content, command="dbt run --select {name}", tables=True)
    except WorkspaceRefused:
        return
    for task in found.workspace.tasks:
        repr(task).encode()
        task.id.encode()


REAL = {
    "dbt-project-evaluator-it.json": {"model": 54, "seed": 28, "source": 4},
    "ol-data-platform.json.gz": {"model": 669, "seed": 6, "source": 353},
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("tables", [False, True], ids=["scripts", "tables"])
def test_real_manifests_are_read_whole(name, tables):
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the sample {name} is not here: DPCONSOLE_SAMPLES names the folder")
    workspace = read_manifest(path, command="dbt run --select {name}", tables=tables).workspace
    ids = {task.id for task in workspace.tasks}
    needed = [each for task in workspace.tasks for part in (task, *task.nodes) for each in upstreams(part)]
    assert Counter(task.source_key.partition(".")[0] for task in workspace.tasks) == REAL[name]
    assert len(ids) == len(workspace.tasks)
    assert set(needed) <= ids
    assert dependency_cycles(workspace.tasks) == []
    assert {task.type is TaskType.VIRTUAL for task in workspace.tasks if task.id not in needed} == {False}
