"""One truth: what the code says and what is deployed are the same; a changed default here or there fails a test."""

import importlib.util
import json
import re
from ipaddress import ip_network
from types import ModuleType
from typing import Any

import pytest
import yaml

from deploy.watching.alerts import JOBS
from deploy.watching.files import DASHBOARD_FOLDER
from schemas.rights import principal, rights_of
from schemas.topics import CLASSIFIER_GROUP, IMAGES_SUBMITTED, PARTITIONS, REPLICAS, TOPICS
from services.administration.settings import SERVICES as SETTINGS
from services.administration.settings import known_variables
from services.runtime import kafka
from services.runtime.addresses import ALLOWED_V6, DENIED_V4, DENIED_V6
from services.runtime.settings import read_settings, variable
from tests.deploy.manifests import K8S, OVERLAYS, ROOT, SERVICES, container_of, of_kind, pod_of, settings_of

CLIENTS = {"ingest": 3, "classifier": 2, "reporter": 2}  # opened in each service's main
COMMITS = {"classifier": 1}


def default(service: str, name: str) -> Any:
    return SETTINGS[service].model_fields[name].default


def strimzi() -> ModuleType:
    spec = importlib.util.spec_from_file_location("strimzi", ROOT / "deploy" / "strimzi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)s", text)
    assert match, text
    return float(match[1])


def stop_seconds(service: str) -> float:
    """How long a service may take from SIGTERM to its end: the drain, the last commit, the closing of its clients."""
    drain = default(service, "drain_timeout_seconds")
    closing = CLIENTS[service] * kafka._STOP_TIMEOUT_SECONDS  # noqa: SLF001
    return float(drain * (1 + COMMITS.get(service, 0)) + closing)


def test_the_generated_topics_and_users_are_those_of_the_code() -> None:
    for name, text in strimzi().manifests().items():
        path = K8S / "components" / "strimzi-kafka" / name
        assert path.read_text() == text, "run: python deploy/strimzi.py"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_topics_have_the_partitions_and_settings_of_the_code(overlay: str) -> None:
    replicas = REPLICAS if overlay == "production" else 1
    deployed = {
        name: (found["spec"]["partitions"], found["spec"]["replicas"], found["spec"]["config"])
        for name, found in of_kind(overlay, "KafkaTopic").items()
    }
    assert deployed == {topic.name: (topic.partitions, replicas, topic.config(replicas)) for topic in TOPICS}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_users_have_the_rights_of_the_code_and_no_others(overlay: str) -> None:
    users = of_kind(overlay, "KafkaUser")
    for service in SERVICES:
        acls = users[principal(service)]["spec"]["authorization"]["acls"]  # type: ignore[arg-type]
        granted = {(acl["resource"]["type"], acl["resource"]["name"], tuple(acl["operations"])) for acl in acls}
        assert granted == {(right.kind, right.name, right.operations) for right in rights_of(service)}  # type: ignore[arg-type]
        assert all(acl["resource"]["patternType"] == "literal" and "host" not in acl for acl in acls)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting_and_together_they_start_the_service(
    overlay: str, service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    settings = {name: value for name, value in settings_of(overlay, service).items() if name.startswith("HUESTREAM_")}
    assert set(settings) <= known_variables()
    for name, value in settings.items():
        if name.endswith("_FILE") and name != "HUESTREAM_KAFKA_CA_FILE":
            (tmp_path / name).write_text("a secret of at least 32 characters")
            value = str(tmp_path / name)  # noqa: PLW2901
        monkeypatch.setenv(name, value or "filled-by-a-secret")
    read = read_settings(SETTINGS[service])
    assert read.kafka_tls
    assert read.kafka_username == principal(service)  # type: ignore[arg-type]
    assert read.environment == overlay
    assert read.topic_replicas == (REPLICAS if overlay == "production" else 1)


@pytest.mark.parametrize("service", SERVICES)
def test_files_that_settings_name_lie_in_volumes_that_are_mounted(service: str) -> None:
    for overlay in OVERLAYS:
        mounts = [mount["mountPath"] for mount in container_of(overlay, service)["volumeMounts"]]
        volumes = {volume["name"] for volume in pod_of(overlay, service)["volumes"]}
        assert {mount["name"] for mount in container_of(overlay, service)["volumeMounts"]} == volumes
        for name, value in settings_of(overlay, service).items():
            if name.endswith("_FILE"):
                assert any(value.startswith(f"{mount}/") for mount in mounts), name


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_those_that_the_service_is_told(overlay: str, service: str) -> None:
    settings = settings_of(overlay, service)
    ports = {port["name"]: port["containerPort"] for port in container_of(overlay, service)["ports"]}
    assert ports.pop("metrics") == int(settings["HUESTREAM_METRICS_PORT"])
    expected = {"http": int(settings["HUESTREAM_PORT"])} if service == "ingest" else {}
    assert ports == expected
    assert settings["HUESTREAM_METRICS_HOST"] == "0.0.0.0"  # noqa: S104  # the pod's


def test_behind_an_ingress_one_address_may_hold_all_connections() -> None:
    settings = settings_of("production", "ingest")
    assert int(settings["HUESTREAM_MAX_CONNECTIONS_PER_ADDRESS"]) == default("ingest", "max_connections")


def test_the_endpoints_port_is_the_default_of_the_code_everywhere() -> None:
    port = str(default("ingest", "port"))
    assert settings_of("production", "ingest")["HUESTREAM_PORT"] == port
    assert compose()["services"]["ingest"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert re.search(rf"^EXPOSE {port} 9464$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert settings_of("production", "ingest")["HUESTREAM_METRICS_PORT"] == "9464"
    assert "HUESTREAM_METRICS_PORT=9464" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_a_stop_is_waited_for_as_long_as_the_code_may_take(service: str) -> None:
    drain = default(service, "drain_timeout_seconds")
    needed = stop_seconds(service)
    composed = compose()["services"][service]
    assert float(composed["environment"]["HUESTREAM_DRAIN_TIMEOUT_SECONDS"]) == drain
    assert seconds(composed["stop_grace_period"]) > needed
    for overlay in OVERLAYS:
        assert float(settings_of(overlay, service)["HUESTREAM_DRAIN_TIMEOUT_SECONDS"]) == drain
        hook = container_of(overlay, service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod_of(overlay, service)["terminationGracePeriodSeconds"] > hook + needed


def test_a_classifiers_memory_holds_what_its_settings_allow() -> None:
    allowed = default("classifier", "memory_bytes") + default("classifier", "decoders") * default(
        "classifier", "decoder_memory_bytes"
    )
    for limit in (
        container_of("production", "classifier")["resources"]["limits"]["memory"].removesuffix("Mi"),
        compose()["services"]["classifier"]["mem_limit"].removesuffix("m"),
    ):
        assert int(limit) * 2**20 >= allowed + 128 * 2**20


def test_classifiers_are_scaled_by_the_lag_of_their_own_group_and_topic_and_never_beyond_the_partitions() -> None:
    scaled = of_kind("production", "ScaledObject")["huestream-classifier"]["spec"]
    [trigger] = scaled["triggers"]
    metadata = trigger["metadata"]
    assert metadata["topic"] == IMAGES_SUBMITTED.name
    assert metadata["consumerGroup"] == CLASSIFIER_GROUP
    assert metadata["bootstrapServers"] == settings_of("production", "classifier")["HUESTREAM_BOOTSTRAP_SERVERS"]
    assert metadata["username"] == principal("autoscaler")
    assert metadata["offsetResetPolicy"] == "earliest"
    assert metadata["excludePersistentLag"] == "false"
    assert (metadata["sasl"], metadata["tls"]) == ("scram_sha512", "enable")
    assert scaled["maxReplicaCount"] == IMAGES_SUBMITTED.partitions
    assert scaled["minReplicaCount"] >= 2
    assert scaled["fallback"]["replicas"] <= IMAGES_SUBMITTED.partitions
    behavior = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300
    assert "replicas" not in of_kind("production", "Deployment")["huestream-classifier"]["spec"]


# Source: KEDA 2.17 documentation, scaler Apache Kafka; metadata is any map of strings, so that no schema helps
KEDA_KAFKA_KEYS = {
    "bootstrapServers",
    "consumerGroup",
    "topic",
    "lagThreshold",
    "activationLagThreshold",
    "offsetResetPolicy",
    "allowIdleConsumers",
    "excludePersistentLag",
    "limitToPartitionsWithLag",
    "sasl",
    "username",
    "tls",
}


def test_the_autoscaler_knows_every_key_that_it_is_given() -> None:
    [trigger] = of_kind("production", "ScaledObject")["huestream-classifier"]["spec"]["triggers"]
    assert set(trigger["metadata"]) <= KEDA_KAFKA_KEYS
    assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_reporters_are_no_more_than_the_partitions() -> None:
    assert of_kind("production", "Deployment")["huestream-reporter"]["spec"]["replicas"] <= PARTITIONS


def test_the_classifiers_network_is_the_public_web_as_the_classifier_itself_sees_it() -> None:
    policy = of_kind("production", "NetworkPolicy")["huestream-classifier-web"]["spec"]
    [rule] = policy["egress"]
    blocks = {peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"] for peer in rule["to"]}
    assert blocks == {
        "0.0.0.0/0": [str(network) for network in DENIED_V4],
        str(ALLOWED_V6): [str(network) for network in DENIED_V6],
    }
    for cidr, exceptions in blocks.items():
        assert all(ip_network(inner).subnet_of(ip_network(cidr)) for inner in exceptions)  # type: ignore[arg-type]
    assert {port["port"] for port in rule["ports"]} == default("classifier", "fetch_ports")


def test_the_mail_servers_port_is_open() -> None:
    policy = of_kind("production", "NetworkPolicy")["huestream-reporter-store-and-mail"]["spec"]
    assert default("reporter", "smtp_port") in {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def test_what_is_asked_for_its_health_is_what_the_code_serves() -> None:
    source = (ROOT / "services" / "runtime" / "monitoring.py").read_text()
    for overlay in OVERLAYS:
        for service in SERVICES:
            for name in ("startup", "readiness", "liveness"):
                assert f'"{container_of(overlay, service)[f"{name}Probe"]["httpGet"]["path"]}"' in source


# The images of others have users of their own, who own the folders in them; none is root.
USERS_OF_OTHERS = {"prometheus": "65534:65534", "alertmanager": "65534:65534", "grafana": "472:0"}


def test_compose_tells_settings_only_and_hardens_every_service_of_ours() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert "mem_limit" in service
        ours = {key for key in service["environment"] if key.startswith("HUESTREAM_")}
        assert ours <= known_variables()
        if name != "kafka":
            assert service["read_only"] is True, name
            assert service["user"] == USERS_OF_OTHERS.get(name, "10001:10001"), name


def test_compose_waits_for_health_and_for_the_topics() -> None:
    for name in SERVICES:
        needed = compose()["services"][name]["depends_on"]
        assert needed["kafka"] == {"condition": "service_healthy"}
        assert needed["topics"] == {"condition": "service_completed_successfully"}
        assert compose()["services"][name]["healthcheck"]["test"] == ["CMD", "huestream", "health", "--ready"]
    assert compose()["services"]["classifier"]["scale"] == 2
    assert "container_name" not in compose()["services"]["classifier"]  # or it could not be scaled


def test_compose_gives_prometheus_alertmanager_and_grafana_what_is_written_for_them() -> None:
    found = compose()["services"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in found["prometheus"]["volumes"]
    assert "--config.file=/etc/prometheus/prometheus.yml" in found["prometheus"]["command"]
    assert "--storage.tsdb.retention.time=32d" in found["prometheus"]["command"]  # the budgets' 30 days, and some
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}
    assert jobs.keys() == {f"huestream-{service}" for service in SERVICES}
    for service in SERVICES:
        assert jobs[f"huestream-{service}"]["names"] == [service]
        assert jobs[f"huestream-{service}"]["port"] == 9464
    assert "HUESTREAM_METRICS_HOST=0.0.0.0" in (ROOT / "Dockerfile").read_text()  # Prometheus asks from outside
    assert f"./deploy/grafana/dashboards:{DASHBOARD_FOLDER}:ro" in found["grafana"]["volumes"]
    assert found["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].startswith(DASHBOARD_FOLDER)
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in found["grafana"]["volumes"]


def test_alerts_of_compose_are_mails_that_mailpit_catches() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alertmanager.yml").read_text())
    mailed = [mail for receiver in config["receivers"] for mail in receiver.get("email_configs", ())]
    assert {mail["smarthost"] for mail in mailed} == {"mailpit:1025"}
    assert len(mailed) == 2
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert config["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]


def test_the_operators_rules_are_those_of_prometheus() -> None:
    rules = of_kind("production", "PrometheusRule")["huestream"]["spec"]
    assert rules == yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules" / "huestream.yml").read_text())


def test_every_dashboard_is_a_config_map_that_grafanas_sidecar_finds() -> None:
    maps = [
        found
        for found in of_kind("production", "ConfigMap").values()
        if found["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]
    held = {name: text for found in maps for name, text in found["data"].items()}
    files = {path.name: path.read_text() for path in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")}
    assert held == files
    assert all(len(json.dumps(found)) < 256 * 1024 for found in maps)  # what an annotation of kubectl may hold


def test_scraped_pods_have_the_jobs_that_the_rules_name() -> None:
    [monitor] = of_kind("production", "PodMonitor").values()
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [
        {"sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], "targetLabel": "job"}
    ]
    deployments = of_kind("production", "Deployment").values()
    names = {found["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] for found in deployments}
    assert names == set(JOBS)


def test_variables_are_named_as_the_code_names_them() -> None:
    assert variable("drain_timeout_seconds") in settings_of("production", "ingest")
