import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.local.kafka.node import Node, bootstrap_servers, java_command, prepare_nodes, properties, wait_until_ready
from services.local.kafka.problems import LocalKafkaError, NoSpaceError, NotReadyError
from services.local.ports import free_ports


def three(folder: Path) -> list[Node]:
    return [Node(number, 9000 + number, 9100 + number, folder / f"node-{number}") for number in (1, 2, 3)]


def read(text: str) -> dict[str, str]:
    """Read properties as Java does, as far as a node's go: escapes, and nothing else beside `name=value`."""
    assert text.isascii()
    pairs = (line.split("=", 1) for line in text.splitlines())
    decoded = ((name, value.encode().decode("unicode_escape")) for name, value in pairs)
    return {name: value.encode("utf-16", "surrogatepass").decode("utf-16") for name, value in decoded}


def test_one_node_is_its_own_quorum_and_replicates_nothing() -> None:
    [node, *_] = three(Path("/data"))
    settings = read(properties(node, [node]))
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9101"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"
    assert settings["log.dirs"] == "/data/node-1/log"
    assert settings["auto.create.topics.enable"] == "false"
    assert {value for name, value in settings.items() if name.endswith("replication.factor")} == {"1"}
    assert settings["min.insync.replicas"] == "1"


def test_three_nodes_know_each_other_and_go_on_without_one() -> None:
    nodes = three(Path("/data"))
    settings = [read(properties(node, nodes)) for node in nodes]
    voters = "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    assert {of_one["controller.quorum.voters"] for of_one in settings} == {voters}
    assert [of_one["node.id"] for of_one in settings] == ["1", "2", "3"]
    for of_one in settings:
        factors = {value for name, value in of_one.items() if name.endswith("replication.factor")}
        assert (factors, of_one["min.insync.replicas"]) == ({"3"}, "2")
    assert bootstrap_servers(nodes) == "127.0.0.1:9001,127.0.0.1:9002,127.0.0.1:9003"


def test_nothing_listens_but_on_loopback() -> None:
    nodes = three(Path("/data"))
    for node in nodes:
        for address in read(properties(node, nodes))["listeners"].split(","):
            assert address.split("://")[1].startswith("127.0.0.1:")


@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/,:"), min_size=1))
def test_a_folder_of_any_name_is_read_back_as_it_is(name: str) -> None:
    [node, *_] = three(Path("/data") / name)
    assert read(properties(node, [node]))["log.dirs"] == str(node.folder / "log")


def test_the_log_configuration_is_named_by_a_url() -> None:
    command = java_command(Path("/data/a b#ü"), Path("/bin/java"), [Path("/jars/a.jar"), Path("/jars/b.jar")])
    assert "-Dlog4j2.configurationFile=file:///data/a%20b%23%C3%BC/log4j2.properties" in command
    assert command[-2:] == ["-cp", "/jars/a.jar:/jars/b.jar"]


@pytest.mark.parametrize("name", ["with,comma", "with:colon"])
async def test_a_folder_that_kafka_cannot_name_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        LocalKafkaError, match=r"^Kafka cannot use a folder with a comma or a colon in its name; [^\n]*$"
    ):
        await prepare_nodes(tmp_path / name, three(tmp_path / name), ["false"])


async def test_a_disk_too_full_to_begin_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError, match=r"^no space is left for Kafka in [^\n]*; make room there and run again$"):
        await prepare_nodes(tmp_path, three(tmp_path), ["false"], least_free_bytes=2**62)


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "kafka-3").touch()
    with pytest.raises(LocalKafkaError, match=r"^Kafka cannot use the folder [^\n]*/kafka-3: [^\n]*$"):
        await prepare_nodes(tmp_path / "kafka-3", three(tmp_path / "kafka-3"), ["false"])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            "a warning\njava.io.IOException: broken\n\tat kafka.tools",
            r"could not format .*: java\.io\.IOException: broken$",
        ),
        ("java.io.IOException: No space left on device", r"^no space is left for Kafka in .*; make room there"),
        ("", r"could not format .*: no reason was given$"),
    ],
)
async def test_a_storage_that_cannot_be_formatted_is_one_sentence(tmp_path: Path, said: str, problem: str) -> None:
    tool = [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"]
    with pytest.raises(LocalKafkaError, match=problem):
        await prepare_nodes(tmp_path, three(tmp_path)[:1], tool)


async def test_a_format_that_failed_is_tried_again_with_the_same_cluster_id(tmp_path: Path) -> None:
    trace = tmp_path / "ids"
    tool = [sys.executable, "-c", f"import sys; open({str(trace)!r}, 'a').write(sys.argv[3] + chr(10)); sys.exit(1)"]
    for _ in range(2):
        with pytest.raises(LocalKafkaError):
            await prepare_nodes(tmp_path / "kafka", three(tmp_path / "kafka")[:1], tool)
    first, second = trace.read_text().splitlines()
    assert first == second
    assert len(first) == len("--cluster-id=") + 22


async def test_a_kafka_that_does_not_come_up_is_one_sentence_that_names_its_log(tmp_path: Path) -> None:
    node = Node(1, *free_ports([0, 0]), tmp_path)
    with pytest.raises(
        NotReadyError, match=r"^Kafka was not ready within 0\.5 seconds; its log says why: [^\n]*broker\.log$"
    ):
        await wait_until_ready([node], 0.5)
