"""One process that records and seals: `python -m audit.sealing.sealing_worker URL FILE`.

Prints a line when it has begun, and goes on until it is killed.
"""

import sys
import threading
from pathlib import Path

from audit.sealing.trails import ISSUER, SECRET
from deputize.audit.checkpoint_file import CheckpointFile
from deputize.audit.keys import AuditKeys
from deputize.audit.record import Event, record
from deputize.audit.seal import Sealer
from deputize.core.clock import SystemClock
from deputize.core.db import Database


def main(url: str, file: str) -> None:
    db = Database(url, SystemClock())
    sealer = Sealer(
        ISSUER, db, AuditKeys(SECRET), lambda tx, kinds: None, CheckpointFile(Path(file))
    )
    threading.Thread(target=go_on_recording, args=(db,), daemon=True).start()
    print("begun", flush=True)
    while True:
        sealer.seal()


def go_on_recording(db: Database) -> None:
    while True:
        with db.write() as tx:
            for _ in range(20):
                record(tx, Event("delegation.issued", agent="planner"))


if __name__ == "__main__":
    main(*sys.argv[1:])
