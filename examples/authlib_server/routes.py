"""The pages where a user signs in, consents and makes clients; the OAuth views; one API."""

import time
from urllib.parse import urljoin, urlsplit

from authlib.integrations.flask_oauth2 import current_token
from authlib.oauth2 import OAuth2Error
from flask import (
    Blueprint,
    abort,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.security import gen_salt

from .models import OAuth2Client, User, db
from .oauth2 import authorization, require_oauth

bp = Blueprint("home", __name__)


def current_user():
    if "id" in session:
        return db.session.get(User, session["id"])
    return None


@bp.route("/", methods=["GET", "POST"])
def home():
    if request.method == "POST":
        session["id"] = find_or_make_user(request.form["username"]).id
        return redirect(own_page(request.args.get("next")))
    user = current_user()
    clients = OAuth2Client.query.filter_by(user_id=user.id).all() if user else []
    return render_template("home.html", user=user, clients=clients)


@bp.route("/logout", methods=["POST"])
def logout():
    session.pop("id", None)
    return redirect(url_for(".home"))


@bp.route("/create_client", methods=["GET", "POST"])
def create_client():
    user = current_user()
    if not user:
        return redirect(url_for(".home", next=request.path))
    if request.method == "GET":
        return render_template("create_client.html")

    form = request.form
    client = OAuth2Client(
        client_id=gen_salt(24), client_id_issued_at=int(time.time()), user_id=user.id
    )
    client.set_client_metadata(
        {
            "client_name": form["client_name"],
            "grant_types": form["grant_type"].split(),
            "redirect_uris": form["redirect_uri"].split(),
            "response_types": form["response_type"].split(),
            "scope": form["scope"],
            "token_endpoint_auth_method": form["token_endpoint_auth_method"],
        }
    )
    is_public = form["token_endpoint_auth_method"] == "none"
    client.client_secret = "" if is_public else gen_salt(48)
    db.session.add(client)
    db.session.commit()
    return redirect(url_for(".home"))


@bp.route("/oauth/authorize", methods=["GET", "POST"])
def authorize():
    user = current_user()
    if not user:
        return redirect(url_for(".home", next=request.full_path))
    try:
        grant = authorization.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        return jsonify(dict(error.get_body())), error.status_code
    if request.method == "GET":
        return render_template("authorize.html", user=user, grant=grant)
    grant_user = user if request.form.get("confirm") else None
    return authorization.create_authorization_response(grant_user=grant_user, grant=grant)


@bp.route("/oauth/token", methods=["POST"])
def issue_token():
    return authorization.create_token_response()


@bp.route("/oauth/introspect", methods=["POST"])
def introspect_token():
    return authorization.create_endpoint_response("introspection")


@bp.route("/oauth/revoke", methods=["POST"])
def revoke_token():
    return authorization.create_endpoint_response("revocation")


@bp.route("/userinfo")
@require_oauth("profile")
def userinfo():
    user = current_token.user
    if user is None:
        abort(403)
    return jsonify(sub=str(user.id), preferred_username=user.username)


def find_or_make_user(username):
    user = User.query.filter_by(username=username).first()
    if not user:
        user = User(username=username)
        db.session.add(user)
        db.session.commit()
    return user


def own_page(target):
    # Nobody is sent to another site after signing in.
    url = urljoin(request.host_url, target or url_for(".home"))
    is_own = urlsplit(url)[:2] == urlsplit(request.host_url)[:2]
    return url if is_own else url_for(".home")
