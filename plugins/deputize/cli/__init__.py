"""The plugin's commands: `flask deputize …` on any host, mounted into `deputize` on ours.

On a host of your own: `app.cli.add_command(deputize.cli.deputize)`.
"""

import click

from .agents import agents
from .approvals import approvals
from .audit import audit
from .audit_export import export_command as audit_export
from .audit_export import follow_command as audit_follow
from .audit_proofs import PROOF_COMMANDS
from .audit_seals import SEAL_COMMANDS
from .check import check
from .declaration import apply_command, export_command
from .delegations import delegations
from .deliver import deliver_command
from .keys import keys
from .notifiers import notifiers
from .parts import plugins
from .passkeys import passkeys
from .people import people
from .policy import policy
from .receipt import receipt
from .sweep import sweep_command
from .token import token


@click.group("deputize")
def deputize() -> None:
    """Agents, what they may do, and what they are doing."""


COMMANDS = (
    apply_command,
    export_command,
    agents,
    delegations,
    people,
    passkeys,
    approvals,
    notifiers,
    token,
    keys,
    audit,
    plugins,
    policy,
    receipt,
    check,
    sweep_command,
    deliver_command,
)
for of_the_trail in (*SEAL_COMMANDS, *PROOF_COMMANDS, audit_export, audit_follow):
    audit.add_command(of_the_trail)
for command in COMMANDS:
    deputize.add_command(command)
