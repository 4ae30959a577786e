"""Consent: what a person lets an application do, asked in plain words and remembered, and
where they can take it back.
"""

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response as AnyResponse

from .clients import Client
from .clock import now
from .codes import end_families
from .database import Base, db, rowcount, upsert
from .headers import allow_form_redirect
from .people import Person
from .settings import current_settings
from .sign_in import current_person, sign_in_url

blueprint = Blueprint("consent", __name__)


class Consent(Base):
    """One scope that a person lets one client have without being asked again."""

    __tablename__ = "consent"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[int]


@blueprint.get("/account")
def account() -> AnyResponse:
    """Who am I here, and which applications may sign me in?"""
    person = current_person()
    if person is None:
        return redirect(sign_in_url(url_for("consent.account")), 303)
    page = render_template("idp/account.html", person=person, clients=_consented_clients(person))
    return make_response(page)


@blueprint.post("/account/withdraw")
def withdraw() -> AnyResponse:
    """Forget a consent, and end what it gave."""
    person = current_person()
    if person is not None:
        of_both = {"person_id": person.id, "client_id": request.form.get("client_id", "")}
        rowcount(delete(Consent).filter_by(**of_both))
        end_families(**of_both)
        db.session.commit()
    return redirect(url_for("consent.account"), 303)


def ask_consent(client: Client, scope: str, redirect_uri: str) -> Response:
    """The consent page: its form may end where the client's answer goes."""
    allow_form_redirect(redirect_uri)
    words = current_settings().scopes
    asked = [words.get(name, f"Use “{name}”") for name in scope.split()]
    page = render_template(
        "idp/consent.html",
        client=client,
        asked=asked,
        person=current_person(),
        action=f"/consent?{request.query_string.decode()}",
        destination=urlsplit(redirect_uri).netloc or redirect_uri,
    )
    return make_response(page)


def has_consented(person: Person, client: Client, scope: str) -> bool:
    """Whether the person has said yes to all of this before."""
    given = select(Consent.scope).filter_by(person_id=person.id, client_id=client.client_id)
    return bool(scope) and set(scope.split()) <= set(db.session.scalars(given))


def remember_consent(person: Person, client: Client, scope: str) -> None:
    """Add to what the person has said yes to. Commits."""
    for name in scope.split():
        row = upsert(Consent).values(
            person_id=person.id, client_id=client.client_id, scope=name, granted_at=now()
        )
        db.session.execute(row.on_conflict_do_nothing())
    db.session.commit()


def _consented_clients(person: Person) -> list[Client]:
    ids = select(Consent.client_id).filter_by(person_id=person.id)
    named = select(Client).where(Client.client_id.in_(ids)).order_by(Client.name)
    return list(db.session.scalars(named))
