"""What the words before a number say that it is."""

import re
from functools import lru_cache

from persona.harvest.personal.words import words

REACH = 56  # characters before a number that are read

_WORD = re.compile(r"[^\W_]+|[#°§,;!?\n\x00]")
_PHONE = frozenset(
    words("""
        tel tél fixe fax sms whatsapp signal portable mobil mobile cell cellular cellulaire ring dial call calls
        calling called callback reach reachable reached joindre hotline landline texted handy""")
)
_PHONE_STARTS = (
    *("phone", "télép", "telep", "telef", "handynum", "rückruf", "ruf", "anruf", "erreich", "festnetz", "contact"),
    *("appel", "rappel", "joign"),
)
_NUMBER = frozenset({"number", "numéro", "numero", "num", "no", "nummer", "line", "06", "07"})
_WHOSE = frozenset(
    words("""
        my mon ton son votre notre your his her our their mein meine ihre s the""")
)
_TO_WHOM = frozenset({"me", "him", "her", "us", "them"})
_BE = frozenset({"is", "est", "ist"})
_OTHER = frozenset(
    words("""
        order orders commande commandes bestellung bestellnummer invoice invoices facture factures rechnung ref refs
        reference references référence références réf tracking suivi colis parcel parcels shipment shipments sendung
        sendungsnummer ticket tickets case cases dossier dossiers incident incidents serial série imei isbn issn doi
        ean upc gtin asin sku part parts model modèle article articles artikel item items product products produit
        produits version versions release build patch firmware driver kernel section chapter chapitre clause account
        accounts compte konto contract contracts contrat policy police customer customers client clients kunde
        kunden kundennummer member members membre student employee booking réservation reservation pnr siret siren
        tva vat rcs duns timestamp timestamps epoch unix hash commit transaction payment paiement batch lot barcode
        patent brevet id ids identifier identifiant pin port row ligne line page pages range between from # §""")
)
_FILLERS = frozenset(
    words("""
        number numbers no n nos num numéro numéros numero nummer code id is est was of de du the le la your votre my
        ma mon ° time barres""")
)
_STEPS = 5  # words that are looked back
# what may stand before a number on its line where the line answers somebody who asked
_ANSWERS = frozenset(
    words("""
        yes yeah yep sure ok okay of course certainly it is its it's s here you go this that's that the my mine new best
        please thanks thank try use on at or and also again oui c est voici voilà le la mon bien sûr sur au merci ja
        gern gerne klar hier bitte unter die meine ist danke , ! ;""")
)
_MOST_BEFORE = 6
_ENDS = re.compile(r"\s*(?:please|thanks|thank you|merci|svp|bitte|danke)?\s*(?:[,.;!)\n\x00]|$)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _before(text: str, start: int) -> list[str]:
    """The words shortly before a number; asked for twice in a row."""
    return _WORD.findall(text[max(0, start - REACH) : start].lower())


def speaks_of_a_phone(text: str, start: int) -> bool:
    """Whether the words shortly before say that a phone number comes."""
    words = _before(text, start)
    for at, word in enumerate(words):
        if word in _PHONE or word.startswith(_PHONE_STARTS):
            return True
        before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
        if word in _NUMBER and (before in _WHOSE or after in _BE):
            return True
        if word in _TO_WHOM and before in ("text", "message"):
            return True
    return False


def is_something_else(text: str, start: int) -> bool:
    """Whether the number is named, right before, as an order, a version, a serial number and the like."""
    words = _before(text, start)
    if words and words[-1] in "#,":
        words = words[:-1]
    for word in words[: -_STEPS - 1 : -1]:
        if word in _OTHER:
            return True
        if word not in _FILLERS and not (word.isdigit() and len(word) < 3):
            return False
    return False


def is_an_answer(text: str, start: int, end: int) -> bool:
    """Whether a number has its clause to itself but for words of answering, and nothing else was asked for."""
    if not _ENDS.match(text, end):
        return False
    begin = max(text.rfind("\n", 0, start), text.rfind("\x00", 0, start)) + 1
    words = _WORD.findall(text[max(begin, start - REACH) : start].lower())
    if len(words) > _MOST_BEFORE or not _ANSWERS.issuperset(words):
        return False
    return _OTHER.isdisjoint(_WORD.findall(text[max(0, begin - REACH) : begin].lower()))
