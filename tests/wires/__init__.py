"""The providers that the behaviour suite plays, one module each."""

from wires.anthropic import AnthropicWire
from wires.google import GoogleWire
from wires.openai import AZURE, AZURE_V1, OpenAIWire
from wires.shape import Wire

WIRES: tuple[Wire, ...] = (OpenAIWire(), AZURE, AnthropicWire(), GoogleWire())
"""Each format with its way of asking and refusing."""

LANES: tuple[Wire, ...] = (*WIRES, AZURE_V1)
"""The same, and what differs from one of them by its address alone: for whole turns."""
