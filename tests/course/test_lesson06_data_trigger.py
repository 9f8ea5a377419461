"""Lesson 6: what starts a pipeline when data changes, as infrastructure."""

TRIGGER = (
    "infra.storage.containers=[data]",
    "infra.data_trigger={triggers: {new-data: {container: data, prefix: training/, pipeline: train}}}",
)


def test_l6_25_only_blobs_of_the_folder_start_the_pipeline(planned):
    (topic,) = planned("dev", *TRIGGER).of("Microsoft.EventGrid/systemTopics")
    assert topic["properties"]["topicType"] == "Microsoft.Storage.StorageAccounts"
    (watch,) = planned("dev", *TRIGGER).of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    watched = watch["properties"]["filter"]
    assert watched["subjectBeginsWith"] == "/blobServices/default/containers/data/blobs/training/"
    assert watched["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert planned("dev").of("Microsoft.EventGrid/systemTopics") == []
