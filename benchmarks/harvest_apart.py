"""Sentences with personal data and without, written by hand before anybody who wrote them had read a pattern.

Nothing is mended to fit them. In a sentence `«…»` is what must be gone, `#` a drawn digit and `§` one from 2 to 9;
`{iban}`, `{card}`, `{nir}` and `{ssn}` are drawn with right check digits by `benchmarks.harvest_private`.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import harvest_private as private

_PLANTED = {
    ("phone US", "US"): """
        Ring me on «(415) §##-####» after six, I'm in the workshop until then
        my cell is «§0§-§##-####»
        «312.§##.####» is the best number, leave a message if I don't pick up
        The courier can reach my wife at «+1 617 §##-####».
        Yes, it's «212§######»
        You have «1-800-§##-####» on file but that's my old office, please use «650-§##-####» instead
        text «(§1§)§##-####» when the table is ready
        Call back: «773 §## ####», ext. 14
        if nobody answers try my daughter, «+1(508)§##-####»
        Sure. «9§7-§##-####», ask for Denise
        fax it to «718/§##-####» please
        here you go: «469§##§###»
        whatsapp me «+1720§##§###»
        I changed my number last week, the new one is «503 §##-####».
        «(702) §##-####» (mobile) or «(702) §##-####» (landline), either works
        """,
    ("phone DE", "DE"): """
        Sie erreichen mich tagsüber unter «030 §#######»
        Meine Handynummer ist «0151 §#######»
        bitte rufen Sie mich zurück: «089/§#######»
        Festnetz «0221-§######», abends ab 18 Uhr
        Am besten mobil, «0176/§#######»
        «+49 (0)711 §#####» ist die Nummer der Werkstatt meines Bruders
        Ja gern, «0049 40 §#######»
        Tel. «06221 §####»
        wir wohnen in Hagen, «02331 §####» ist unser Anschluss
        Die Nummer meiner Mutter: «04131-§#####»
        WhatsApp bitte an «+49 172 §######»
        Privat «(0911) §## ## ##», im Büro «(0911) §####-##»
        Schreiben Sie mir eine SMS an die «01577 §######».
        unter «0351 / §## ## ##» geht jemand ran
        Notfallkontakt ist mein Mann, «0160-§#######»
        """,
    ("phone FR", "FR"): """
        Vous pouvez me joindre au «06 §# ## ## ##»
        mon numéro c'est le «07.##.##.##.##»
        «01-4#-##-##-##» aux heures de bureau
        rappelez ma mère au «+33 6 ## ## ## ##»
        Oui, «06########»
        c'est le «04 9# ## ## ##», demandez Sylvie
        par texto au «+336########» ce sera plus simple
        Fixe : «02 3# ## ## ##» / portable : «07 8# ## ## ##»
        le livreur doit appeler «0033 6## ## ## ##» en arrivant
        """,
    ("phone UK", "GB"): """
        You can get me on «07§## ######» most evenings
        it's «020 7### ####», ask for the front desk
        ring «0161 §## ####» and say you're a friend of Tom's
        My mobile: «+44 7§## ######»
        «01865 §#####» is mum's landline
        Yes. «07§########»
        text me on «07§##-###-###»
        """,
    ("email", "US"): """
        Send the invoice to «t.w##@fastmail.com» please
        j'ai changé d'adresse, c'est maintenant «lea_b##@neuf.fr»
        «r.k-##@web.de» ist meine E-Mail
        my login is «marge.s+shop##@me.com»
        cc <«o##n@kettle-lane.co.uk»> on it
        """,
    ("card", "US"): """
        charge it to «{card}», exp 09/27
        ma carte est la «{card}» et elle est refusée
        Kartennummer «{card}», bitte prüfen
        """,
    ("iban", "FR"): """
        remboursez-moi sur «{iban}» svp
        Bitte überweisen Sie auf «{iban}»
        my account is «{iban}», same name as the order
        """,
    ("nir", "FR"): """
        mon numéro de sécu : «{nir}»
        La mutuelle me demande «{nir}», est-ce bien ça ?
        """,
    ("ssn", "US"): """
        my social is «{ssn}»
        They want my SSN, «{ssn}», is it safe to give?
        """,
    ("address", "GB"): """
        I live at «§# Marlborough Road», second floor
        Please deliver it to «1§ Cobden Terrace», Leeds
        my address is «2§# West Maple Street, Springfield»
        Ship to: «4§0 Oak Hollow Drive, Apt #», Austin, TX 787##
        We've moved to «§ Kiln Lane», so send the next one there
        J'habite «1# rue des Tanneurs» à Colmar
        livrez-moi au «§# avenue Jean-Moulin», code 4B##
        mon adresse : «## bis boulevard Carnot, 31000 Toulouse»
        c'est chez moi, «§ impasse des Lilas, 44300 Nantes»
        Ich wohne in der «Lindenstraße §#», 3. Stock
        Bitte liefern Sie an «Am Mühlbach §, 8#331 Freising»
        Meine Adresse lautet «Goethestr. 1#, 50674 Köln»
        «§# Priory Close, Lincoln LN2 5##»
        Unsere neue Anschrift: «Bergweg §#», 79100 Freiburg
        Come round to «1§ Harcourt Avenue» any time after five, I'm home
        """,
    ("birth", "US"): """
        I was born on «0§/1#/198#»
        née le «1#/0§/197#» à Rouen
        Geburtsdatum: «1#.0§.199#»
        my date of birth is «March 1#, 19§#»
        DOB «1#-0§-196#»
        je suis né le «1# mai 19§#»
        geboren am «§. Juli 198#» in Kiel
        """,
    ("key", "US"): """
        it fails with «sk-proj-a§Qw#ErTy§UiOp#AsDf§GhJk#LzXc§VbNm#»
        my password is «Tulip§#mango!» and it still won't let me in
        le mot de passe est «Grenouille§#?» mais ça ne passe pas
        export GITHUB_TOKEN=«ghp_Zx§cVbNmAsDfGhJkLqWeRtYuIoPmNb##§Q»
        """,
}
_CLEAN = """
    Who lives at 10 Downing Street these days?
    What's the story behind 221B Baker Street?
    Is 1600 Pennsylvania Avenue open for tours in §####?
    The Ritz is on place Vendôme, not at 5§ rue de Rivoli
    Le 55 rue du Faubourg-Saint-Honoré se visite-t-il ?
    Our shop is at 1§ Market Street, open from 9 to 6
    Das Museum liegt in der Bodestraße §, gleich neben der Spree
    Wie komme ich zur Oranienburger Straße 2§?
    Is Abbey Road 3 still a studio?
    Dr. Street wrote §# papers on Wall Street in 19§#
    The parade goes from 5§th Street to 8§ Fifth Avenue
    l'expo a lieu au 1§ quai Branly jusqu'en mars
    notre boutique du §# rue Oberkampf ferme à 19 h
    the next bus from §4 High Street leaves at 7.4#
    My order is ########## and it has not shipped
    Order 10########, placed on Monday, arrived broken
    the tracking number is 1Z999AA1012345####
    Suivi 8R########### toujours bloqué
    Sendungsnummer 00340434########6### hängt fest
    article 0§##### is out of stock, do you have 0§#####?
    Artikelnummer 0§###-#### gibt es nur in Blau
    la référence 0§ ## ## ## figure page 1§ du catalogue
    ISBN 978-2-07-03§###-#
    The part is 0§#-###-#### in the Bosch list
    Ticket #§###### was closed without an answer
    invoice 2026-00###, customer ref 00§####
    Rechnung Nr. 2025/0§### ist bezahlt
    facture F-2025-0§##, montant 1 2§#,50 €
    EAN 40§##########
    serial SN-0§##-####-#### stopped working
    Bahncard kostet 0,§# Euro mehr
    it weighs 0.§## kg and is 1§.# cm wide
    version 3.1#.§.# broke the import
    we moved from 10.15.§ to 11.0.#
    the answer is 0§ 1# 2§ 3# according to the key
    Set a timer for 12:3# and another for 14:0#
    my flight is AF 0§## on §/##
    Zug ICE 0§# nach Hamburg, Gleis 1#
    Between 19§# and 200# the population grew from 1 §## ### to 2 0## ###
    8 × §#§ = ####
    convert 9§0000#### nanoseconds to hours
    the population is §,###,###,###
    1 §## ### ### habitants, d'après l'article
    0800 is free to call from a landline, isn't it?
    pi is 3.14159265358979
    π ≈ 3,1415926535
    latitude 48.85§#, longitude 2.3§##
    Look at line §## in main.py, commit 4f§a9c0b#e
    the hash is d41d8cd98f00b204e9800998ecf8427e
    uuid 550e8400-e29b-41d4-a716-44665544§###
    RFC 2§#§ says 4## is fine
    port 80§# on 127.0.0.1 is taken
    Can I pay with Visa or Mastercard?
    Do cards have 16 digits, like 1234 5678 9012 345#?
    What's a safe password length, 12 or 16?
    my password is wrong, it says
    How do I reset my password after §# days?
    Write a regex for emails like name@domain
    La date limite est le 1#/0§/202#
    Der Termin ist am 1#.0§.2026 um 1#:30
    The contract runs from 0§/01/2024 to 0§/31/2027
    Mozart was born on 27 January 1756
    Victor Hugo est né le 26 février 1802 à Besançon
    In 1969, on July 20, they landed
    Le 14 juillet 1789, que s'est-il passé ?
    Chapter 1§, page 2##, footnote #
    Rose petals keep for §# days in the fridge
    Will it rain in May or in June?
    I read Mark 1§:## and Luke §:##
    Street food in Bangkok costs 5# baht
    The Avenue Q musical runs §# minutes
    Take exit 1§ Lake Road, then turn left
    The road from Lyon to Nice takes § hours
    Haus Nr. § steht leer, sagt der Makler
    Der Weg 1# ist gesperrt
    Platz 1# im Ranking geht an Köln
    Le cours 1# porte sur la Révolution
    rue de la Paix coûte 400 000 au Monopoly
    Who designed 30 St Mary Axe?
    Is the restaurant at 1§ Rue Cler any good?
    Das Konzert ist in der Philharmonie, Saal §
    Budget: 0§ 500 for paint, 1§ 250 for floors
    score was 1§-0§-2#-##
    The lottery numbers were 0§ 1# 2# 3# 4#
    01 02 03 04 05, count to five in twos
    fiche n° 06 §# ## du manuel
    Bauteil 0§##/#### passt nicht
    0§#### ist die Postleitzahl von wo?
    Ist 01067 Dresden oder Leipzig?
    75011 Paris est-il cher ?
    my score is 21§####### points in that game
    sorted: 10########, 20########, 30########
    the model number is 555-####
    kit 800-§## comes with 2# screws
    timestamps like 17######## confuse me
    there were 3##-4#-5### of them in the ledger
    Press 1-2-3 then 4#-5#-6#
    chemical CAS 50-00-0 and 7732-18-5
    NCT0§###### is the trial
    doi 10.1038/s41586-020-2§##-#
    """
_DRAWN: dict[str, Callable[[random.Random, private.Person], str]] = {
    "iban": private.iban,
    "card": private.card,
    "nir": private.nir,
    "ssn": private.ssn,
}


@dataclass(frozen=True, slots=True)
class Apart:
    """A sentence, what in it must be gone, and of what kind that is; a region to read numbers for."""

    kind: str
    region: str
    text: str
    secrets: tuple[str, ...]


def planted(dice: random.Random) -> list[Apart]:
    """Each sentence with personal data once, its digits drawn anew."""
    return [
        _drawn(dice, kind, region, line.strip())
        for (kind, region), lines in _PLANTED.items()
        for line in lines.strip().splitlines()
    ]


def clean(dice: random.Random) -> list[str]:
    """Each sentence without personal data once, its digits drawn anew."""
    return [_digits(dice, line.strip()) for line in _CLEAN.strip().splitlines()]


def _drawn(dice: random.Random, kind: str, region: str, line: str) -> Apart:
    for name, make in _DRAWN.items():
        if f"{{{name}}}" in line:
            line = line.replace(f"{{{name}}}", make(dice, private.person(dice, "en")))
    line = _digits(dice, line)
    return Apart(kind, region, re.sub("[«»]", "", line), tuple(re.findall("«(.*?)»", line)))


def _digits(dice: random.Random, line: str) -> str:
    return re.sub("[#§]", lambda one: str(dice.randint(2 if one.group() == "§" else 0, 9)), line)
