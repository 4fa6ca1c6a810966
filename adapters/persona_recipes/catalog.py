"""What is known of the tools: which forms of dataset they read, and what a person should know before."""

from persona.values.tuning import Method, TuningCard

_CHECKED = "2026-11-21"
_NOTE = "nothing is run: the dataset, a config and the command are written into the job's folder"

_TOOLS: dict[str, tuple[tuple[Method, ...], str, str, str]] = {
    "autotrain": (
        ("sft", "dpo"),
        "autotrain",
        "autotrain-preference",
        "huggingface.co/docs/autotrain, and its code, 0.8.36 (its last release)",
    ),
    "axolotl": (("sft", "dpo"), "trl", "trl-preference", "docs.axolotl.ai, config reference, and its code, 0.19.0"),
    "litgpt": (("sft",), "alpaca", "", "LitGPT's tutorials (finetune, prepare dataset), and its code, 0.5.13"),
    "notebook": (("sft", "dpo"), "trl-prompt-completion", "trl-preference", "nbformat 4.5"),
}


def card(tool: str, model: str) -> TuningCard | None:
    """What is known of tuning any model with a tool; None where the tool is another one."""
    if tool not in _TOOLS:
        return None
    methods, form, preferences, source = _TOOLS[tool]
    return TuningCard(model, methods, form, preferences, idle_price=0.0, source=source, checked=_CHECKED, note=_NOTE)
