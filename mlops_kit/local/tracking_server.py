"""The tracking process of one workspace: MLflow's own store and REST handlers, and a call for the control plane alone.

Run as ``python -m mlops_kit.local.tracking_server --database FILE --artifacts URL --port-file FILE``. The secret that
every request must carry is the first line of standard input; the process ends when standard input does, so it never
outlives the control plane.
"""

from __future__ import annotations

import argparse
import hmac
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECRET_HEADER = "X-Tracking-Secret"  # noqa: S105  the name of a header
INTERNAL = "/internal"
_SCHEME = "workspace"
# What MLflow's RunsArtifactRepository sends when it looks for the logged models of a run.
_BY_NAME = re.compile(r"name = '[^']*'")
_PAGE = 50  # how many results a message without a number asks for (SearchLoggedModels in MLflow's service.proto)

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

from mlflow.entities import LifecycleStage, LoggedModel, Run, RunStatus, RunTag, SourceType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun, SqlTag  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: E402
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME  # noqa: E402


class WorkspaceStore(SqlAlchemyStore):  # type: ignore[misc]  # MLflow is not read by the type checker
    """MLflow's store with the places and names of an Azure ML workspace.

    A run's artefacts are at ``ROOT/dcid.<run>``, a logged model's inside the artefacts of its run, and a run can be
    created under a given id: the name of its job.
    """

    def _get_artifact_location(self, experiment_id: int) -> str:
        return f"{self.artifact_root_uri}/experiments/{experiment_id}"

    def _run_location(self, run_id: str) -> str:
        return f"{self.artifact_root_uri}/dcid.{run_id}"

    def create_run(self, experiment_id: str, user_id: str, start_time: int, tags: list[RunTag], run_name: str) -> Run:
        """Create a run as MLflow does and place its artefacts."""
        run_id = super().create_run(experiment_id, user_id, start_time, tags, run_name).info.run_id
        with self.ManagedSessionMaker(read_only=False) as session:
            self._get_run(session, run_id).artifact_uri = self._run_location(run_id)
        return self.get_run(run_id)

    def ensure_run(self, run_id: str, experiment: str, name: str, tags: dict[str, str], start_ms: int) -> str:
        """Create the run of a job where it is missing; return the id of its experiment."""
        with self.ManagedSessionMaker(read_only=False) as session:
            found = session.get(SqlRun, run_id)
            if found:
                return str(found.experiment_id)
        experiment_id = self._ensure_experiment(experiment)
        with self.ManagedSessionMaker(read_only=False) as session:
            run = SqlRun(
                run_uuid=run_id,
                name=name or run_id,
                artifact_uri=self._run_location(run_id),
                experiment_id=int(experiment_id),
                source_type=SourceType.to_string(SourceType.JOB),
                source_name="",
                entry_point_name="",
                user_id="local",
                status=RunStatus.to_string(RunStatus.RUNNING),
                start_time=start_ms,
                source_version="",
                lifecycle_stage=LifecycleStage.ACTIVE,
            )
            named = {MLFLOW_RUN_NAME: name or run_id, **tags}
            run.tags = [SqlTag(key=key, value=value) for key, value in named.items()]
            session.add(run)
        return experiment_id

    def _ensure_experiment(self, name: str) -> str:
        experiment = self.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(self.create_experiment(name))
            except MlflowException:  # another job created it in between
                experiment = self.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == LifecycleStage.DELETED:
            self.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)

    def create_logged_model(
        self, experiment_id: str, name: str | None = None, source_run_id: str | None = None, **more: Any
    ) -> LoggedModel:
        """Create a logged model as MLflow does and place its files in the artefacts of its run."""
        model = super().create_logged_model(experiment_id, name, source_run_id, **more)
        location = f"{self.artifact_root_uri}/models/{model.model_id}"
        with self.ManagedSessionMaker(read_only=False) as session:
            if source_run_id:
                wanted = f"{self._run_location(source_run_id)}/{model.name}"
                taken = session.query(SqlLoggedModel.model_id).filter_by(artifact_location=wanted).first()
                location = location if taken else wanted
            session.get(SqlLoggedModel, model.model_id).artifact_location = location
        return self.get_logged_model(model.model_id)

    def displace(self, run_id: str, name: str) -> dict[str, str]:
        """Give the logged model whose files are at ``name`` in a run's artefacts another place.

        Returns:
            ``old`` and ``new``: the URLs between which the files are to be moved; nothing where no model is there.
        """
        old = f"{self._run_location(run_id)}/{name}"
        with self.ManagedSessionMaker(read_only=False) as session:
            found = session.query(SqlLoggedModel).filter_by(artifact_location=old).first()
            if found is None:
                return {}
            found.artifact_location = f"{self.artifact_root_uri}/models/{found.model_id}"
            return {"old": old, "new": found.artifact_location}

    def search_logged_models(self, experiment_ids: list[str], filter_string: str | None = None, **more: Any) -> Any:
        """Search as MLflow does.

        Its client adds the files of a run's logged models to the files of the run; here they are the same files, and
        that one question is answered without the models' run so that no file is listed or downloaded twice.
        """
        models = super().search_logged_models(experiment_ids, filter_string, **more)
        narrowed = more.get("datasets") or more.get("order_by") or more.get("max_results") not in {None, _PAGE}
        if not narrowed and _BY_NAME.fullmatch(filter_string or ""):
            models[:] = [_without_run(model) for model in models]
        return models


def _without_run(model: LoggedModel) -> LoggedModel:
    message = model.to_proto()
    message.info.ClearField("source_run_id")
    return LoggedModel.from_proto(message)


def _fast_writes() -> None:
    """Let SQLite append to a log without waiting for the disk: only a crash of the machine can cost the last values."""
    import sqlalchemy

    @sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
    def tune(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


def application(database: Path, artifacts: str, secret: str) -> Any:
    """Return the WSGI application over a database that is created where it is missing."""
    import flask
    from mlflow.server import handlers

    _fast_writes()
    store = WorkspaceStore(f"sqlite:///{database}", artifacts)
    # The registry that MLflow's own plug-ins use: the handlers ask it for the store of a URI.
    handlers._tracking_store_registry.register(_SCHEME, lambda **_: store)  # noqa: SLF001
    handlers.initialize_backend_stores(f"{_SCHEME}://store", f"sqlite:///{database}", artifacts)
    app = flask.Flask("tracking", static_folder=None)
    app.before_request(lambda: _refusal(secret))
    app.register_error_handler(Exception, _fault)
    rules = [*handlers.get_endpoints(), *_page_endpoints(handlers), *_internal_endpoints(store)]
    for number, (path, handler, methods) in enumerate(rules):
        app.add_url_rule(path, f"{number}", handler, methods=methods)
    return app


def _refusal(secret: str) -> tuple[str, int] | None:
    from flask import request

    genuine = hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode())
    return None if genuine else ("The secret of this process is required.", 403)


def _fault(error: Exception) -> tuple[dict[str, str], int]:
    """Answer any error in the shape that MLflow's client reads, and keep its traceback in the log of the process."""
    from werkzeug.exceptions import HTTPException

    error = getattr(error, "original_exception", None) or error
    if isinstance(error, HTTPException):
        code = "ENDPOINT_NOT_FOUND" if error.code == 404 else "BAD_REQUEST"
        return {"error_code": code, "message": str(error)}, error.code or 400
    logging.getLogger("mlops_kit.local").error("fault while answering", exc_info=error)
    return {"error_code": "INTERNAL_ERROR", "message": f"{type(error).__name__}: {error}"}, 500


_Rule = tuple[str, Callable[..., Any], list[str]]


def _page_endpoints(handlers: Any) -> list[_Rule]:
    """Return what MLflow's application adds to its REST endpoints for its web pages."""
    ajax = "/ajax-api/2.0/mlflow"
    return [
        (f"{ajax}/metrics/get-history-bulk", handlers.get_metric_history_bulk_handler, ["GET"]),
        (f"{ajax}/metrics/get-history-bulk-interval", handlers.get_metric_history_bulk_interval_handler, ["GET"]),
        (f"{ajax}/experiments/search-datasets", handlers._search_datasets_handler, ["POST"]),  # noqa: SLF001
        (f"{ajax}/get-trace-artifact", handlers.get_trace_artifact_handler, ["GET"]),
        ("/ajax-api/3.0/mlflow/get-trace-artifact", handlers.get_trace_artifact_handler, ["GET"]),
    ]


def _internal_endpoints(store: WorkspaceStore) -> list[_Rule]:
    from flask import request
    from mlflow.server.handlers import catch_mlflow_exception

    def ensure_run(run_id: str) -> dict[str, str]:
        body = request.get_json()
        start = int(body["start_ms"])
        return {"experiment_id": store.ensure_run(run_id, body["experiment"], body["name"], body["tags"], start)}

    def displace(run_id: str) -> dict[str, str]:
        return store.displace(run_id, request.get_json()["name"])

    def search(kind: str) -> dict[str, Any]:
        return _selected(kind, request.get_json())

    return [
        (f"{INTERNAL}/runs/<run_id>", catch_mlflow_exception(ensure_run), ["PUT"]),
        (f"{INTERNAL}/runs/<run_id>/displace", catch_mlflow_exception(displace), ["POST"]),
        (f"{INTERNAL}/search/<kind>", catch_mlflow_exception(search), ["POST"]),
    ]


def _selected(kind: str, question: dict[str, Any]) -> dict[str, Any]:
    """Return the rows that a search selects, in MLflow's language, as MLflow's file registry selects them."""
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel
    from mlflow.protos.model_registry_pb2 import ModelVersion as VersionMessage
    from mlflow.protos.model_registry_pb2 import RegisteredModel as ModelMessage
    from mlflow.utils.proto_json_utils import parse_dict
    from mlflow.utils.search_utils import SearchModelUtils, SearchModelVersionUtils, SearchUtils

    kinds = {
        "registered_models": (RegisteredModel, ModelMessage, SearchModelUtils, []),
        "model_versions": (
            ModelVersion,
            VersionMessage,
            SearchModelVersionUtils,
            ["last_updated_timestamp DESC", "name ASC", "version_number DESC"],
        ),
    }
    entity, message, language, order = kinds[kind]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    entities = []
    for row in question["rows"]:
        filled = message()
        parse_dict(row, filled)
        entities.append(entity.from_proto(filled))
        rows[row["name"], row.get("version", "")] = row
    found = language.sort(language.filter(entities, question.get("filter")), question.get("order_by") or order)
    page, token = SearchUtils.paginate(found, question.get("page_token"), int(question.get("max_results") or 100))
    selected = [rows[one.name, str(getattr(one, "version", ""))] for one in page]
    return {kind: selected, **({"next_page_token": token.decode()} if token else {})}


def serve(app: Any, port_file: Path) -> None:
    """Answer on a free loopback port, written to ``port_file``, until standard input ends."""
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    class Connection(WSGIRequestHandler):
        """One kept-alive connection; headers and body leave in one packet."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_request(self, *_: Any) -> None:
            """Say nothing: the control plane keeps the log of calls."""

    server = ThreadedWSGIServer("127.0.0.1", 0, app, handler=Connection)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    draft = port_file.with_suffix(".new")
    draft.write_text(str(server.port), encoding="ascii")
    draft.replace(port_file)
    sys.stdin.buffer.read()


def main(arguments: list[str] | None = None) -> None:
    """Run the process until its standard input is closed."""
    parser = argparse.ArgumentParser(description="the tracking process of one workspace")
    for name in ("--database", "--port-file"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--artifacts", required=True, help="URL under which the runs' artefacts are")
    options = parser.parse_args(arguments)
    secret = sys.stdin.readline().strip()
    serve(application(options.database, options.artifacts, secret), options.port_file)
    os._exit(0)  # threads that still answer must not delay the end


if __name__ == "__main__":
    main()
