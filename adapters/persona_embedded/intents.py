"""What a sentence is for, by its form alone: to ask, to greet, to thank, to know who answers."""

import re

from persona.values.words import fold, terms, tokens

_READ = 300  # characters: a greeting or a question about the responder is short
_KEYWORDS = 4

_COURTESY = r"(?:(?:bonjour|bonsoir|salut|hello|hi|hey|et|and|ok|alors|so|please|euh|donc|mais|but)\b[\s,!.:]*)*"
_FRENCH = (
    r"qui\b|que\b|qu'|quoi\b|quand\b|où\b|ou (?:est|sont|se|puis|je|peut)\b|comment\b|combien\b|pourquoi\b|"
    r"quels?\b|quelles?\b|est-ce\b|(?:à|a|de|en|pour|par|avec|chez|sur|dans) (?:qui|quoi|quels?|quelles?)\b|"
    r"(?:c'est|ça fait) (?:qui|quoi|quand|où|combien)\b|y a-t-il\b|"
    r"\w{1,20}-(?:t-)?(?:je|tu|il|elle|on|nous|vous|ils|elles)\b"
)
_ENGLISH = (
    r"who\b|whose\b|what\b|whats\b|when\b|where\b|why\b|how\b|which\b|"
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|may) "
    r"(?:i|you|he|she|it|we|they|the|a|an|my|your|his|her|our|their|there|this|that|these|any)\b"
)
_ORDER = (
    r"(?:dis|dites|rappelle|rappelez|donne|donnez|montre|montrez|parle|parlez|raconte|racontez)-"
    r"(?:moi|nous)\b|(?:explique|cherche|trouve|liste|écris|traduis|résume|décris|calcule)z?\b|"
    r"(?:tell|remind|give|show) (?:me|us)\b|"
    r"(?:explain|find|list|write|translate|summari[sz]e|describe|compute)\b"
)
_QUESTION = re.compile(_COURTESY + f"(?:{_FRENCH}|{_ENGLISH})")
_ORDERS = re.compile(_COURTESY + f"(?:{_ORDER})")
_ASIDE = re.compile(_COURTESY + r"(?:quand|when|qui|où)\b[^,]{1,200},")
_QUESTION_MARK = re.compile(r"[?？؟][\s»”’\")\]!.…]*$")

_HELLO = (
    "bonjour|bonsoir|salut|coucou|hello|hi|hey|yo|good (?:morning|evening|afternoon)|"
    "(?:comment )?ca va|comment (?:vas tu|allez vous)|how are you(?: doing)?"
)
_GREETING = re.compile(rf"(?:(?:{_HELLO})(?: (?:a tous|there|toi|vous|bot|assistant|persona))?\s?)+")
_THANKS = re.compile(r"(?:merci|thanks|thank you|thx)(?: (?:beaucoup|bien|infiniment|a lot|so much|very much))?")
_MACHINE = (
    "ia|ai|bot|robot|chatbot|humain|humaine|human|person|personne|machine|modele(?: de langage)?|"
    "language model|llm|programme|program|assistant|real|reel|chatgpt|gpt"
)
_IDENTITY = re.compile(
    r"\b(?:qui (?:es tu|etes vous|t es|tu es|vous etes)|(?:tu es|t es|vous etes) (?:qui|quoi)|"
    rf"(?:es tu|etes vous|tu es|vous etes|t es) (?:une? |vraiment |le |un vrai )*(?:{_MACHINE})|"
    r"qu es tu|qu etes vous|quel est (?:ton|votre) nom|"
    r"comment (?:t appelles tu|tu t appelles|vous appelez vous|vous vous appelez)|"
    r"(?:que|qu est ce que) (?:sais tu|savez vous|peux tu|pouvez vous|tu sais|tu peux|vous pouvez) faire|"
    r"quel modele (?:es tu|etes vous|utilises tu|utilisez vous)|"
    rf"who are you|what are you$|are you (?:an? |the )?(?:real )?(?:{_MACHINE})|what s your name|"
    r"what is your name|what can you do|(?:what|which) model (?:are you|is this|do you use))\b"
)
_ABOUT_ME = re.compile(
    r"(?:sur|de) moi$|mon profil$|qui suis je|about me$|know me$|my profile$|who am i|about myself$|"
    r"remember of me$"
)


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, or an order to tell something; such a sentence is never a fact."""
    tail, head = sentence[-12:].rstrip(), sentence[:_READ].casefold().replace("’", "'")
    if _QUESTION_MARK.search(tail) or _ORDERS.match(head):
        return True
    return not tail.endswith((".", "!", "…")) and not {",", ":"} & set(sentence) and bool(_QUESTION.match(head))


def wants(sentence: str) -> bool:
    """Whether the user expects an answer to this sentence: as `asks`, and questions without their mark."""
    head = sentence[:_READ].casefold().replace("’", "'")
    return asks(sentence) or (bool(_QUESTION.match(head)) and not _ASIDE.match(head))


def searches(text: str) -> bool:
    """Whether `text` is a few keywords, as one types into a search box."""
    words = tokens(text[:_READ])
    return 0 < len(words) <= _KEYWORDS and len(terms(text[:_READ])) == len(words) and text[-1].isalnum()


def greets(text: str) -> bool:
    """Whether `text` is a greeting and nothing else."""
    return bool(_GREETING.fullmatch(_bare(text)))


def thanks(text: str) -> bool:
    """Whether `text` is a thank-you and nothing else."""
    return bool(_THANKS.fullmatch(_bare(text)))


def asks_who_answers(text: str) -> bool:
    """Whether `text` asks what the responder is or can do."""
    return len(text) <= _READ and bool(_IDENTITY.search(_bare(text)))


def asks_about_self(text: str) -> bool:
    """Whether `text` asks for everything that is known about the user."""
    return len(text) <= _READ and bool(_ABOUT_ME.search(_bare(text)))


def _bare(text: str) -> str:
    if len(text) > _READ:
        return ""
    return " ".join(re.findall(r"\w+", fold(text.casefold().replace("_", " "))))
