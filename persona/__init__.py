"""persona: chat assistants that remember each user, and get better from their own logs.

Importing this does no work: each name is loaded from its room when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona.assistant.asynchronous import (
        AsyncAssistant,
    )
    from persona.assistant.conversation import (
        AsyncConversation,
    )
    from persona.assistant.jobs import (
        AsyncJobs,
        Jobs,
    )
    from persona.assistant.knowledge import (
        AsyncKnowledge,
        Knowledge,
    )
    from persona.assistant.stream import (
        AsyncTurnStream,
    )
    from persona.assistant.synchronous import (
        Assistant,
        Conversation,
        TurnStream,
        User,
    )
    from persona.assistant.user import (
        AsyncUser,
    )
    from persona.errors import (
        AdapterMissing,
        AuthenticationFailed,
        BadReply,
        BadRequest,
        BusyError,
        ConnectionFailed,
        ContextTooLong,
        ConversationBusy,
        DatasetChanged,
        DatasetError,
        EmbedderMismatch,
        Erased,
        IdempotencyMismatch,
        InvalidAnswer,
        InvalidInput,
        LimitReached,
        MisuseError,
        ModelNotFound,
        NoRoom,
        NotFound,
        NothingLeft,
        NotPromoted,
        Overloaded,
        PermissionDenied,
        PersonaError,
        ProviderError,
        ProviderUnavailable,
        RateLimited,
        Refused,
        SchemaOutOfDate,
        ScriptError,
        SettingsError,
        SplitLeaks,
        StoreBusy,
        StoreCorrupt,
        StoreError,
        StoreFull,
        StoreReadOnly,
        StoreUnavailable,
        StreamCut,
        TimedOut,
        TooExpensive,
        ToolLoopExceeded,
        TuningClosed,
        TurnCancelled,
        TurnInProgress,
        WeightsDiffer,
        WindowTooSmall,
    )
    from persona.settings.schema import (
        Settings,
    )
    from persona.tuning.alarm import (
        Alarm,
    )
    from persona.tuning.ending import (
        Cleaned,
        Idle,
    )
    from persona.tuning.following import (
        Seen,
    )
    from persona.tuning.merging import (
        MergeOrder,
    )
    from persona.tuning.prepare import (
        Prepared,
        TuningOrder,
    )
    from persona.values.document import (
        DocumentChange,
        DocumentEntry,
        KnowledgeHit,
        KnowledgeReport,
    )
    from persona.values.memory import (
        Fact,
        Recalled,
        Source,
    )
    from persona.values.message import (
        Image,
        Message,
        Text,
        ToolCall,
        ToolResult,
    )
    from persona.values.plan import (
        Plan,
    )
    from persona.values.privacy import (
        Consent,
        Exported,
        Finding,
        Merged,
        Receipt,
        UserEntry,
    )
    from persona.values.request import (
        TextDelta,
        Usage,
    )
    from persona.values.tuning import (
        Estimate,
        Job,
        LossPoint,
        Progress,
    )
    from persona.values.turn import (
        AnswerRejected,
        ConversationEntry,
        Cost,
        Event,
        Page,
        Reply,
        ToolFinished,
        ToolStarted,
    )

__version__ = "0.1.0"

_ROOMS = {
    "persona.assistant.asynchronous": ("AsyncAssistant",),
    "persona.assistant.conversation": ("AsyncConversation",),
    "persona.assistant.jobs": ("AsyncJobs", "Jobs"),
    "persona.assistant.knowledge": ("AsyncKnowledge", "Knowledge"),
    "persona.assistant.stream": ("AsyncTurnStream",),
    "persona.assistant.synchronous": ("Assistant", "Conversation", "TurnStream", "User"),
    "persona.assistant.user": ("AsyncUser",),
    "persona.errors": (
        "AdapterMissing",
        "AuthenticationFailed",
        "BadReply",
        "BadRequest",
        "BusyError",
        "ConnectionFailed",
        "ContextTooLong",
        "ConversationBusy",
        "DatasetChanged",
        "DatasetError",
        "EmbedderMismatch",
        "Erased",
        "IdempotencyMismatch",
        "InvalidAnswer",
        "InvalidInput",
        "LimitReached",
        "MisuseError",
        "ModelNotFound",
        "NoRoom",
        "NotFound",
        "NothingLeft",
        "NotPromoted",
        "Overloaded",
        "PermissionDenied",
        "PersonaError",
        "ProviderError",
        "ProviderUnavailable",
        "RateLimited",
        "Refused",
        "SchemaOutOfDate",
        "ScriptError",
        "SettingsError",
        "SplitLeaks",
        "StoreBusy",
        "StoreCorrupt",
        "StoreError",
        "StoreFull",
        "StoreReadOnly",
        "StoreUnavailable",
        "StreamCut",
        "TimedOut",
        "TooExpensive",
        "ToolLoopExceeded",
        "TuningClosed",
        "TurnCancelled",
        "TurnInProgress",
        "WeightsDiffer",
        "WindowTooSmall",
    ),
    "persona.settings.schema": ("Settings",),
    "persona.tuning.alarm": ("Alarm",),
    "persona.tuning.ending": ("Cleaned", "Idle"),
    "persona.tuning.following": ("Seen",),
    "persona.tuning.merging": ("MergeOrder",),
    "persona.tuning.prepare": ("Prepared", "TuningOrder"),
    "persona.values.document": ("DocumentChange", "DocumentEntry", "KnowledgeHit", "KnowledgeReport"),
    "persona.values.memory": ("Fact", "Recalled", "Source"),
    "persona.values.message": ("Image", "Message", "Text", "ToolCall", "ToolResult"),
    "persona.values.plan": ("Plan",),
    "persona.values.privacy": ("Consent", "Exported", "Finding", "Merged", "Receipt", "UserEntry"),
    "persona.values.request": ("TextDelta", "Usage"),
    "persona.values.tuning": ("Estimate", "Job", "LossPoint", "Progress"),
    "persona.values.turn": (
        "AnswerRejected",
        "ConversationEntry",
        "Cost",
        "Event",
        "Page",
        "Reply",
        "ToolFinished",
        "ToolStarted",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "AdapterMissing",
    "Alarm",
    "AnswerRejected",
    "Assistant",
    "AsyncAssistant",
    "AsyncConversation",
    "AsyncJobs",
    "AsyncKnowledge",
    "AsyncTurnStream",
    "AsyncUser",
    "AuthenticationFailed",
    "BadReply",
    "BadRequest",
    "BusyError",
    "Cleaned",
    "ConnectionFailed",
    "Consent",
    "ContextTooLong",
    "Conversation",
    "ConversationBusy",
    "ConversationEntry",
    "Cost",
    "DatasetChanged",
    "DatasetError",
    "DocumentChange",
    "DocumentEntry",
    "EmbedderMismatch",
    "Erased",
    "Estimate",
    "Event",
    "Exported",
    "Fact",
    "Finding",
    "IdempotencyMismatch",
    "Idle",
    "Image",
    "InvalidAnswer",
    "InvalidInput",
    "Job",
    "Jobs",
    "Knowledge",
    "KnowledgeHit",
    "KnowledgeReport",
    "LimitReached",
    "LossPoint",
    "MergeOrder",
    "Merged",
    "Message",
    "MisuseError",
    "ModelNotFound",
    "NoRoom",
    "NotFound",
    "NotPromoted",
    "NothingLeft",
    "Overloaded",
    "Page",
    "PermissionDenied",
    "PersonaError",
    "Plan",
    "Prepared",
    "Progress",
    "ProviderError",
    "ProviderUnavailable",
    "RateLimited",
    "Recalled",
    "Receipt",
    "Refused",
    "Reply",
    "SchemaOutOfDate",
    "ScriptError",
    "Seen",
    "Settings",
    "SettingsError",
    "Source",
    "SplitLeaks",
    "StoreBusy",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "StreamCut",
    "Text",
    "TextDelta",
    "TimedOut",
    "TooExpensive",
    "ToolCall",
    "ToolFinished",
    "ToolLoopExceeded",
    "ToolResult",
    "ToolStarted",
    "TuningClosed",
    "TuningOrder",
    "TurnCancelled",
    "TurnInProgress",
    "TurnStream",
    "Usage",
    "User",
    "UserEntry",
    "WeightsDiffer",
    "WindowTooSmall",
]


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'persona' has no attribute {name!r}")
    value = getattr(import_module(_ROOM_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
