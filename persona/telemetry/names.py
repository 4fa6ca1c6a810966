"""The names of the GenAI semantic conventions of OpenTelemetry, and persona's own beside them.

Written out, because the package that holds them marks them all as moved to a repository without a package yet.
Source: opentelemetry-semantic-conventions 0.66b2, 2026-10-29, and the buckets that its metrics' pages advise.
"""

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
CONVERSATION = "gen_ai.conversation.id"
ERROR_TYPE = "error.type"

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_STREAM = "gen_ai.request.stream"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"  # in seconds

USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
"""By the field of `Usage`."""
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - tokens of a model

TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_TYPE = "gen_ai.tool.type"

DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"

INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"

METRIC_DURATION = "gen_ai.client.operation.duration"
METRIC_TOKENS = "gen_ai.client.token.usage"
METRIC_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4**power for power in range(14))

TURN = "persona.turn"
TURN_ID = "persona.turn.id"
REPLY_ID = "persona.reply.id"
REPEATED = "persona.reply.repeated"
ROUTE = "persona.route"
ARM = "persona.arm"
TARGET = "persona.target"
PURPOSE = "persona.purpose"
EXCHANGE_ID = "persona.exchange.id"
ATTEMPT = "persona.attempt"
