"""Channels: where notifications go, how that fares, and trying one."""

from typing import Annotated, Final

from fastapi import Path, Response

from spanwise_collector.alerts.notice import Notice
from spanwise_collector.alerts.rules_query import channels_info
from spanwise_collector.api.alerting import Alerting, AlertingIn
from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_schemas.api_alerts import Channels, ChannelTest

router = guarded_router(prefix="/api/v1/channels", tags=["Alerts"])

WAIT_S: Final = 12.0
"""A test notification is waited for so long."""
_LOOK_S: Final = 0.25


@router.get("", response_model=Channels, responses=problems(422, 503, 504), summary="List channels")
def channels(context: In, alerting: AlertingIn, project: Project = "default") -> Response:
    """The channels of the alerts file, without secrets, and the newest 100 notifications of a project."""
    configs = alerting.file.current().channels
    return json_answer(channels_info(context.reader, configs, project, timeout_s=context.timeout_s))


@router.post("/{name}/test", response_model=ChannelTest, responses=problems(404, 422, 503), summary="Try a channel")
def try_channel(
    context: In,
    alerting: AlertingIn,
    name: Annotated[str, Path(description="Name of a channel.", max_length=100)],
    project: Project = "default",
) -> Response:
    """Send a test notification the way that alerts go, and wait for what becomes of it. It is tried once."""
    if name not in alerting.channels:
        raise NotFoundError(f"There is no channel {name}; there are {', '.join(alerting.channels) or 'none'}.")
    notice = Notice(
        key=f"test:{alerting.new_id()}",
        project=project,
        kind="test",
        at=context.clock(),
        severity="info",
        channels=(name,),
        alert=None,
        title="Test: a notification from Spanwise",
        text=f"Somebody tried the channel {name}. If you can read this, it works.",
        url="/alerts",
    )
    (key,) = alerting.outbox.enqueue(notice)
    return json_answer(_outcome(alerting, name, key))


def _outcome(alerting: Alerting, name: str, key: str) -> ChannelTest:
    waited = 0.0
    while True:
        found = alerting.outbox.get(key)
        if found is not None and found.state == "sent":
            return ChannelTest(channel=name, delivered=True, detail=found.error)
        if found is not None and found.state == "given_up":
            return ChannelTest(channel=name, delivered=False, detail=found.error)
        if waited >= WAIT_S:
            break
        alerting.wait(_LOOK_S)
        waited += _LOOK_S
    nobody = "no collector with the role alerts runs" if not alerting.deliverer() else "it may still arrive"
    return ChannelTest(channel=name, delivered=False, detail=f"not sent within {WAIT_S:g} s: {nobody}")
