"""The packages of the programs for Node are pinned by what they are, not by where they are."""

import json
from pathlib import Path

LOCK = Path(__file__).parent / "node" / "package-lock.json"


def test_each_package_has_its_hash_and_no_address() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert {"node_modules/openid-client", "node_modules/oauth4webapi"} <= locked.keys()
    for name, package in locked.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
