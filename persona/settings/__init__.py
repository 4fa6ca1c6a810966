"""persona.toml and the environment, read once into one typed, frozen object."""

from persona.settings.load import load
from persona.settings.schema import Settings

__all__ = ["Settings", "load"]
