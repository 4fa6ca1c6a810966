"""Every error persona raises, named for what the caller can do next.

    PersonaError
    ├── MisuseError            the call itself is wrong; change the call
    │   ├── SettingsError          persona.toml or the environment says something impossible
    │   ├── InvalidInput           empty, too large, or not text
    │   ├── NotFound               no such conversation, message or route for this user
    │   │   └── Erased                 it was there, and was erased while the call ran
    │   ├── IdempotencyMismatch    the key was used for another text or conversation
    │   ├── WindowTooSmall         what must be sent does not fit the budget
    │   ├── EmbedderMismatch       vectors of another embedder or dimension
    │   ├── TuningClosed           nothing can be trained there any more, or nobody would serve it
    │   ├── TooExpensive           the estimate is above the limit that was given, or unknown
    │   ├── WeightsDiffer          models that were to be merged are not of one base
    │   └── AdapterMissing         no installed adapter offers what the settings ask for
    ├── BusyError              try again a little later
    │   ├── ConversationBusy       another turn holds the conversation
    │   └── TurnInProgress         the same idempotency key is being answered
    ├── StoreError             the database
    │   ├── StoreBusy              locked by someone else for too long
    │   ├── StoreFull              no room left
    │   ├── StoreReadOnly          cannot be written
    │   ├── StoreCorrupt           not a database any more
    │   ├── StoreUnavailable       cannot be opened or reached
    │   └── SchemaOutOfDate        needs `persona db upgrade`
    ├── ProviderError          the model's side; `retryable` says whether again may help
    │   ├── AuthenticationFailed   the key is missing, wrong or revoked
    │   ├── PermissionDenied       the key may not do this
    │   ├── ModelNotFound          no such model at this provider
    │   ├── BadRequest             the provider refuses the request as it stands
    │   ├── ContextTooLong         more tokens than the model takes
    │   ├── Refused                stopped by the provider's safety rules
    │   ├── RateLimited            too many requests; see `retry_after_s`
    │   ├── Overloaded             the provider has no capacity now
    │   ├── ProviderUnavailable    an error on the provider's side
    │   ├── ConnectionFailed       the provider was not reached
    │   ├── TimedOut               no answer in time
    │   ├── BadReply               a body that is not what the protocol says
    │   └── StreamCut              the stream ended without its stop reason; `text` holds what came
    ├── LimitReached           a limit of the settings is used up; see `retry_after_s`
    ├── DatasetError           a dataset could not be made or read
    │   ├── SplitLeaks             the same user, or the same example, would lie on two sides of the split
    │   ├── NothingLeft            no example is left to write
    │   ├── DatasetChanged         its files are not what its manifest says
    │   └── NoRoom                 the disk is full; what is done stays, and the same call goes on
    ├── ToolLoopExceeded       the model kept calling tools past the limit
    ├── InvalidAnswer          the reply is not the answer that was asked for; `problems` says why
    ├── NotPromoted            a gate stands against serving an arm; `reasons` says why
    ├── TurnCancelled          the turn was cancelled by its caller
    └── ScriptError            a scripted model of a test was used differently from its script

Every error has a `hint` (what to do next) and says whether the same call may succeed later (`retryable`).
No message holds a key, a prompt or a reply.
"""

from typing import ClassVar


class PersonaError(Exception):
    """The root of everything persona raises."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.hint = hint or message


class MisuseError(PersonaError):
    """The call itself is wrong: the same call will fail again."""


class SettingsError(MisuseError):
    """The settings say something impossible; the message names the key."""


class InvalidInput(MisuseError):
    """The text is empty, too large, or not valid Unicode."""


class NotFound(MisuseError):
    """No such thing for this user; what belongs to somebody else looks the same."""


class Erased(NotFound):
    """What the call was about was erased, or pruned, while it ran; nothing of the call was kept."""


class IdempotencyMismatch(MisuseError):
    """The idempotency key was used before, for another text or in another conversation."""


class WindowTooSmall(MisuseError):
    """What must be sent does not fit the budget; the message holds the arithmetic."""


class EmbedderMismatch(MisuseError):
    """An embedder gave vectors of another dimension than it declared, or than are stored."""


class TuningClosed(MisuseError):
    """The backend trains no such model (any more), or nobody would serve it; the message says what to do instead."""


class TooExpensive(MisuseError):
    """What the run is expected to cost is above the limit that was given, or unknown; nothing was uploaded."""


class WeightsDiffer(MisuseError):
    """Models that were to be merged are not of one base: the message names the tensor that does not match."""


class AdapterMissing(MisuseError):
    """No installed adapter offers what the settings ask for."""


class BusyError(PersonaError):
    """Somebody else is at it: the same call may succeed a little later."""

    retryable = True


class ConversationBusy(BusyError):
    """Another turn holds the conversation; no model was called."""


class TurnInProgress(BusyError):
    """The turn with this idempotency key is still being answered elsewhere."""


class StoreError(PersonaError):
    """The database could not do what was asked; nothing half-done was kept.

    `uncertain` when it may have been done all the same: the connection was lost before the answer to COMMIT.
    """

    uncertain = False


class StoreBusy(StoreError):
    """The database stayed locked past the time-out."""

    retryable = True


class StoreFull(StoreError):
    """There is no room left for the database."""


class StoreReadOnly(StoreError):
    """The database cannot be written."""


class StoreCorrupt(StoreError):
    """The file is damaged or is no database."""


class StoreUnavailable(StoreError):
    """The database cannot be opened or reached."""

    retryable = True


class SchemaOutOfDate(StoreError):
    """The database was made by another version of persona."""


class ProviderError(PersonaError):
    """The provider did not give a reply. `target` is written `provider:model`; `status` is the HTTP status or None."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        target: str = "",
        status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.target = target
        self.status = status
        self.request_id = request_id


class AuthenticationFailed(ProviderError):
    """The key is missing, wrong or revoked."""


class PermissionDenied(ProviderError):
    """The key is good but may not do this."""


class ModelNotFound(ProviderError):
    """The provider knows no such model."""


class BadRequest(ProviderError):
    """The provider refuses the request as it stands."""


class ContextTooLong(ProviderError):
    """The provider counted more tokens than the model takes."""


class Refused(ProviderError):
    """The provider's safety rules stopped the request or the reply."""


class RateLimited(ProviderError):
    """Too many requests or tokens; `retry_after_s` is what the provider asked for, or None."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        target: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, target=target, status=status, request_id=request_id)
        self.retry_after_s = retry_after_s


class Overloaded(RateLimited):
    """The provider has no capacity at the moment."""


class ProviderUnavailable(ProviderError):
    """Something failed on the provider's side."""

    retryable = True


class ConnectionFailed(ProviderError):
    """The provider could not be reached, or hung up."""

    retryable = True


class TimedOut(ProviderError):
    """No complete answer came in time."""

    retryable = True


class BadReply(ProviderError):
    """The answer is not what the protocol says: truncated, empty, or not JSON."""

    retryable = True


class StreamCut(ProviderError):
    """The stream ended without its stop reason; `text` is what had arrived, and is not a reply."""

    retryable = True

    def __init__(self, message: str, *, hint: str = "", target: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint, target=target)
        self.text = text


class LimitReached(PersonaError):
    """A limit of the settings is used up, so no model was called; it begins anew in `retry_after_s` seconds."""

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class DatasetError(PersonaError):
    """A dataset could not be made, or is not what it should be; nothing half-done stands in its place."""


class SplitLeaks(DatasetError):
    """The audit found a user, or examples that are alike, on two sides of the split."""


class NothingLeft(DatasetError):
    """No example is left to write; the message says which checks took them out."""


class DatasetChanged(DatasetError):
    """The files of a dataset are missing, or are not what its manifest says."""


class NoRoom(DatasetError):
    """There is no room left on the disk. What is done stays, and the same call goes on from there."""

    retryable = True


class ToolLoopExceeded(PersonaError):
    """The model kept calling tools past the route's limit."""


class InvalidAnswer(PersonaError):
    """The reply does not fit the pydantic model that was asked for, and did not when the model was asked again.

    `text` is what it said last, and is not a reply; `problems` are what is wrong with it, one of each field.
    """

    def __init__(self, message: str, *, hint: str = "", text: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.problems = problems


class NotPromoted(PersonaError):
    """What is known of an arm does not let it serve; `reasons` are what stands against it, in words."""

    def __init__(self, message: str, *, hint: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.reasons = reasons


class TurnCancelled(PersonaError):
    """The turn was cancelled; the log says so."""


class ScriptError(MisuseError):
    """A scripted model was asked for more, or for less, than its script holds."""
