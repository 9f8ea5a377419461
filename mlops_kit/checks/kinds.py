"""Which kind of Azure ML file a document is: by header and declared type first, then by its folder and its shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_kit.documents import List
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_kit.documents import Map

Keys = "Mapping[str, str | None]"  # top-level key -> text of its value, nothing for a list, None for a map


@dataclass(frozen=True, slots=True)
class Family:
    """Kinds that one loader of the SDK reads; ``key`` decides between them, ``usual`` is taken when it is absent.

    ``retired`` are the kinds that there were in SDK v1, with what to use instead.
    """

    kinds: Mapping[str, str]
    usual: str | None = None
    key: str = "type"
    retired: Mapping[str, str] = field(default_factory=dict)


# types of compute that there were in SDK v1 -> what to use instead
RETIRED_COMPUTES = {
    **dict.fromkeys(("inferencecluster", "aks", "akscompute"), "attach the cluster as `kubernetes`"),
    "databricks": "no compute of v2 is one; use a job of type `spark`",
    "hdinsight": "use `synapsespark`, or a job of type `spark`",
}

# targets of deployments that there were in SDK v1 -> what to use instead
RETIRED_DEPLOYMENTS = {
    "aci": "ACI is retired; write `type: managed` with `instance_type: Standard_DS2_v2`",
    "aks": "write `type: kubernetes`, on an endpoint that names the attached cluster",
}
# types of datastore that there were in SDK v1 -> what to use instead
RETIRED_DATASTORES = {
    **dict.fromkeys(
        ("sql", "azuresql", "azuresqldatabase", "azure_sql", "azure_sql_database", "azurepostgresql",
         "azure_postgre_sql", "azuremysql", "azure_my_sql"),
        "no datastore of v2 is a database; use a workspace connection and a data import",
    ),
    **dict.fromkeys(("dbfs", "databricks_file_system"), "no datastore of v2 is one; use `azure_data_lake_gen2`"),
}  # fmt: skip

FAMILIES = {
    "job": Family(
        {
            "command": "command_job",
            "sweep": "sweep_job",
            "pipeline": "pipeline_job",
            "spark": "spark_job",
            "import": "import_job",
            "automl": "automl",
            "finetuning": "finetuning",
            "distillation": "distillation_job",
        },
        "command_job",
    ),
    "automl": Family(
        {
            name: f"automl_{name}"
            for name in (
                "classification",
                "regression",
                "forecasting",
                "image_classification",
                "image_classification_multilabel",
                "image_object_detection",
                "image_instance_segmentation",
                "text_classification",
                "text_classification_multilabel",
                "text_ner",
            )
        },
        "automl_classification",
        "task",
    ),
    "finetuning": Family(
        {"azure_openai": "azure_openai_finetuning", "custom": "custom_model_finetuning"},
        "custom_model_finetuning",
        "model_provider",
    ),
    "component": Family(
        {
            "command": "command_component",
            "parallel": "parallel_component",
            "import": "import_component",
            "spark": "spark_component",
            "automl": "automl_component",
            "data_transfer": "data_transfer",
            "pipeline": "pipeline_component",
        },
        "command_component",
    ),
    "data_transfer": Family(
        {f"{name}_data": f"data_transfer_{name}_component" for name in ("copy", "import", "export")},
        "data_transfer_copy_component",
        "task",
    ),
    "data": Family(dict.fromkeys(("uri_file", "uri_folder", "mltable"), "data"), "data"),
    "data_import": Family({}, "data_import"),
    "model": Family({}, "model"),
    "environment_asset": Family({}, "environment_asset"),
    "datastore": Family(
        {
            name: name
            for name in ("azure_blob", "azure_file", "azure_data_lake_gen1", "azure_data_lake_gen2", "one_lake")
        },
        "azure_blob",
        retired=RETIRED_DATASTORES,
    ),
    "compute": Family(
        {
            "amlcompute": "amlcompute",
            "computeinstance": "compute_instance",
            "kubernetes": "kubernetes_compute",
            "synapsespark": "synapse_spark_compute",
            "virtualmachine": "virtual_machine_compute",
        },
        retired=RETIRED_COMPUTES,
    ),
    "managed_online_endpoint": Family({}, "managed_online_endpoint"),
    "kubernetes_online_endpoint": Family({}, "kubernetes_online_endpoint"),
    "batch_endpoint": Family({}, "batch_endpoint"),
    "online_deployment": Family(
        {"kubernetes": "kubernetes_online_deployment"}, "managed_online_deployment", retired=RETIRED_DEPLOYMENTS
    ),
    "batch_deployment": Family(
        {"model": "model_batch_deployment", "pipeline": "pipeline_component_batch_deployment"}, "batch_deployment"
    ),
    "job_schedule": Family({}, "job_schedule"),
    "monitor_schedule": Family({}, "monitor_schedule"),
    "data_import_schedule": Family({}, "data_import_schedule"),
    "registry": Family({}, "registry"),
    "workspace": Family({"default": "workspace", "hub": "hub", "project": "project"}, "workspace", "kind"),
    "connection": Family(
        {
            name: f"connection_{name}"
            for name in (
                "azure_open_ai",
                "azure_blob",
                "azure_one_lake",
                "azure_ai_services",
                "azure_ai_search",
                "azure_content_safety",
                "azure_speech_services",
                "api_key",
                "open_ai",
                "serp",
                "serverless",
            )
        },
        "connection",
    ),
    "feature_store": Family({}, "feature_store"),
    "feature_set": Family({}, "feature_set"),
    "feature_store_entity": Family({}, "feature_store_entity"),
}

# the name in a ``$schema`` address, in lower case -> family, where the two differ
HEADERS = {
    **dict.fromkeys(("commandjob", "sweepjob", "pipelinejob", "sparkjob", "importjob", "automljob"), "job"),
    **{f"{name}component": "component" for name in ("command", "parallel", "import", "spark", "pipeline")},
    "datatransfercomponent": "component",
    "environment": "environment_asset",
    **dict.fromkeys(("azureblob", "azurefile", "azuredatalakegen1", "azuredatalakegen2", "onelake"), "datastore"),
    **dict.fromkeys(
        ("amlcompute", "computeinstance", "kubernetescompute", "synapsesparkcompute", "vmcompute"), "compute"
    ),
    **dict.fromkeys(("managedonlinedeployment", "kubernetesonlinedeployment"), "online_deployment"),
    **dict.fromkeys(("modelbatchdeployment", "pipelinecomponentbatchdeployment"), "batch_deployment"),
    "schedule": "job_schedule",
    **{name.replace("_", ""): name for name in FAMILIES if "_" in name and name != "environment_asset"},
    **{name: name for name in ("data", "model", "registry", "workspace", "connection")},
}
# the kind a header asks for where no type, or a wrong one, is declared
HEADER_KINDS = {
    "sweepjob": "sweep_job",
    "pipelinejob": "pipeline_job",
    "sparkjob": "spark_job",
    "automljob": "automl",
    "parallelcomponent": "parallel_component",
    "sparkcomponent": "spark_component",
    "pipelinecomponent": "pipeline_component",
    "azurefile": "azure_file",
    "azuredatalakegen2": "azure_data_lake_gen2",
    "onelake": "one_lake",
    "amlcompute": "amlcompute",
    "computeinstance": "compute_instance",
    "kubernetescompute": "kubernetes_compute",
    "synapsesparkcompute": "synapse_spark_compute",
    "vmcompute": "virtual_machine_compute",
    "kubernetesonlinedeployment": "kubernetes_online_deployment",
    "modelbatchdeployment": "model_batch_deployment",
    "pipelinecomponentbatchdeployment": "pipeline_component_batch_deployment",
}

# types of steps that a pipeline cannot have -> what to use instead; those of v1 without the ending ``Step``
CONTROL_FLOW = {
    "if_else": "the SDK takes no condition from a file: decide in the script, or when the template is rendered",
    "do_while": "the SDK takes no loop from a file: loop in one script, or use a step of type `sweep`",
    "parallel_for": "the SDK takes no loop from a file: use a step of type `parallel`, or one pipeline per item",
}
RETIRED_STEPS = {
    "databricks": "use a step of type `spark`, or call the Jobs API of Databricks from a step of type `command`",
    "adla": "Data Lake Analytics was retired on 2024-02-29; use a step of type `spark`",
    "hyperdrive": "use a step of type `sweep`",
    "parallelrun": "use a step of type `parallel`",
    "synapsespark": "use a step of type `spark`",
    "datatransfer": "use a step of type `data_transfer`",
    **dict.fromkeys(
        ("pythonscript", "rscript", "estimator", "mpi", "module", "azurebatch", "kusto"),
        "use a step of type `command`",
    ),
}

# declared types that exist in one family only
TYPES = {
    **dict.fromkeys(("sweep", "finetuning", "distillation"), "job"),
    **dict.fromkeys(("uri_file", "uri_folder", "mltable"), "data"),
    **dict.fromkeys(("custom_model", "mlflow_model", "triton_model"), "model"),
    **dict.fromkeys((*FAMILIES["datastore"].kinds, *RETIRED_DATASTORES), "datastore"),
    **dict.fromkeys((*FAMILIES["compute"].kinds, *RETIRED_COMPUTES), "compute"),
    "data_transfer": "component",
}

# keys of files that only v1 had -> what to write instead
V1_KEYS = {
    "computeType": "a deployment configuration of v1 becomes a deployment with `instance_type: Standard_DS2_v2`",
    "entryScript": "an inference configuration of v1 becomes `code_configuration` and `environment` of a deployment",
}

# folders of a project, by convention
FOLDERS = {
    "jobs": "job",
    "pipelines": "job",
    "components": "component",
    "data": "data",
    "environments": "environment_asset",
    "models": "model",
    "datastores": "datastore",
    "computes": "compute",
    "schedules": "job_schedule",
    "monitors": "monitor_schedule",
}

# keys that tell a family, in the order they are looked for
SHAPES = (
    ("create_monitor", "monitor_schedule"),
    ("import_data", "data_import_schedule"),
    ("trigger", "job_schedule"),
    ("trial", "job"),
    ("training_data", "job"),
    ("auth_mode", "managed_online_endpoint"),
    ("conda_file", "environment_asset"),
    ("image", "environment_asset"),
    ("build", "environment_asset"),
    ("jobs", "job"),
    ("command", "job"),
)
# keys of the files of others, which no Azure ML file has: workflows, pipelines of Azure DevOps, MLflow, prompt flow
FOREIGN_KEYS = {"on", "pool", "stages", "steps", "build_dependencies", "nodes", "apiVersion", "repos"}
# keys that only one type of a family has; keys of which a job has at least one
SHOWN = (
    ("jobs", "pipeline"),
    ("trial", "sweep"),
    ("training_data", "automl"),
    ("input_data", "parallel"),
    ("forecasting", "forecasting"),
)
# families all of whose types are known, and of which a wrong one is checked as the one that it is near to
SPELLED = {"job", "component", "automl", "datastore", "online_deployment"}
TELLING = (
    "command",
    "jobs",
    "trial",
    "training_data",
    "component",
    "environment",
    "code",
    "entry",
    "inputs",
)  # of jobs
JOB_KEYS = {"experiment_name", "compute", "limits", "services", "settings", "queue_settings"}
BATCH_KEYS = {"mini_batch_size", "compute", "settings", "component", "job_definition", "output_action"}
COMPONENT_KEYS = {"is_deterministic", "additional_includes", "version"}


def instead_of_step(declared: str) -> str:
    """Return what to use instead of a step of a type that no pipeline can have, where that is known."""
    word = declared.lower()
    return CONTROL_FLOW.get(word) or RETIRED_STEPS.get(re.sub(r"[-_]", "", word).removesuffix("step"), "")


def types() -> set[str]:
    """Return every type that a file can declare."""
    return {*TYPES, *(word for family in FAMILIES.values() if family.key == "type" for word in family.kinds)}


def is_conda(root: Map) -> bool:
    """Return whether a document is a conda file; the ``python_env.yaml`` of an MLflow model only looks like one."""
    lists = ("dependencies", "channels")  # the second where the first is misspelt
    is_listed = any(isinstance(root.get(key), List) for key in lists) and root.get("$schema") is None
    return is_listed and root.get("build_dependencies") is None


def header_name(keys: Mapping[str, str | None]) -> str:
    """Return the name in the ``$schema`` address: ``commandjob`` for ``https://.../commandJob.schema.json``."""
    address = (keys.get("$schema") or "").rstrip("/").rsplit("/", 1)[-1].lower()
    return re.sub(r"(\.schema)?\.json$", "", address)


def family_of(keys: Mapping[str, str | None], folders: tuple[str, ...] = ()) -> str | None:
    """Return the family of a document, or None when nothing tells it.

    ``keys`` maps each top-level key to the text of its value, to nothing where that is a list, or to None where it is
    a map; ``folders`` are the names of the folders the file lies in, nearest first.
    """
    declared = (keys.get("type") or "").lower()
    typed = None if "endpoint_name" in keys else TYPES.get(declared)  # `kubernetes` is a type of deployment, too
    family = HEADERS.get(header_name(keys)) or typed
    if family is None and not _is_foreign(keys):
        family = _by_folder(keys, folders) or _by_shape(keys)
    return _narrowed(family, keys) if family else None


def _is_foreign(keys: Mapping[str, str | None]) -> bool:
    """Return whether a document is a file of others; a pipeline of Azure DevOps has a list of jobs, and no type."""
    if "/promptflow/" in (keys.get("$schema") or ""):
        return True
    return bool(FOREIGN_KEYS & keys.keys()) or (keys.get("jobs") == "" and "type" not in keys)


def _is_like_a_job(keys: Iterable[str]) -> bool:
    """Return whether some key is one that a job has, or is meant as one; a folder of jobs may hold settings, too."""
    given = tuple(keys)
    return not given or any(key in TELLING for key in given) or any(nearest(key, TELLING, close=0.75) for key in given)


def _by_folder(keys: Mapping[str, str | None], folders: tuple[str, ...]) -> str | None:
    """Return the family that the nearest telling folder stands for."""
    declared = (keys.get("type") or "").lower()
    family = next((FOLDERS[name] for name in folders if name in FOLDERS), None)
    if family == "job" and not declared and not _is_like_a_job(keys):
        return None
    if family is None or not declared:
        return family
    kinds, usual = FAMILIES[family].kinds, FAMILIES[family].usual
    # A family without a usual kind is told by nothing but its folder where the type is wrong.
    return family if not kinds or declared in kinds or usual is None else None


def _by_shape(keys: Mapping[str, str | None]) -> str | None:
    """Return the family that has the keys of the document."""
    if "endpoint_name" in keys:
        is_batch = BATCH_KEYS & keys.keys() or (keys.get("type") or "").lower() in FAMILIES["batch_deployment"].kinds
        return "batch_deployment" if is_batch else "online_deployment"
    family = next((family for key, family in SHAPES if key in keys), None)
    if family == "job" and COMPONENT_KEYS & keys.keys() and not JOB_KEYS & keys.keys():
        return "component"
    return family


def _narrowed(family: str, keys: Mapping[str, str | None]) -> str:
    """Return the family the SDK goes on with: some loaders look at a key, not at a type."""
    if family == "data" and "source" in keys:
        return "data_import"
    if family == "managed_online_endpoint" and "compute" in keys:
        return "kubernetes_online_endpoint"
    if family == "job_schedule":
        return next((other for key, other in SHAPES[:2] if key in keys), family)
    return family


def kind_of(family: str, keys: Mapping[str, str | None]) -> tuple[str | None, Family]:
    """Return the kind of a document, and the (sub-)family whose key decided it.

    The kind is None when the key is absent or none of the family's values and the family has no usual kind.
    """
    chosen = FAMILIES[family]
    declared = (keys.get(chosen.key) or "").lower()
    if family in SPELLED:
        declared = _spelled(declared, chosen)
    kind = chosen.kinds.get(declared) or _by_header(chosen, keys) or _by_keys(chosen, keys) or chosen.usual
    return kind_of(kind, keys) if kind in ("automl", "finetuning", "data_transfer") else (kind, chosen)


def _by_header(family: Family, keys: Mapping[str, str | None]) -> str | None:
    """Return the kind of the family that the ``$schema`` address names."""
    kind = HEADER_KINDS.get(header_name(keys))
    return kind if kind in family.kinds.values() else None


def _by_keys(family: Family, keys: Mapping[str, str | None]) -> str | None:
    """Return the kind that the keys of a document show where its type does not."""
    declared = next((kind for key, kind in SHOWN if key in keys and kind in family.kinds), None)
    return family.kinds[declared] if declared else None


def _spelled(declared: str, family: Family) -> str:
    """Return the type that a misspelt one means, so that its keys are not held to another kind."""
    if declared in family.kinds or declared in family.retired:
        return declared
    return next(iter(nearest(declared, family.kinds)), declared)
