"""Every overlay is what Kubernetes and the operators' own schemas accept, and keeps the rules of the house."""

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from kubernetes_validate import validate  # type: ignore[import-untyped]

from schemas.rights import principal
from schemas.topics import TOPICS
from tests.deploy.manifests import (
    K8S,
    OVERLAYS,
    SERVICES,
    Manifest,
    container_of,
    of_kind,
    pod_of,
    rendered,
    settings_of,
)
from tests.shared_data import shared

KUBERNETES = ("1.30", "1.33", "1.37")
CUSTOM = ("kafka.strimzi.io", "keda.sh", "monitoring.coreos.com", "external-secrets.io")
LEAST = {  # an empty rendering passes every validator: count what each saw
    "development": {"Deployment": 4, "KafkaTopic": len(TOPICS), "KafkaUser": 7, "NetworkPolicy": 9},
    "production": {
        "Deployment": 3,
        "KafkaTopic": len(TOPICS),
        "KafkaUser": 7,
        "ScaledObject": 1,
        "PodMonitor": 1,
        "PrometheusRule": 1,
        "Ingress": 1,
    },
}


def is_custom(manifest: Manifest) -> bool:
    return manifest["apiVersion"].partition("/")[0] in CUSTOM


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_everything_once(overlay: str) -> None:
    counted = Counter(found["kind"] for found in rendered(overlay))
    assert {kind: counted[kind] for kind in LEAST[overlay]} == LEAST[overlay]
    names = Counter((found["kind"], found["metadata"]["name"]) for found in rendered(overlay))
    assert max(names.values()) == 1
    assert sum(not is_custom(found) for found in rendered(overlay)) >= 20


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_knows_every_key_of_what_is_its_own(overlay: str, version: str) -> None:
    for manifest in rendered(overlay):
        if not is_custom(manifest):
            validate(manifest, version, strict=True)


def closed(schema: Any) -> Any:
    """The same schema, with the members that it names and no others, wherever it names some."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(part) for name, part in schema.items()}
    if isinstance(pattern := schema.get("pattern"), str):
        inner["pattern"] = pattern.replace("^(?i)", "(?i)^")  # as Go writes it, and as Python reads it
    open_on_purpose = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not open_on_purpose and schema.get("type") == "object":
        inner["additionalProperties"] = False
    return inner


@cache
def validator_of(api_version: str, kind: str) -> Validator:
    """The operator's own schema of a kind, closed."""
    group, _, version = api_version.partition("/")
    schema = closed(json.loads(shared("crds", group, f"{kind.lower()}_{version}.json").read_text()))
    schema["properties"]["metadata"] = {"type": "object"}
    validator = validator_for(schema)
    validator.check_schema(schema)
    return validator(schema)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_operators_know_every_key_of_what_is_theirs(overlay: str) -> None:
    seen = 0
    for manifest in filter(is_custom, rendered(overlay)):
        validator_of(manifest["apiVersion"], manifest["kind"]).validate(manifest)
        seen += 1
    assert seen >= 20


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_validators_see_a_wrong_key(overlay: str) -> None:
    broken = json.loads(json.dumps(of_kind(overlay, "Deployment")["huestream-ingest"]))
    broken["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(Exception, match="enableServiceLink"):
        validate(broken, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted(overlay: str) -> None:
    for name, deployment in of_kind(overlay, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            assert set(container["resources"]["limits"]) == {"memory"}  # no limit of the processor: see the ADR
    [namespace] = of_kind(overlay, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_pods_spread_and_are_told_nothing_by_services_beside_them(overlay: str, service: str) -> None:
    pod = pod_of(overlay, service)
    assert pod["enableServiceLinks"] is False
    keys = [constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    label = {"app.kubernetes.io/name": f"huestream-{service}"}
    assert all(found["labelSelector"]["matchLabels"] == label for found in pod["topologySpreadConstraints"])


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_liveness_asks_less_than_readiness_and_a_start_has_time(overlay: str, service: str) -> None:
    container = container_of(overlay, service)
    startup, ready, alive = (container[f"{name}Probe"] for name in ("startup", "readiness", "liveness"))
    assert (startup["httpGet"]["path"], ready["httpGet"]["path"], alive["httpGet"]["path"]) == (
        "/startupz",
        "/readyz",
        "/healthz",
    )
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 2 * 60  # HUESTREAM_START_TIMEOUT_SECONDS
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 60


def test_production_survives_the_eviction_of_any_one_pod() -> None:
    for service in SERVICES:
        budget = of_kind("production", "PodDisruptionBudget")[f"huestream-{service}"]["spec"]
        deployment = of_kind("production", "Deployment")[f"huestream-{service}"]["spec"]
        least = of_kind("production", "ScaledObject").get(f"huestream-{service}", {}).get("spec", {})
        assert budget["minAvailable"] < deployment.get("replicas", least.get("minReplicaCount", 0))
        assert budget["selector"] == deployment["selector"]


def test_an_update_of_the_endpoint_takes_no_replica_away() -> None:
    update = of_kind("production", "Deployment")["huestream-ingest"]["spec"]["strategy"]["rollingUpdate"]
    assert update == {"maxUnavailable": 0, "maxSurge": 1}
    assert container_of("production", "ingest")["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_comes_in_or_goes_out_that_is_not_said(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    opened = [
        rule
        for policy in policies.values()
        for rule in policy["spec"].get("ingress", [])
        if "from" not in rule or {} in rule["from"]
    ]
    assert opened == []


def test_the_pod_that_makes_keys_is_valid_restricted_and_comes_into_kafka_as_the_services_do() -> None:
    pod = yaml.safe_load((K8S / "tools" / "keys.yaml").read_text())
    validate(pod | {"metadata": {"name": "keys", "labels": pod["metadata"]["labels"]}}, KUBERNETES[-1], strict=True)
    spec, service = pod["spec"], pod_of("production", "ingest")
    [container] = spec["containers"]
    assert spec["securityContext"] == service["securityContext"]
    assert container["securityContext"] == container_of("production", "ingest")["securityContext"]
    told = {entry["name"]: entry["value"] for entry in container["env"]}
    shared_settings = settings_of("production", "ingest") | {"HUESTREAM_KAFKA_USERNAME": principal("keys")}
    assert told == {name: shared_settings[name] for name in told}
    assert {volume["secret"]["secretName"] for volume in spec["volumes"]} == {
        principal("keys"),
        "huestream-cluster-ca-cert",
    }
    assert pod["metadata"]["labels"]["app.kubernetes.io/part-of"] == "huestream"


def test_each_secret_is_mounted_as_files_or_named_by_key() -> None:
    text = json.dumps([found for found in rendered("production") if found["kind"] != "ExternalSecret"])
    assert of_kind("production", "Secret") == {}
    assert 'PASSWORD",' not in text.replace('"name": "HUESTREAM_SMTP_PASSWORD_FILE"', "")
    for service in SERVICES:
        volumes = {found["name"]: found for found in pod_of("production", service)["volumes"]}
        assert volumes["kafka"]["secret"]["secretName"] == f"huestream-{service}"
