"""`[[channels]]` of the alerts file: one model per type. Secrets are named there, never written."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from spanwise_collector.alerts.channels.http import check_url
from spanwise_collector.alerts.channels.mail import Security, check_address
from spanwise_schemas.rules import Severity


def _url_or_none(text: str) -> str:
    return check_url(text) if text else ""


Url = Annotated[str, AfterValidator(_url_or_none)]
MailAddress = Annotated[str, AfterValidator(check_address)]
_EVERY: Final[tuple[Severity, ...]] = ("page", "ticket", "info")


class Base(BaseModel):
    """What every channel has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    secrets: ClassVar[tuple[str, ...]] = ()
    """Names of which `<name>_env` or `<name>_file` says where the secret is."""
    required: ClassVar[tuple[str, ...]] = ()
    """Those of them that must be given."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$", description="Lower-case letters, digits, - and _; unique.")
    severities: tuple[Severity, ...] = Field(
        _EVERY, min_length=1, description="What it takes of rules that name no channels."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        for name in self.secrets:
            env, file = getattr(self, f"{name}_env"), getattr(self, f"{name}_file")
            if env and file:
                raise ValueError(f"give one of `{name}_env` and `{name}_file`")
            if name in self.required and not (env or file or getattr(self, name, "")):
                or_plain = f"`{name}`, " if name in type(self).model_fields else ""
                raise ValueError(
                    f"give {or_plain}`{name}_env` (name of an environment variable) or `{name}_file` (path of a file)"
                )
        return self


class WebhookConfig(Base):
    """JSON to an address of yours."""

    secrets: ClassVar[tuple[str, ...]] = ("url", "secret")
    required: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["webhook"]
    url: Url = Field("", description="Where to post; `url_env` or `url_file` where it is a secret.")
    url_env: str = ""
    url_file: str = ""
    secret_env: str = Field("", description="Environment variable with what requests are signed with.")
    secret_file: str = ""


class SlackConfig(Base):
    """A Slack incoming webhook."""

    secrets: ClassVar[tuple[str, ...]] = ("url",)
    required: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["slack"]
    url_env: str = Field("", description="Environment variable with the address of the incoming webhook.")
    url_file: str = ""


class PagerDutyConfig(Base):
    """A PagerDuty service."""

    secrets: ClassVar[tuple[str, ...]] = ("routing_key",)
    required: ClassVar[tuple[str, ...]] = ("routing_key",)

    type: Literal["pagerduty"]
    severities: tuple[Severity, ...] = Field(
        ("page",), min_length=1, description="What it takes of rules that name no channels."
    )
    routing_key_env: str = Field("", description="Environment variable with the integration key (Events API v2).")
    routing_key_file: str = ""
    url: Url = Field("", description="Of the Events API where it is another region's.")


class EmailConfig(Base):
    """Mail over SMTP."""

    secrets: ClassVar[tuple[str, ...]] = ("password",)

    type: Literal["email"]
    host: str = Field(min_length=1, description="SMTP server.")
    port: int = Field(587, ge=1, le=65535)
    security: Security = Field("starttls", description="`starttls`, `tls` (port 465) or `none`.")
    username: str = ""
    password_env: str = Field("", description="Environment variable with the password.")
    password_file: str = ""
    from_: MailAddress = Field(alias="from", description="Sender, such as Spanwise <alerts@example.com>.")
    to: tuple[MailAddress, ...] = Field(min_length=1, description="List of addresses.")

    @model_validator(mode="after")
    def _login(self) -> Self:
        if bool(self.username) != bool(self.password_env or self.password_file):
            raise ValueError("a login needs `username` and one of `password_env` and `password_file`")
        if self.username and self.security == "none":
            raise ValueError('a password is sent over an encrypted connection only: `security = "starttls"` or "tls"')
        return self


class AppriseConfig(Base):
    """A service that apprise knows; needs `pip install 'spanwise[apprise]'`."""

    secrets: ClassVar[tuple[str, ...]] = ("url",)
    required: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["apprise"]
    url_env: str = Field("", description="Environment variable with apprise's address of the service.")
    url_file: str = ""


ChannelConfig = Annotated[
    WebhookConfig | SlackConfig | PagerDutyConfig | EmailConfig | AppriseConfig, Field(discriminator="type")
]
"""Any channel, told apart by its `type`."""
CHANNEL: Final[TypeAdapter[ChannelConfig]] = TypeAdapter(ChannelConfig)
CONFIGS: Final[dict[str, type[Base]]] = {
    "webhook": WebhookConfig,
    "slack": SlackConfig,
    "pagerduty": PagerDutyConfig,
    "email": EmailConfig,
    "apprise": AppriseConfig,
}
