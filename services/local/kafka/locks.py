"""What locks a Kafka of this machine: a certificate, users with passwords, and nothing allowed that is not granted.

Source: Kafka 4.3 documentation, sections Encryption and Authentication using SSL, Authentication using SASL/SCRAM,
Authorization and ACLs.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from schemas.rights import USERS, principal
from services.local.kafka.problems import LocalKafkaError
from services.local.leash import leashed
from services.runtime.cluster import Cluster, Sasl, SaslMechanism, tls_context

ADMIN: Final = "admin"
_KAFKA: Final = "CN=kafka"
_DAYS: Final = 3650
_SCRAM: Final = tuple(name for name in get_args(SaslMechanism) if name.startswith("SCRAM"))
_KEYTOOL_SECONDS: Final = 60


@dataclass(frozen=True)
class Locks:
    """The certificate and the passwords of one Kafka; the folder is readable by its owner alone."""

    folder: Path
    passwords: Mapping[str, str] = field(repr=False)
    """By the name of the user in Kafka; that of the key store stands under an empty name."""

    @property
    def authority(self) -> Path:
        """File (PEM) of the certificate that clients trust."""
        return self.folder / "ca.pem"

    @property
    def keystore(self) -> Path:
        """File (PKCS #12) of the brokers' certificate and its key."""
        return self.folder / "kafka.p12"

    def password_file(self, user: str) -> Path:
        """File that holds one user's password, and nothing else."""
        return self.folder / f"{user}.password"

    def cluster(self, bootstrap_servers: str, user: str, mechanism: SaslMechanism = "SCRAM-SHA-512") -> Cluster:
        """Come in as one user."""
        context = tls_context(self.authority, None, None)
        return Cluster(bootstrap_servers, context, Sasl(mechanism, user, self.passwords[user]))


async def prepare_locks(folder: Path, java: Path) -> Locks:
    """Make certificate and passwords, once; raises `LocalKafkaError`."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    locks = Locks(folder, _kept_passwords(folder / "passwords.json"))
    for user in filter(None, locks.passwords):
        _write_secret(locks.password_file(user), locks.passwords[user])
    if not locks.authority.is_file():
        await _make_certificate(locks, java.resolve().parent / "keytool")
    return locks


def _kept_passwords(file: Path) -> dict[str, str]:
    if not file.is_file():
        names = ["", ADMIN, *(principal(user) for user in USERS)]
        _write_secret(file, json.dumps({name: secrets.token_urlsafe(24) for name in names}))
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(file)


async def _make_certificate(locks: Locks, keytool: Path) -> None:
    store = ("-keystore", str(locks.keystore), "-storetype", "PKCS12", "-alias", "kafka")
    secret = ("-storepass:env", "KEYSTORE_PASSWORD")
    locks.keystore.unlink(missing_ok=True)  # of a run that was cut short
    await _run(
        locks,
        *(str(keytool), "-genkeypair", *store, *secret, "-keyalg", "EC", "-groupname", "secp256r1"),
        *(
            "-dname",
            _KAFKA,
            "-validity",
            str(_DAYS),
            "-ext",
            "bc:critical=ca:true",
            "-ext",
            "eku=serverAuth,clientAuth",
        ),
        *("-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "ku:critical=digitalSignature,keyCertSign"),
    )
    fresh = locks.authority.with_name("ca.pem.new")
    await _run(locks, str(keytool), "-exportcert", "-rfc", *store, *secret, "-file", str(fresh))
    fresh.replace(locks.authority)


async def _run(locks: Locks, *command: str) -> None:
    try:
        tool = await asyncio.create_subprocess_exec(
            *leashed(command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(os.environ) | {"KEYSTORE_PASSWORD": locks.passwords[""]},
        )
        said, _ = await asyncio.wait_for(tool.communicate(), _KEYTOOL_SECONDS)
    except TimeoutError as error:
        tool.kill()
        raise LocalKafkaError("keytool did not make Kafka's certificate in time; run again") from error
    if tool.returncode:
        reason = (said.decode(errors="replace").strip().splitlines() or ["no reason was given"])[0]
        raise LocalKafkaError(f"keytool did not make Kafka's certificate: {reason[:300]}")


def locked_properties(locks: Locks) -> dict[str, str]:
    """The properties by which brokers ask for certificates and passwords, and grant nothing by themselves."""
    return {
        "listener.security.protocol.map": "CONTROLLER:SSL,SASL_SSL:SASL_SSL",
        "inter.broker.listener.name": "SASL_SSL",
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(locks.keystore),
        "ssl.keystore.password": locks.passwords[""],
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(locks.authority),
        "listener.name.controller.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(get_args(SaslMechanism)),
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        **{f"listener.name.sasl_ssl.{name.lower()}.sasl.jaas.config": _scram_login(locks) for name in _SCRAM},
        "listener.name.sasl_ssl.plain.sasl.jaas.config": _plain_login(locks),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN};User:{_KAFKA}",
    }


def _scram_login(locks: Locks) -> str:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return f'{module} required username="{ADMIN}" password="{locks.passwords[ADMIN]}";'


def _plain_login(locks: Locks) -> str:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    users = " ".join(f'user_{name}="{password}"' for name, password in locks.passwords.items() if name)
    return f"{module} required {users};"


def scram_options(locks: Locks) -> Sequence[str]:
    """The options with which a new storage learns its users; to be read from a file, not from a command line."""
    return [
        f"--add-scram={mechanism}=[name={name},password={password}]"
        for name, password in locks.passwords.items()
        if name
        for mechanism in _SCRAM
    ]
