"""Another worker process of the same server: `python -m support.another_worker URL ISSUER CLOCK`.

Prints its own base URL once it answers; ends when its standard input closes.
"""

import sys

from deputize import Deputize
from deputize.settings import Settings
from support.serving import serving
from support.world import bare_app, people


def main(database_url: str, issuer: str, clock_file: str) -> None:
    host = people()
    settings = Settings(
        issuer=issuer, database_url=database_url, clock_file=clock_file, test_mode=True
    )

    def make_app(_url: str) -> object:
        app = bare_app(host)
        Deputize(host=host, settings=settings).init_app(app)
        return app

    with serving(make_app) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
