"""From a channel's configuration to what sends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from spanwise_collector.alerts.channels.addresses import Network
from spanwise_collector.alerts.channels.config import (
    AppriseConfig,
    ChannelConfig,
    EmailConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from spanwise_collector.alerts.channels.http import Poster, check_url
from spanwise_collector.alerts.channels.mail import Mail
from spanwise_collector.alerts.channels.message import Sender, SendError
from spanwise_collector.alerts.channels.pagerduty import EVENTS_URL, PagerDuty
from spanwise_collector.alerts.channels.secrets import Secret
from spanwise_collector.alerts.channels.slack import Slack
from spanwise_collector.alerts.channels.through_apprise import Apprise
from spanwise_collector.alerts.channels.webhook import Webhook
from spanwise_collector.alerts.outbox import Recipient

_ONE_BY_ONE: Final = frozenset({"pagerduty"})
_PAGER_SKIPS: Final = frozenset({"digest"})
_PAGER_ONLY: Final = frozenset({"acknowledged"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What channels use of the process.

    Attributes:
        environ: where secrets are.
        allowed: private networks that HTTP may reach.
        now: the time of day, UTC.
    """

    environ: Mapping[str, str]
    allowed: Sequence[Network]
    now: Callable[[], datetime]


def open_channel(config: ChannelConfig, around: Surroundings) -> Sender:
    """What sends to a channel; secrets are read when it does."""
    poster = Poster(around.allowed)
    match config:
        case WebhookConfig():
            url = (lambda: config.url) if config.url else _secret_url(config.url_env, config.url_file, around)
            return Webhook(url, Secret(config.secret_env, config.secret_file, around.environ), poster, around.now)
        case SlackConfig():
            return Slack(_secret_url(config.url_env, config.url_file, around), poster)
        case PagerDutyConfig():
            key = Secret(config.routing_key_env, config.routing_key_file, around.environ)
            return PagerDuty(lambda: config.url or EVENTS_URL, key, poster)
        case EmailConfig():
            return Mail(
                host=config.host,
                port=config.port,
                security=config.security,
                username=config.username,
                password=Secret(config.password_env, config.password_file, around.environ),
                sender=config.from_,
                to=config.to,
            )
        case AppriseConfig():
            return Apprise(Secret(config.url_env, config.url_file, around.environ).read)


def recipient(config: ChannelConfig) -> Recipient:
    """What choosing channels needs to know of one."""
    is_pager = config.type == "pagerduty"
    return Recipient(
        config.name,
        frozenset(config.severities),
        skips=_PAGER_SKIPS if is_pager else frozenset(),
        only=_PAGER_ONLY if is_pager else frozenset(),
    )


def is_grouped(config: ChannelConfig) -> bool:
    """Whether it takes several notices in one message."""
    return config.type not in _ONE_BY_ONE


def target(config: ChannelConfig) -> str:
    """Where it goes, as far as it may be shown: hosts, mail addresses, names of secrets; never a path or a secret."""
    match config:
        case WebhookConfig(url=url) if url:
            return httpx.URL(url).host
        case WebhookConfig() | SlackConfig() | AppriseConfig():
            return config.url_env or config.url_file
        case PagerDutyConfig():
            return config.routing_key_env or config.routing_key_file
        case EmailConfig():
            return ", ".join(config.to)


def _secret_url(env: str, file: str, around: Surroundings) -> Callable[[], str]:
    secret = Secret(env, file, around.environ)

    def read() -> str:
        try:
            return check_url(secret.read())
        except ValueError as error:
            raise SendError(f"what {env or file} holds is no address of a webhook: {error}") from None

    return read
