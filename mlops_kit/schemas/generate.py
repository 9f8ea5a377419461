"""Write ``<kind>.json``, the JSON schema of a kind of Azure ML YAML file, from the schema classes of ``azure-ai-ml``.

Run as ``python -m mlops_kit.schemas.generate`` after the SDK was upgraded; the files are data and import nothing.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

# kind -> where the SDK keeps the schema class it loads that kind with (``azure.ai.ml._schema.<module>:<class>``)
SOURCES = {
    "command_job": "job.command_job:CommandJobSchema",
    "spark_job": "job.spark_job:SparkJobSchema",
    "import_job": "job.import_job:ImportJobSchema",
    "sweep_job": "_sweep.sweep_job:SweepJobSchema",
    "pipeline_job": "pipeline.pipeline_job:PipelineJobSchema",
    "automl_classification": "automl.table_vertical.classification:AutoMLClassificationSchema",
    "automl_regression": "automl.table_vertical.regression:AutoMLRegressionSchema",
    "automl_forecasting": "automl.table_vertical.forecasting:AutoMLForecastingSchema",
    "automl_image_classification": "automl.image_vertical.image_classification:ImageClassificationSchema",
    "automl_image_classification_multilabel": (
        "automl.image_vertical.image_classification:ImageClassificationMultilabelSchema"
    ),
    "automl_image_object_detection": "automl.image_vertical.image_object_detection:ImageObjectDetectionSchema",
    "automl_image_instance_segmentation": (
        "automl.image_vertical.image_object_detection:ImageInstanceSegmentationSchema"
    ),
    "automl_text_classification": "automl.nlp_vertical.text_classification:TextClassificationSchema",
    "automl_text_classification_multilabel": (
        "automl.nlp_vertical.text_classification_multilabel:TextClassificationMultilabelSchema"
    ),
    "automl_text_ner": "automl.nlp_vertical.text_ner:TextNerSchema",
    "azure_openai_finetuning": "_finetuning.azure_openai_finetuning:AzureOpenAIFineTuningSchema",
    "custom_model_finetuning": "_finetuning.custom_model_finetuning:CustomModelFineTuningSchema",
    "distillation_job": "_distillation.distillation_job:DistillationJobSchema",
    "command_component": "component.command_component:CommandComponentSchema",
    "parallel_component": "component.parallel_component:ParallelComponentSchema",
    "import_component": "component.import_component:ImportComponentSchema",
    "spark_component": "component.spark_component:SparkComponentSchema",
    "automl_component": "component.automl_component:AutoMLComponentSchema",
    "data_transfer_copy_component": "component.data_transfer_component:DataTransferCopyComponentSchema",
    "data_transfer_import_component": "component.data_transfer_component:DataTransferImportComponentSchema",
    "data_transfer_export_component": "component.data_transfer_component:DataTransferExportComponentSchema",
    "pipeline_component": "pipeline.pipeline_component:PipelineComponentSchema",
    "data": "assets.data:DataSchema",
    "data_import": "_data_import.data_import:DataImportSchema",
    "model": "assets.model:ModelSchema",
    "environment_asset": "assets.environment:EnvironmentSchema",
    "code": "assets.code_asset:CodeAssetSchema",
    "azure_blob": "_datastore.azure_storage:AzureBlobSchema",
    "azure_file": "_datastore.azure_storage:AzureFileSchema",
    "azure_data_lake_gen1": "_datastore.adls_gen1:AzureDataLakeGen1Schema",
    "azure_data_lake_gen2": "_datastore.azure_storage:AzureDataLakeGen2Schema",
    "one_lake": "_datastore.one_lake:OneLakeSchema",
    "amlcompute": "compute.aml_compute:AmlComputeSchema",
    "compute_instance": "compute.compute_instance:ComputeInstanceSchema",
    "kubernetes_compute": "compute.kubernetes_compute:KubernetesComputeSchema",
    "synapse_spark_compute": "compute.synapsespark_compute:SynapseSparkComputeSchema",
    "virtual_machine_compute": "compute.virtual_machine_compute:VirtualMachineComputeSchema",
    "managed_online_endpoint": "_endpoint.online.online_endpoint:ManagedOnlineEndpointSchema",
    "kubernetes_online_endpoint": "_endpoint.online.online_endpoint:KubernetesOnlineEndpointSchema",
    "batch_endpoint": "_endpoint.batch.batch_endpoint:BatchEndpointSchema",
    "managed_online_deployment": "_deployment.online.online_deployment:ManagedOnlineDeploymentSchema",
    "kubernetes_online_deployment": "_deployment.online.online_deployment:KubernetesOnlineDeploymentSchema",
    "batch_deployment": "_deployment.batch.batch_deployment:BatchDeploymentSchema",
    "model_batch_deployment": "_deployment.batch.model_batch_deployment:ModelBatchDeploymentSchema",
    "pipeline_component_batch_deployment": (
        "_deployment.batch.pipeline_component_batch_deployment_schema:PipelineComponentBatchDeploymentSchema"
    ),
    "job_schedule": "schedule.schedule:JobScheduleSchema",
    "data_import_schedule": "_data_import.schedule:ImportDataScheduleSchema",
    "monitor_schedule": "monitoring.schedule:MonitorScheduleSchema",
    "registry": "registry.registry:RegistrySchema",
    "workspace": "workspace.workspace:WorkspaceSchema",
    "hub": "workspace.ai_workspaces.hub:HubSchema",
    "project": "workspace.ai_workspaces.project:ProjectSchema",
    "connection": "workspace.connections.workspace_connection:WorkspaceConnectionSchema",
    "connection_azure_blob": "workspace.connections.connection_subtypes:AzureBlobStoreConnectionSchema",
    "connection_azure_one_lake": "workspace.connections.connection_subtypes:MicrosoftOneLakeConnectionSchema",
    "connection_azure_open_ai": "workspace.connections.connection_subtypes:AzureOpenAIConnectionSchema",
    "connection_azure_ai_services": "workspace.connections.connection_subtypes:AzureAIServicesConnectionSchema",
    "connection_azure_ai_search": "workspace.connections.connection_subtypes:AzureAISearchConnectionSchema",
    "connection_azure_content_safety": "workspace.connections.connection_subtypes:AzureContentSafetyConnectionSchema",
    "connection_azure_speech_services": "workspace.connections.connection_subtypes:AzureSpeechServicesConnectionSchema",
    "connection_api_key": "workspace.connections.connection_subtypes:APIKeyConnectionSchema",
    "connection_open_ai": "workspace.connections.connection_subtypes:OpenAIConnectionSchema",
    "connection_serp": "workspace.connections.connection_subtypes:SerpConnectionSchema",
    "connection_serverless": "workspace.connections.connection_subtypes:ServerlessConnectionSchema",
    "feature_store": "_feature_store.feature_store_schema:FeatureStoreSchema",
    "feature_set": "_feature_set.feature_set_schema:FeatureSetSchema",
    "feature_store_entity": "_feature_store_entity.feature_store_entity_schema:FeatureStoreEntitySchema",
}

BINDING = r"\$\{\{\s*\S*\s*\}\}"
TEXT_PATTERNS = {  # text fields whose rule is code, not data, in azure.ai.ml._schema.core.fields
    "DataBindingStr": BINDING,
    "NodeBindingStr": BINDING,
    "OutputBindingStr": BINDING,
    "RegistryStr": "^azureml://registries/.*",
    "InternalRegistryStr": "^azureml://feeds/.*",
    "GitStr": r"^git\+",
    "ComponentNameStr": r"^[a-z][a-z\d_]*$",
    "NodeNameStr": "^[a-z_][a-z0-9_]*$",
}


def generate() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of every kind, from the installed SDK."""
    return {kind: Kind(kind).schema() for kind in SOURCES}


def text(schema: dict[str, Any]) -> str:
    """Return the bytes a schema is shipped as: sorted keys, no spaces, one line end."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":")) + "\n"


def write(folder: Path) -> None:
    """Write one file per kind into ``folder``."""
    for kind, schema in generate().items():
        (folder / f"{kind}.json").write_text(text(schema), encoding="utf-8")


class Kind:
    """Converts the schema class of one kind; nested classes become ``$defs``, so recursion ends."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.definitions: dict[str, Any] = {}
        self.names: dict[tuple[type, str], str] = {}

    def schema(self) -> dict[str, Any]:
        """Return the whole JSON schema of the kind."""
        from azure.ai.ml.constants._common import BASE_PATH_CONTEXT_KEY

        module, _, name = SOURCES[self.kind].partition(":")
        schema_class = vars(importlib.import_module(f"azure.ai.ml._schema.{module}"))[name]
        body = self._object(schema_class(context={BASE_PATH_CONTEXT_KEY: Path()}), is_open=False)
        # any template may carry our own block, and ``x-`` keys that hold anchors
        body["properties"]["$schema"] = {}
        body["patternProperties"] = {"^x-": {}}
        return {"$schema": "http://json-schema.org/draft-07/schema#", **body, "$defs": self.definitions}

    def _object(self, schema: Any, is_open: bool) -> dict[str, Any]:
        """Convert one marshmallow schema instance; read-only fields are allowed and not looked into."""
        fields = {**schema.dump_fields, **schema.load_fields}
        keys = {field.data_key or name: field for name, field in fields.items()}
        converted: dict[str, Any] = {
            "type": "object",
            "properties": {key: {} if field.dump_only else self._field(field) for key, field in sorted(keys.items())},
            "additionalProperties": is_open,
        }
        required = sorted(key for key, field in keys.items() if field.required and not field.dump_only)
        return {**converted, "required": required} if required else converted

    def _field(self, field: Any) -> dict[str, Any]:
        """Convert one marshmallow field, with null where it may be null."""
        converted = self._convert(field)
        if field.allow_none and converted:
            return {"anyOf": [converted, {"type": "null"}]}
        return converted

    def _convert(self, field: Any) -> dict[str, Any]:
        """Convert by the most derived class that is known; a field that is not known accepts anything."""
        from azure.ai.ml._schema.core import fields as sdk
        from marshmallow import fields

        if isinstance(field, sdk.ExperimentalField):
            return self._field(field.experimental_field)
        if isinstance(field, sdk.UnionField):
            return self._union(field)
        if isinstance(field, fields.Nested):
            return self._nested(field)
        if isinstance(field, sdk.StringTransformedEnum):
            return _enumeration(field)
        if isinstance(field, fields.List):
            return {"type": "array", "items": self._field(field.inner)}
        if isinstance(field, fields.Dict):
            return self._mapping(field)
        return _scalar(field)

    def _union(self, field: Any) -> dict[str, Any]:
        """Keep every alternative, in order; a union that is decided by a key says so in ``x-by``."""
        alternatives: list[dict[str, Any]] = []
        for member in field.union_fields:
            converted = self._field(member)
            if converted not in alternatives:
                alternatives.append(converted)
        if len(alternatives) == 1:
            return alternatives[0]
        union: dict[str, Any] = {"anyOf": alternatives}
        if hasattr(field, "allowed_types"):
            members = vars(field)["_type_sensitive_fields_dict"]
            by_type = {
                str(name): [alternatives.index(self._field(member)) for member in chosen]
                for name, chosen in members.items()
            }
            own = self._own_types(alternatives, field.type_field_name)
            union["x-by"] = {"key": field.type_field_name, "choose": {**own, **by_type}}
        return union

    def _own_types(self, alternatives: list[dict[str, Any]], key: str) -> dict[str, list[int]]:
        """Return the types that alternatives allow for themselves: the SDK tries each, whatever the union is keyed by.

        The trial of a sweep step is keyed by ``sweep``, and says ``type: command`` itself.
        """
        found: dict[str, list[int]] = {}
        for index, alternative in enumerate(alternatives):
            for option in alternative.get("anyOf", [alternative]):
                body = self.definitions.get(option.get("$ref", "").rpartition("/")[2], {})
                for name in body.get("properties", {}).get(key, {}).get("enum", ()):
                    found.setdefault(name, []).append(index)
        return found

    def _nested(self, field: Any) -> dict[str, Any]:
        """Convert a nested schema into a definition and a reference to it."""
        from azure.ai.ml._schema.core.fields import DataBindingStr, UnionField
        from azure.ai.ml._schema.core.schema import YamlFileSchema

        schema = field.schema
        is_open = (field.unknown or schema.unknown) != "raise"
        takes_bindings = any(
            isinstance(member, DataBindingStr)
            for inner in schema.load_fields.values()
            if isinstance(inner, UnionField)
            for member in inner.union_fields
        )
        suffix = "Bound" * takes_bindings + "Open" * is_open
        reference = {"$ref": f"#/$defs/{self._definition(schema, suffix, is_open)}"}
        if field.many:
            return {"type": "array", "items": reference}
        if isinstance(schema, YamlFileSchema):
            return {"anyOf": [reference, {"type": "string", "pattern": "^file:"}]}
        return reference

    def _definition(self, schema: Any, suffix: str, is_open: bool) -> str:
        """Return the name of a schema's definition; classes made in a function share a name, equal ones are one."""
        key = (type(schema), suffix)
        if key in self.names:
            return self.names[key]
        stem = type(schema).__name__.removesuffix("Schema") + suffix
        name = stem if stem not in self.definitions else f"{stem}{len(self.definitions)}"
        self.names[key] = name
        self.definitions[name] = {}
        body = self._object(schema, is_open)
        twin = next((other for other, known in self.definitions.items() if known == body), name)
        if twin.startswith(stem) and twin != name:
            del self.definitions[name]
            self.names[key] = name = twin
        else:
            self.definitions[name] = body
        return name

    def _mapping(self, field: Any) -> dict[str, Any]:
        """Convert a mapping with free keys."""
        values = self._field(field.value_field) if field.value_field else {}
        keys = self._field(field.key_field) if field.key_field else {}
        converted: dict[str, Any] = {"type": "object", "additionalProperties": values or True}
        return {**converted, "propertyNames": keys} if len(keys) > 1 else converted


def _enumeration(field: Any) -> dict[str, Any]:
    """Convert an enumeration; ``x-case`` says how the SDK compares: ``lower``, or ``loose`` (camel or snake case)."""
    converted = {"type": "string", "enum": list(dict.fromkeys(str(value) for value in field.allowed_values))}
    probe = field.casing_transform("aB_c")
    if probe != "aB_c":
        converted["x-case"] = "lower" if probe == "ab_c" else "loose"
    return converted


def _scalar(field: Any) -> dict[str, Any]:
    """Convert a field that holds one value."""
    from azure.ai.ml._schema.core import fields as sdk
    from marshmallow import fields

    name = type(field).__name__
    if name in TEXT_PATTERNS:
        return {"type": "string", "pattern": TEXT_PATTERNS[name]}
    if isinstance(field, sdk.ArmVersionedStr) and not field.allow_default_version:
        return {"type": "string", "pattern": "^azureml:.+[:@/].+"}
    if isinstance(field, sdk.ArmStr):
        return {"type": "string", "pattern": field.pattern}
    if isinstance(field, sdk.LocalPathField):
        return {"type": "string", "format": "path"}
    if isinstance(field, sdk.VersionField):
        return {"type": ["string", "number"]}
    if name.endswith("RefField"):
        return {"type": "string", "format": "path"}
    if isinstance(field, fields.Constant):
        return {"const": field.constant}
    for known, type_name in (
        (fields.Boolean, "boolean"),
        (fields.Integer, "integer"),
        (fields.Number, "number"),
        (fields.String, "string"),
        (fields.DateTime, "string"),
    ):
        if isinstance(field, known):
            return {"type": type_name, **_limits(field)}
    return {}


def _limits(field: Any) -> dict[str, Any]:
    """Return what the validators of a field say, as far as they are data."""
    limits: dict[str, Any] = {}
    for rule in field.validators:
        if hasattr(rule, "choices"):
            limits["enum"] = list(rule.choices)
        elif hasattr(rule, "regex"):
            limits["pattern"] = rule.regex.pattern
        else:
            limits |= {
                key: value
                for key, value in (("minimum", getattr(rule, "min", None)), ("maximum", getattr(rule, "max", None)))
                if value is not None
            }
    return limits


if __name__ == "__main__":
    write(Path(__file__).parent)
