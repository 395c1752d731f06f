"""Granting the declared rights to the users of a Kafka."""

from collections.abc import Iterable
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from schemas.rights import USERS, Right, User, principal, rights_of
from services.runtime.cluster import Kafka
from services.runtime.topic_admin import TopicError, admin_client

# Source: Kafka 4.3, org.apache.kafka.common.resource.ResourceType and common.acl.AclOperation
_KINDS: Final = {"topic": 2, "group": 3}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_LITERAL: Final = 3
_ALLOW: Final = 3


async def grant(kafka: Kafka, users: Iterable[User] = USERS) -> int:
    """Grant each user its rights, again where it has them; returns their number, raises `TopicError` when refused."""
    rights = [(user, right) for user in users for right in rights_of(user)]
    async with admin_client(kafka) as client:
        for user, right in rights:
            await _grant(client, user, right)
    return len(rights)


async def _grant(client: AIOKafkaAdminClient, user: User, right: Right) -> None:
    for operation in right.operations:
        request = CreateAclsRequest(
            _KINDS[right.kind], right.name, _LITERAL, f"User:{principal(user)}", "*", _OPERATIONS[operation], _ALLOW
        )
        answer = await client._send_to_controller(request)  # noqa: SLF001  # the client knows the request, not the verb
        for code, reason in answer.creation_responses:
            if for_code(code) is not NoError:
                raise TopicError(f"{principal(user)} was not granted {right.kind} {right.name}: {reason}")
