"""A load balancer asks `/health/ready`: it is not ready unless every database answers."""

from pathlib import Path

from sqlalchemy import text

from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import close, create_app_with_agents


def test_it_is_not_ready_while_the_agents_database_does_not_answer(tmp_path: Path) -> None:
    app = create_app_with_agents(load_configuration(Chosen(tmp_path), {}))
    client = app.test_client()
    assert client.get("/health/ready").status_code == 200
    with app.extensions["deputize"].context.db.write() as tx:
        tx.execute(text("DROP TABLE deputize_version"))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    assert client.get("/health/live").status_code == 200
    close(app)
