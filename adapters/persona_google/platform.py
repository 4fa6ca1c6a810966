"""Where the models are served: the Gemini API with a key, or Vertex in a project of Google Cloud."""

from dataclasses import dataclass

from persona.adapter import Provider, web_address
from persona.errors import ModelNotFound, SettingsError

VENDOR_URL = "https://generativelanguage.googleapis.com"
GLOBAL = "global"
_OPTIONS = ("project", "location", "bucket")
_UNUSABLE = frozenset("?&#% \t\r\n")


@dataclass(frozen=True, slots=True)
class Platform:
    """Vertex when a project is named, else the Gemini API."""

    project: str = ""
    location: str = ""

    @property
    def is_vertex(self) -> bool:
        """Whether the models are asked for in a project of Google Cloud."""
        return bool(self.project)


def platform_of(provider: Provider) -> Platform:
    """The platform that the provider's options name: `project`, and `location` ("global" when left out).

    `bucket` is for tuning alone.

    Raises SettingsError for other options, a location without a project, and a base_url that is none.
    """
    for name in provider.options:
        if name not in _OPTIONS:
            raise SettingsError(
                f"the options of provider {provider.name!r} have {name!r}, which its adapter does not take",
                hint="it takes project and location, for Vertex, and bucket for tuning there",
            )
    project, location = (provider.options.get(name, "").strip() for name in _OPTIONS[:2])
    if location and not project:
        raise SettingsError(
            f"the options of provider {provider.name!r} have a location and no project",
            hint="write project = '…' beside it for Vertex, or leave both out for the Gemini API",
        )
    if provider.base_url:
        web_address(
            provider, provider.base_url, "write it with its scheme and without a version, like https://gateway.example"
        )
    return Platform(project, (location or GLOBAL) if project else "")


def check_model(provider: Provider, platform: Platform, model: str) -> None:
    """Raises ModelNotFound where no request could name the model, or its endpoint is elsewhere."""
    target = f"{provider.name}:{model}"
    if not model or ".." in model or _UNUSABLE.intersection(model):
        raise ModelNotFound(f"{target}: no model is written like that", hint="check the model id", target=target)
    endpoint = model.split("/")
    if endpoint[0] != "projects" or "endpoints" not in endpoint:
        return
    if not platform.is_vertex:
        raise ModelNotFound(
            f"{target}: an endpoint is on Vertex, and this provider is the Gemini API",
            hint="write options = { project = '…', location = '…' } for the provider",
            target=target,
        )
    if endpoint[2:4] != ["locations", platform.location]:
        raise ModelNotFound(
            f"{target}: the endpoint is not in {platform.location!r}, where this provider's requests go",
            hint="write the endpoint's own location into the provider's options",
            target=target,
        )
