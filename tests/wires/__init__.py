"""The providers that the behaviour suite plays, one module each."""

from wires.anthropic import AnthropicWire
from wires.google import GoogleWire
from wires.openai import OpenAIWire
from wires.shape import Wire

WIRES: tuple[Wire, ...] = (OpenAIWire(), AnthropicWire(), GoogleWire())
