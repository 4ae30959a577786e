"""Every word that the trail may use: what happened (`kind`), and why something ended (`why`). Pure.

Whoever searches or exports the trail relies on them, so another word is refused where it
would be written. Why a refusal said no is its `rule`, which `docs/reference/rules.md` lists.
"""

KINDS = {
    "agent.active": "The agent was adopted, or resumed: it can get authority.",
    "agent.adopted": "A person let a self-registered agent act for them, and answers for it.",
    "agent.credential_rotated": "The agent has another secret.",
    "agent.declared": "An administrator registered the agent.",
    "agent.edited": "The agent's registration changed; what no longer fits was taken from it.",
    "agent.handed_on": "The agent's owner left: its sponsor answers for it.",
    "agent.pending": "The agent waits to be adopted again, and holds nothing.",
    "agent.registered": "The agent registered itself.",
    "agent.retired": "The agent was stopped for good.",
    "agent.spawn_issued": "The agent got a spawn token, to start a helper with.",
    "agent.spawned": "A helper was registered under the agent's delegation.",
    "agent.suspended": "The agent was stopped, and can be resumed.",
    "agent.token_issued": "The agent got a token to act for itself.",
    "agent.token_revoked": "The agent ended a token of its own.",
    "agent.unused": "Nobody has used the agent for long.",
    "approval.approved": "The person said yes.",
    "approval.denied": "The person said no, or others whose yes was needed did.",
    "approval.expired": "Nobody answered the question in time.",
    "approval.opened": "An agent asked the person.",
    "approval.repeated": "The person's earlier yes was for the same again, in that task.",
    "approval.voted": "Somebody said yes, and the yes of others is needed too.",
    "approval.withdrawn": "The question, or the yes to it, does not count any more.",
    "audit.key_made": "A key that seals the trail was made.",
    "audit.put_away": "Old events were put away; their seals stay.",
    "backchannel.refused": "A request to ask a person was refused.",
    "browser.added": "A person added a browser that tells them that an agent waits.",
    "browser.refused": "A browser that a person wanted to add was refused.",
    "browser.removed": "A browser is told nothing any more.",
    "catalogue.declared": "An API, a scope or a type of details was added or changed.",
    "catalogue.retired": "An API, a scope or a type of details can be asked for no more.",
    "consent.granted": "A person let an agent act for them.",
    "delegation.archived": "What had ended long ago was put away.",
    "delegation.ended": "The delegation ended, with all below it.",
    "delegation.issued": "A token was handed out on the delegation.",
    "introspection.refused": "A request to look at a token was refused.",
    "key.made": "A signing key was made.",
    "key.retired": "A signing key signs and verifies nothing any more.",
    "notify.quiet_hours_removed": "A person is told at any time.",
    "notify.quiet_hours_set": "A person is told nothing at some hours.",
    "notify.switched_off": "A person is told nothing by that channel.",
    "notify.switched_on": "A person is told by that channel.",
    "notify.test_asked": "A person asked for a test of a channel.",
    "outbox.delivered": "What was to be sent has arrived.",
    "outbox.given_up": "What was to be sent was given up.",
    "passkey.enrolled": "A person added a passkey.",
    "passkey.refused": "A passkey, or what it signed, was refused.",
    "passkey.removed": "A passkey signs nothing any more.",
    "person.erased": "What was personal of a person was removed.",
    "person.left": "A person became inactive: all that was done on their behalf ended.",
    "push.refused": "A pushed authorization request was refused.",
    "revocation.refused": "A request to revoke a token was refused.",
    "task.ended": "The task ended.",
    "task.extended": "The person gave the task more time.",
    "task.proposed": "The agent said that its task is over; its person is to accept that.",
    "task.refused": "A report on the task was refused.",
    "task.reopened": "The person did not accept that the task is over.",
    "token.refused": "A token request was refused.",
    "token.used": "An API used up a token that was good for one use.",
    "user_code.removed": "A person has no code any more by which agents ask them.",
    "user_code.set": "A person set the code by which agents ask them.",
}

REASONS = {
    "accepted": "The person accepted that the task is over.",
    "by_itself": "The agent retired itself, or said that its task is over.",
    "cancelled": "The task was called off.",
    "ceiling_edited": "The agent may hold less, and nothing was left.",
    "changed_by_itself": "The agent changed its registration, and waits to be adopted again.",
    "code_reused": "The authorization code came a second time: it was stolen.",
    "completed": "The task was done.",
    "delegates_to_edited": "The agent may not hand over to that agent any more.",
    "details_type_edited": "The type of details changed, and nothing was left.",
    "details_type_retired": "The type of details was retired, and nothing was left.",
    "ended_by_operator": "An administrator ended it.",
    "ended_by_person": "The person pressed stop.",
    "erased": "The person was erased.",
    "failed": "The task failed.",
    "gone": "The push service knows the browser no more.",
    "inactive": "The host says that the person may not act.",
    "left": "The person left.",
    "locked_out": "The host locked the person out.",
    "moved": "Somebody else is signed in at the browser now.",
    "overdue": "The task's deadline passed.",
    "owner_changed": "Somebody else answers for the agent now.",
    "owner_erased": "Nobody answers for the agent any more: who did was erased.",
    "owner_left": "Who answered for the agent left.",
    "passkey_removed": "The passkey that it rested on was removed.",
    "refresh_token_reused": "A used refresh token came again: it was stolen.",
    "removed": "The person removed it.",
    "retired": "An administrator retired the agent.",
    "revoked": "The agent itself gave it up (RFC 7009).",
    "scope_moved": "The scope belongs to another API now, and nothing was left.",
    "scope_retired": "The scope was retired, and nothing was left.",
    "server_retired": "The API was retired, and nothing was left.",
    "silent": "The task's agent did not report in time.",
    "stopped_with_a_no": "The person said no to a question, and stopped all that asked it.",
    "suspended": "An administrator suspended the agent.",
    "undeclared": "The agent stands no more in the file that declares all.",
    "unused": "Nobody had used the agent for longer than the rule allows.",
}


def validate_words(kind: str, why: object) -> None:
    """Refuse what is no word of the trail.

    :param why: None where an event tells of no end
    :raises ValueError: a defect of whoever records it, or a host's own word for `person_left`
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of event: audit/vocabulary.py lists them")
    if why is not None and why not in REASONS:
        raise ValueError(f"{why!r} is no reason: audit/vocabulary.py lists them")
