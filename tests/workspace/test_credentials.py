"""One credential, chosen by name, tried within seconds (field reports R06, R47)."""

import http.server
import json
import threading
import time

import pytest

from mlops_kit.errors import UsageError
from mlops_kit.workspace import credentials

NO_AZURE = {"PATH": ""}


class Answering:
    """A credential that answers, fails, or sleeps."""

    def __init__(self, error=None, seconds=0.0):
        self.error = error
        self.seconds = seconds

    def get_token(self, _scope):
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return object()


def test_unknown_auth_lists_the_known_ones():
    with pytest.raises(UsageError, match="unknown auth 'spn'; known are default, sp, oidc, cli"):
        credentials.choose("spn", NO_AZURE)


def test_service_principal_names_the_missing_variables():
    with pytest.raises(UsageError, match="auth 'sp' needs AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"):
        credentials.choose("sp", {"AZURE_TENANT_ID": "t"})


def test_federation_outside_of_a_runner_names_the_missing_variables():
    with pytest.raises(UsageError, match="needs ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        credentials.choose("oidc", {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"})


def test_missing_command_line_is_one_sentence_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UsageError) as refused:
        credentials.choose("cli", NO_AZURE)

    assert str(refused.value) == "no Azure credential: Azure CLI not found on path; sign in with 'az login'"


def test_silent_credential_is_given_up_after_the_time_allowed():
    begun = time.monotonic()

    with pytest.raises(UsageError, match="auth 'default' did not answer within 0 s"):
        credentials._probe("default", Answering(seconds=30), "scope", 0.2)

    assert time.monotonic() - begun < 5


def test_reason_is_the_first_line_without_links():
    long = "EnvironmentCredential unavailable. Visit https://aka.ms/x to troubleshoot.\nAttempted credentials:\n\tA: b"

    with pytest.raises(UsageError, match=r"no Azure credential: EnvironmentCredential unavailable; sign in") as refused:
        credentials._probe("cli", Answering(RuntimeError(long)), "scope", 5)

    assert "\n" not in str(refused.value)


@pytest.fixture
def runner():
    """A GitHub runner's token service: each request gets a new assertion."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers["Authorization"]))
            body = json.dumps({"value": f"assertion-{len(seen)}"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token?v=1", seen
    server.shutdown()
    server.server_close()


def test_each_renewal_fetches_a_fresh_assertion_for_azure(runner):
    url, seen = runner
    fetch = credentials.github_assertion(url, "bearer-1")

    assert [fetch(), fetch()] == ["assertion-1", "assertion-2"]
    assert seen[0] == ("/token?v=1&audience=api%3A%2F%2FAzureADTokenExchange", "Bearer bearer-1")
