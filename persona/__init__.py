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
        ToolLoopExceeded,
        TurnCancelled,
        TurnInProgress,
        WindowTooSmall,
    )
    from persona.settings.schema import (
        Settings,
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
        Merged,
        Receipt,
    )
    from persona.values.request import (
        TextDelta,
        Usage,
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
        "ToolLoopExceeded",
        "TurnCancelled",
        "TurnInProgress",
        "WindowTooSmall",
    ),
    "persona.settings.schema": ("Settings",),
    "persona.values.document": ("DocumentChange", "DocumentEntry", "KnowledgeHit", "KnowledgeReport"),
    "persona.values.memory": ("Fact", "Recalled", "Source"),
    "persona.values.message": ("Image", "Message", "Text", "ToolCall", "ToolResult"),
    "persona.values.plan": ("Plan",),
    "persona.values.privacy": ("Consent", "Exported", "Merged", "Receipt"),
    "persona.values.request": ("TextDelta", "Usage"),
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
    "AnswerRejected",
    "Assistant",
    "AsyncAssistant",
    "AsyncConversation",
    "AsyncKnowledge",
    "AsyncTurnStream",
    "AsyncUser",
    "AuthenticationFailed",
    "BadReply",
    "BadRequest",
    "BusyError",
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
    "Event",
    "Exported",
    "Fact",
    "IdempotencyMismatch",
    "Image",
    "InvalidAnswer",
    "InvalidInput",
    "Knowledge",
    "KnowledgeHit",
    "KnowledgeReport",
    "LimitReached",
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
    "ProviderError",
    "ProviderUnavailable",
    "RateLimited",
    "Recalled",
    "Receipt",
    "Refused",
    "Reply",
    "SchemaOutOfDate",
    "ScriptError",
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
    "ToolCall",
    "ToolFinished",
    "ToolLoopExceeded",
    "ToolResult",
    "ToolStarted",
    "TurnCancelled",
    "TurnInProgress",
    "TurnStream",
    "Usage",
    "User",
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
