"""The plugin's command on a world: `python -m support.command URL ISSUER CLOCK audit follow …`."""

import sys

from flask import Flask
from flask.cli import ScriptInfo

from deputize import Deputize
from deputize.cli import deputize
from deputize.settings import Settings
from support.world import bare_app, people


def main(database_url: str, issuer: str, clock_file: str, *args: str) -> None:
    host = people()
    settings = Settings(
        issuer=issuer, database_url=database_url, clock_file=clock_file, test_mode=True
    )

    def make_app() -> Flask:
        app = bare_app(host)
        Deputize(host=host, settings=settings).init_app(app)
        return app

    deputize.main(args, obj=ScriptInfo(create_app=make_app))


if __name__ == "__main__":
    main(*sys.argv[1:])
