"""Which OAuth error each rule is answered with: the one table, by rule or by its family.

A rule's family is what stands before its dot. A grant whose RFC answers a family
differently passes what differs.
"""

from collections.abc import Mapping

from ..core.refusal import Refusal
from ..oauth.errors import (
    AccessDeniedError,
    ApprovalDeniedError,
    ClientNotAuthenticatedError,
    ExpiredLoginHintTokenError,
    ExpiredTokenError,
    InsufficientScopeError,
    InteractionRequiredError,
    InvalidAuthorizationDetailsError,
    InvalidClientMetadataError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    InvalidTokenError,
    InvalidUserCodeError,
    MissingUserCodeError,
    NotFoundError,
    OAuth2Error,
    TemporarilyUnavailableError,
    TooManyRequestsError,
    UnauthorizedClientError,
    UnknownUserIdError,
    describe,
)

Answers = Mapping[str, type[OAuth2Error]]

ANSWERS: Answers = {
    "actor": InvalidRequestError,
    "approval": ApprovalDeniedError,
    "approval.not_needed": InvalidScopeError,
    "authorize": InvalidRequestError,
    "chain": InvalidRequestError,
    "ciba": InvalidGrantError,
    "ciba.expired": ExpiredTokenError,
    "client.assertion_replayed": ClientNotAuthenticatedError,
    "client.not_active": ClientNotAuthenticatedError,
    "client.not_an_agent": UnauthorizedClientError,
    "client.not_authenticated": ClientNotAuthenticatedError,
    "client.two_methods": InvalidRequestError,
    "code": InvalidGrantError,
    "delegation": InvalidRequestError,
    "details": InvalidAuthorizationDetailsError,
    "decision": InvalidRequestError,
    "decision.unknown": NotFoundError,
    "hint": UnknownUserIdError,
    "hint.expired": ExpiredLoginHintTokenError,
    "person": InvalidRequestError,
    "person_token": InvalidTokenError,
    "person_token.scope": InsufficientScopeError,
    # RFC 8693 §2.2.2: invalid_request, where a token is "unacceptable based on policy".
    "policy": InvalidRequestError,
    "policy.needs_approval": InteractionRequiredError,
    "policy.unavailable": TemporarilyUnavailableError,
    "push.full": TooManyRequestsError,
    "quota": InvalidRequestError,
    "refresh": InvalidGrantError,
    "registration": InvalidClientMetadataError,
    "registration.redirect_uri": InvalidRedirectUriError,
    "registration.full": TemporarilyUnavailableError,
    "registration.not_yours": InvalidTokenError,
    "registration.refused": InvalidTokenError,
    "registration.stopped": AccessDeniedError,
    "scope": InvalidScopeError,
    "scope.needs_approval": InteractionRequiredError,
    "server": TemporarilyUnavailableError,
    "signed": InvalidRequestError,
    "spawn": InvalidRequestError,
    "subject": InvalidRequestError,
    "target": InvalidTargetError,
    "report": InvalidRequestError,
    "report.denied_before": AccessDeniedError,
    "task": InvalidRequestError,
    "task_token": InvalidTokenError,
    "task_token.scope": InsufficientScopeError,
    "user_code": InvalidUserCodeError,
    "user_code.missing": MissingUserCodeError,
}

#: A code or refresh token whose person, task or tree has ended is an invalid grant (RFC 6749 §5.2).
GRANT_ANSWERS: Answers = {
    "delegation": InvalidGrantError,
    "person": InvalidGrantError,
    "policy": InvalidGrantError,
    "task": InvalidGrantError,
}

#: An agent's own token is given on its credentials alone: what is refused is the client.
OWN_ANSWERS: Answers = {"policy": UnauthorizedClientError}

#: At the registration endpoint a spawn token is an initial access token (RFC 7591 §3).
REGISTRATION_ANSWERS: Answers = {
    "delegation": InvalidTokenError,
    "person": InvalidTokenError,
    "quota": InvalidTokenError,
    "spawn": InvalidClientMetadataError,
    "spawn.bad_token": InvalidTokenError,
    "task": InvalidTokenError,
}

#: At the tasks endpoint what has ended makes the bearer's token no good (RFC 6750 §3.1).
TASK_ANSWERS: Answers = {
    "delegation": InvalidTokenError,
    "person": InvalidTokenError,
    "task": InvalidTokenError,
}


def answer_to(refusal: Refusal, differing: Answers | None = None) -> OAuth2Error:
    """Return the OAuth error that `refusal` is answered with."""
    table = {**ANSWERS, **(differing or {})}
    family = refusal.rule.partition(".")[0]
    error = table[refusal.rule] if refusal.rule in table else table[family]
    return error(describe(refusal.text))
