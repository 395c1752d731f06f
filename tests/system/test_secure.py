"""The whole system on a Kafka with TLS, users and least rights: each works with its own, and with nothing else."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from schemas.rights import USERS, User, principal, rights_of
from schemas.topics import CLASSIFIER_GROUP, GROUPS, IMAGES_SUBMITTED, TOPICS
from services.local.kafka.locks import Locks
from services.runtime.cluster import Cluster, SaslMechanism
from services.runtime.environment import environment_with
from services.runtime.kafka import KafkaRefusedError, consumer
from services.runtime.topic_admin import topic_admin
from tests.commands import run_here
from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, start_stack
from tests.system.main_job import kill_halfway, stop_kafka

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("secure"), "--secure", "--classifiers", "2")
    try:
        yield running
        running.assert_no_batch_was_mailed_twice()
    finally:
        running.kill()


def locks_of(stack: Stack) -> Locks:
    folder = Path(stack.ready()["secrets_dir"])
    return Locks(folder, {file.stem: file.read_text() for file in folder.glob("*.password")})


def cluster_of_user(stack: Stack, user: User, mechanism: SaslMechanism = "SCRAM-SHA-512") -> Cluster:
    return locks_of(stack).cluster(stack.ready()["bootstrap_servers"], principal(user), mechanism)


def settings_of(stack: Stack, user: User, **changes: str | None) -> dict[str, str]:
    """What a command is told, to come in as a user; None takes a variable away."""
    locks = locks_of(stack)
    ours: dict[str, str | None] = {
        "BOOTSTRAP_SERVERS": stack.ready()["bootstrap_servers"],
        "KAFKA_TLS": "true",
        "KAFKA_CA_FILE": str(locks.authority),
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_USERNAME": principal(user),
        "KAFKA_PASSWORD_FILE": str(locks.password_file(principal(user))),
        "TOPIC_REPLICAS": "1",
    }
    return {f"HUESTREAM_{name}": value for name, value in (ours | changes).items() if value is not None}


def run(service: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a service until it ends by itself."""
    command, environment = [sys.executable, "-m", "services", service], environment_with(settings)
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environment)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The sentence with which a command ended."""
    assert done.returncode == 1, done.stdout + done.stderr
    return next(line for line in done.stderr.splitlines() if line.startswith("huestream: "))


def test_a_classifier_and_the_reporter_killed_halfway_lose_nothing_and_one_mail_has_all_250_lines(
    secure: Stack, slow_host: ImageHost
) -> None:
    kill_halfway(secure, slow_host, "classifier", "reporter")


def test_a_stopped_kafka_is_a_503_in_time_and_the_retry_ends_in_one_mail(secure: Stack, host: ImageHost) -> None:
    stop_kafka(secure, host)


def test_the_secrets_are_for_their_owner_alone(secure: Stack) -> None:
    folder = Path(secure.ready()["secrets_dir"])
    assert folder.stat().st_mode & 0o077 == 0
    properties = folder.parent / "node-1" / "node.properties"
    assert properties.stat().st_mode & 0o077 == 0
    assert not (folder.parent / "node-1" / "users").exists()
    passwords = {file.read_text() for file in folder.glob("*.password")}
    logs = [*(secure.data / "logs").iterdir(), secure.data / "local.out", folder.parent / "node-1" / "broker.log"]
    assert not [log for log in logs for password in passwords if password in log.read_text()]


async def may_write(cluster: Cluster, topic: str) -> bool:
    producer = AIOKafkaProducer(**cluster.client_options(), request_timeout_ms=10_000)
    await producer.start()
    try:
        await asyncio.wait_for(producer.send_and_wait(topic, b"{}", key=b"key", partition=0), 20)
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
        return False
    finally:
        await producer.stop()
    return True


async def may_read(cluster: Cluster, topic: str) -> bool:
    client = AIOKafkaConsumer(**cluster.client_options(), request_timeout_ms=10_000)
    await client.start()
    try:
        partition = TopicPartition(topic, 0)
        client.assign([partition])
        await client.seek_to_beginning(partition)
        await asyncio.wait_for(client.getmany(timeout_ms=300), 20)
    except TopicAuthorizationFailedError:
        return False
    finally:
        await client.stop()
    return True


async def may_commit(cluster: Cluster, group: str) -> bool:
    """Try to; a group with members takes no offset from others, which shows that it would have been allowed."""
    partition = TopicPartition(IMAGES_SUBMITTED.name, 0)
    client = AIOKafkaConsumer(**cluster.client_options(), group_id=group, enable_auto_commit=False)
    try:
        await client.start()
        client.assign([partition])
        await asyncio.wait_for(client.commit({partition: 0}), 20)
    except GroupAuthorizationFailedError:
        return False
    except (TopicAuthorizationFailedError, CommitFailedError):
        return True
    finally:
        await client.stop()
    return True


@pytest.mark.parametrize("user", [user for user in USERS if user != "topics"])
async def test_no_user_sees_a_topic_that_is_none_of_its_business(secure: Stack, user: User) -> None:
    """Who may read or write may see: what is not seen can be neither read nor written."""
    async with topic_admin(cluster_of_user(secure, user)) as admin:
        assert set(await admin.found()) == {right.name for right in rights_of(user) if right.kind == "topic"}


@pytest.mark.parametrize("user", ["ingest", "classifier", "reporter", "producers", "people", "autoscaler"])
async def test_of_what_it_sees_no_user_writes_or_reads_what_is_not_its_own(secure: Stack, user: User) -> None:
    cluster = cluster_of_user(secure, user)
    for right in rights_of(user):
        if right.kind == "topic":
            assert await may_read(cluster, right.name) == ("Read" in right.operations), right.name
            if "Write" not in right.operations:
                assert not await may_write(cluster, right.name), right.name


@pytest.mark.parametrize("user", ["ingest", "classifier", "reporter", "producers"])
async def test_no_user_is_a_member_of_a_group_that_is_not_its_own(secure: Stack, user: User) -> None:
    for owner, groups in GROUPS.items():
        for group in groups if owner != user else ():
            assert not await may_commit(cluster_of_user(secure, user), group)


async def test_a_user_is_a_member_of_its_own_group(secure: Stack) -> None:
    assert await may_commit(cluster_of_user(secure, "classifier"), CLASSIFIER_GROUP)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_every_mechanism_that_can_be_set_opens(secure: Stack, mechanism: SaslMechanism) -> None:
    async with consumer(cluster_of_user(secure, "keys", mechanism), 20) as source:
        assert "api-keys.v1" in await source.topics()


def test_the_command_line_comes_in_by_the_same_settings(secure: Stack) -> None:
    checked = run_here("topics", "check", settings=settings_of(secure, "topics"))
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, f"all {len(TOPICS)} topics are as declared")
    listed = run_here("keys", "list", settings=settings_of(secure, "keys"))
    assert listed.returncode == 0
    assert "you@localhost.localdomain" in listed.stdout
    letters = run_here("dead-letters", settings=settings_of(secure, "people"))
    assert letters.returncode == 0


def test_what_a_user_may_not_do_is_one_sentence(secure: Stack) -> None:
    issued = run_here("keys", "issue", "--owner", "Mallory", settings=settings_of(secure, "ingest"))
    assert "Kafka does not allow us to use a topic: api-keys.v1; see the rights" in refusal(issued)
    letters = run_here("dead-letters", settings=settings_of(secure, "keys"))
    assert "Kafka has no topic dead-letters.v1 that the user huestream-keys may see" in refusal(letters)
    created = run_here("topics", "create", settings=settings_of(secure, "ingest"))
    assert "was not created: TopicAuthorizationFailedError" in refusal(created)


@pytest.mark.parametrize(
    ("service", "user", "sentence"),
    [
        ("ingest", "classifier", "Kafka has no topic products.submitted.v1 that the user huestream-classifier may see"),
        ("classifier", "ingest", "Kafka does not allow us to use a consumer group: huestream-classifier"),
        ("reporter", "keys", "Kafka has no topic batches.submitted.v1 that the user huestream-keys may see"),
    ],
)
def test_a_service_with_the_rights_of_another_does_not_start_and_says_why(
    secure: Stack, service: str, user: User, sentence: str, tmp_path: Path
) -> None:
    settings = settings_of(secure, user, PORT="0", REPORT_STORE=str(tmp_path), ENVIRONMENT="development")
    assert sentence in refusal(run(service, settings))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"KAFKA_PASSWORD_FILE": None, "KAFKA_PASSWORD": "wrong"},
            "does not accept the user huestream-keys with this password; see HUESTREAM_KAFKA_USERNAME",
        ),
        ({"KAFKA_CA_FILE": None}, "is not accepted (self-signed certificate); HUESTREAM_KAFKA_CA_FILE names"),
        (
            {"KAFKA_TLS": None, "KAFKA_CA_FILE": None},
            "hangs up (does it want HUESTREAM_KAFKA_TLS?)",
        ),
        (
            {"KAFKA_SASL_MECHANISM": None, "KAFKA_USERNAME": None, "KAFKA_PASSWORD_FILE": None},
            "(does it want HUESTREAM_KAFKA_SASL_MECHANISM?)",
        ),
    ],
)
def test_a_door_that_stays_closed_says_which_setting_opens_it(
    secure: Stack, changes: dict[str, str | None], sentence: str
) -> None:
    assert sentence in refusal(run_here("topics", "check", settings=settings_of(secure, "keys", **changes)))


async def test_a_wrong_password_ends_a_start_at_once(secure: Stack) -> None:
    right = cluster_of_user(secure, "classifier")
    assert right.sasl is not None
    wrong = Cluster(right.bootstrap_servers, right.tls, type(right.sasl)("SCRAM-SHA-512", "huestream-classifier", "no"))
    with pytest.raises(KafkaRefusedError, match="does not accept the user huestream-classifier"):
        async with asyncio.timeout(20), consumer(wrong, 60):
            pass


def test_a_replica_too_few_is_refused(secure: Stack) -> None:
    done = run("classifier", settings_of(secure, "classifier", TOPIC_REPLICAS="3"))
    assert refusal(done) == (
        "huestream: the topic images.submitted.v1 has 1 replicas, fewer than HUESTREAM_TOPIC_REPLICAS, which is 3"
    )


def test_production_does_not_accept_the_key_of_a_local_run(secure: Stack, tmp_path: Path) -> None:
    done = run("ingest", settings_of(secure, "ingest", PORT="0", REPORT_STORE=str(tmp_path)))
    assert "HUESTREAM_ENVIRONMENT is production, which does not accept" in refusal(done)
