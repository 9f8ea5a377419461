"""What tells of new blobs, so that a pipeline can be started: an Event Grid topic of the storage account."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import eventgrid, storage

from mlops_kit.infra import contract
from modules.pulumi.place import Place
from modules.pulumi.storage import Storage


class DataTrigger(pulumi.ComponentResource):
    """The topic, and a subscription for each trigger: to a queue of the account as an identity, or to a web hook.

    Prefixes are subjects of Event Grid: ``/blobServices/default/containers/<container>/blobs/<path>``.
    Source: learn.microsoft.com/azure/event-grid/event-schema-blob-storage.
    """

    def __init__(
        self,
        name: str,
        args: contract.DataTrigger,
        place: Place,
        *,
        account: Storage,
        identity_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:DataTrigger", name, None, opts)
        self._place = place
        self._account = account
        self._identity_id = identity_id
        self._topic = eventgrid.SystemTopic(
            name,
            system_topic_name=args.topic,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            source=account.id,
            topic_type="Microsoft.Storage.StorageAccounts",
            identity=eventgrid.IdentityInfoArgs(
                type=eventgrid.IdentityType.USER_ASSIGNED,
                user_assigned_identities=identity_id.apply(lambda one: {one: eventgrid.UserIdentityPropertiesArgs()}),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self._topic.id
        self.subscription_ids = {key: self._subscription(name, key, one) for key, one in args.triggers.items()}
        self.register_outputs({"id": self.id, "subscription_ids": self.subscription_ids})

    def _subscription(self, name: str, key: str, args: contract.Trigger) -> pulumi.Output[str]:
        queue = self._queue(f"{name}-{key}-queue", args.queue) if args.queue is not None else None
        subscription = eventgrid.SystemTopicEventSubscription(
            f"{name}-{key}",
            event_subscription_name=key,
            system_topic_name=self._topic.name,
            resource_group_name=self._place.resource_group_name,
            event_delivery_schema=eventgrid.EventDeliverySchema.EVENT_GRID_SCHEMA,
            filter=eventgrid.EventSubscriptionFilterArgs(
                subject_begins_with=args.subject_begins_with,
                subject_ends_with=args.subject_ends_with,
                included_event_types=list(args.event_types),
            ),
            labels=list(args.labels),
            delivery_with_resource_identity=self._to_queue(queue) if queue is not None else None,
            destination=None
            if args.webhook_url is None
            else eventgrid.WebHookEventSubscriptionDestinationArgs(
                endpoint_type="WebHook", endpoint_url=args.webhook_url
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return subscription.id

    def _queue(self, name: str, queue: str) -> storage.Queue:
        return storage.Queue(
            name,
            queue_name=queue,
            account_name=self._account.name,
            resource_group_name=self._place.resource_group_name,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _to_queue(self, queue: storage.Queue) -> eventgrid.DeliveryWithResourceIdentityArgs:
        return eventgrid.DeliveryWithResourceIdentityArgs(
            identity=eventgrid.EventSubscriptionIdentityArgs(
                type=eventgrid.EventSubscriptionIdentityType.USER_ASSIGNED, user_assigned_identity=self._identity_id
            ),
            destination=eventgrid.StorageQueueEventSubscriptionDestinationArgs(
                endpoint_type="StorageQueue", resource_id=self._account.id, queue_name=queue.name
            ),
        )
