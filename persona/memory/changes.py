"""How far the wording of a memory tells of a change, in French and in English.

"I moved to York", "on est passé au gaz", "je ne fume plus": who says that makes older statements untrue.
"""

import re

CHANGE, EVENT, NOTHING = 1.0, 0.5, -1.0

_SAID = (
    "now nowadays anymore instead new newer latest lately recently currently actually finally eventually suddenly "
    "switched switching swapped moved moving changed changing shifted replaced replacing quit quitting "
    "stopped stopping started starting began begun dropped dropping left leaving retired retiring resigned "
    "resigning sacked fired promoted redundant hired joined joining adopted bought sold traded upgraded downgraded "
    "transferred cancelled canceled postponed rescheduled delayed raised raising raise increased reduced lowered "
    "died off gone broke broken lost stolen failed expired renewed finished ended became turned graduated divorced "
    "married engaged separated settled decided chose chosen opted signed enrolled closed shut former previous old "
    "since ditched scrapped abandoned outgrew leased correction maintenant désormais desormais dorénavant "
    "finalement enfin actuellement récemment nouveau nouvel nouvelle nouveaux nouvelles neuve ancien ancienne vieux "
    "vieille depuis repris reprends reprend vendu vendue vendus rompu marié mariée mariés fiancé fiancée décédé "
    "décédée mort morte fini finie finis finies terminé terminée termine annulé annulée annule reporté reportée "
    "repoussé repoussée décalé décalée rejoint décroché obtenu devenu devenue perdu volé cédé cédée cede rendu viré "
    "virée promu promue rencontré signé choisi décidé opté lâché lâchée lâche parti partie pris prise inscrit "
    "inscrite relocated renamed rewrote rewritten rewrite rebooked reverted removed uninstalled unsubscribed resumed "
    "migrated migration migrate bankrupt replacement successor substitute muté mutée nommé nommée renommé désinstallé "
    "relogé supprimé fermé fermée faillite suppléant successeur redevenu désabonné désinscrit atteint "
    "arrived delivered refused rejected approved accepted granted doubled halved tripled extended extension slipped "
    "retrained converted qualified remortgaged reorg reorganisation binned dumped axed inherited rehomed widowed "
    "reopened rebranded misspoke weaned reçu reçue livré livrée arrivé arrivée refusé refusée refuse accepté acceptée "
    "validé validée doublé converti reconverti reconvertie éteint éteinte retardé avancé avancée délai prolongé "
    "prolongée hérité réussi échoué raté marre "
)
_BEGUN = (
    "chang remplac déménag demenag emménag arrêt arret stopp abandonn quitt démission licenci embauch recrut "
    "commenc recommenc revend achet bascul migr transfér troqu échang adopt augment baiss diminu rédui résili sépar "
    "divorc retrait install "
)
_WORDS = frozenset(_SAID.split())
_PHRASES = re.compile(
    rf" (?:{'|'.join(_BEGUN.split())}|"
    r"(?:(?:i|we) (?!\w+ed )(?:\w+ ){1,4}again|"
    r"these days|no longer|any more|no more|g[ai]ve up|given up|giving up|take up|took up|taken up|got rid|"
    r"turn(?:s|ed) out|ended up|ending up|broke up|split up|passed (?:on|away)|fell through|handed in|w?en?t up|"
    r"gone up|put up|went with|rather than|this time|from (?:next|this|now)|as of|back to|opened a|cut (?:down|back|"
    r"out)|used to|in the end|after all|for good|pushed back|gone off|went off|step(?:ped|s) in|t(?:ook|aken) over|"
    r"(?:took|put|moved) (?:me|him|her|us|it) (?:on|off|to)|let (?:\w+ ){1,2}(?:go|lapse)|"
    r"(?:is|are|s) (?:gone|off|over|here|in|out|done|all)|first (?:day|week|month|shift|lesson|night)|"
    r"(?:day|week|month) (?:one|two|three)|ha(?:ve|s)n t (?:\w+ ){1,4}since|put an end|the end of|down to|grown? on|"
    r"(?:come|came|coming) round|warmed to|(?:had|have) enough of|(?:fed up|sick|tired) (?:of|with)|got used to|"
    r"went (?:fully|full|all|completely|back|over)|got (?:myself|ourselves)|treated (?:myself|ourselves)|signed up|"
    r"dropped out|in (?:his|her|its|their) place|in place of|you can (?:drop|stop)|no need|one more|two more|"
    r"a (?:second|third|fourth)|it (?:s|ll be) (?:\w+ ){1,4}(?:i|we|for me|for us)|this (?:month|week|term)|"
    r"g(?:iven|ave) (?:\w+ ){0,3}away|went bust|no (?:more )?\w+ for (?:me|us)|"
    r"sw[ao]p(?:s|ped)?|ha(?:s|ve) (?:hit|reached)|"
    r"laissé tomber|à la place|au lieu|plus jamais|v(?:iens|ient|enons) de|ça y est|c est (?:bon|fini)|en fait|"
    r"à partir|dès l[ea]|cette fois|ces temps ci|ces derniers temps|l an prochain|de nouveau|à nouveau|mise? (?:à|au)|"
    r"fini l(?:e|a|es)|plus (?:de|d|une?) \w+ pour|pr(?:is|end) la suite|m (?:a|ont) (?:mise?|changée?|passée?)|"
    r"pass(?:é|ée|és|ées|e|ent|era) (?:à|aux?|chez|sur|sous|de|en)|"
    r"premi(?:er|ère) (?:jour|semaine|mois|cours|bulletin)|"
    r"tomb(?:e|é|ée) à l eau|pr(?:end|is|ennent) (?:toute )?la (?:place|poussière)|ras le bol|en ai assez|à fond dans|"
    r"c est (?:\w+ ){1,3}qui|(?:une?|deux|trois) de plus|(?:deux|trois)ième|à présent|ce mois ci|"
    r"cette (?:année|semaine)|mont(?:é|ée|er|e) à|descend(?:u|ue|re|s)? à|me limite|du coup|nous mêmes|offert une?|"
    r"(?:a|ont|s est) dit (?:non|oui|stop)) |"
    r"(?<=^ )plus (?:de|d|aucune?) |(?:ne|n) (?!est pas)(?:\w+ ){1,3}plus )"
)
_EVENT = re.compile(
    r" (?:(?:ai|as|a|avons|ont|suis|es|est|sommes|sont) (?:\w+ )?"
    r"\w{2,}(?:é|ée|és|ées|i|ie|is|it|ite|u|ue|us|erte?|inte?|orte?) |"
    r"(?:ce|se|ça) (?:sera|seront|fera|passera)|(?:it|that) (?:ll be|will be)|"
    r"(?:\w{2,}ed|got|went|took|came|made|gave|found|told|put|cut|met|chose|ran|won|has been|have been) )"
)
# it reads small letters: ignoring case takes four times as long
_REQUEST = re.compile(
    r"\W*(?:(?:please|okay|ok|and|now|then|just|so|hey|hi|thanks?|merci|stp|alors|et|bonjour|salut)\W+)*"
    r"(?:help|suggest|recommend|write|rewrite|explain|give|find|list|tell me|show|translate|compare|(?:can|could|would|"
    r"will) you|make|put|draft|summari[sz]e|describe|plan|name|convert|fix|create|generate|check|proofread|correct|"
    r"calculate|compute|propose|advise|teach|remind|what|who|why|when|where|which|how|is|are|do|does|did|corrige|aide|"
    r"écris|fais|donne|trouve|explique|résume|traduis|rédige|suggère|conseille|recommande|prépare|cite|convertis|mets|"
    r"raconte|dis|calcule|vérifie|liste|décris|génère|crée|imagine|montre|rappelle|redis|réécris|reformule|simplifie|"
    r"raccourcis|tu peux|(?:peux|pourrais|pourriez|pouvez)[ -](?:tu|vous)|tu pourrais|quel(?:le)?s?|comment|combien|"
    r"pourquoi|qui|où|quand|que|c['’]est quoi|qu['’]est|est-ce)\b"
)
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…\n]*")
_SHORTEST = 4  # characters of a sentence that says something
_WORD = re.compile(r"\w+")


def stated(text: str) -> str:
    """The sentences of a text that neither ask nor request anything."""
    found = [one for one in _SENTENCE.findall(text) if "?" not in one and not _REQUEST.match(one.lower())]
    return " ".join(one for one in found if len(one.strip()) >= _SHORTEST)


def told(stated: str) -> float:
    """`CHANGE` for what is no longer as it was, `EVENT` for something that happened, `NOTHING` for what only asks.

    0 for anything else that is `stated`.
    """
    if not stated:
        return NOTHING
    said = _WORD.findall(stated.lower())
    joined = f" {' '.join(said)} "
    if not _WORDS.isdisjoint(said) or _PHRASES.search(joined):
        return CHANGE
    return EVENT if _EVENT.search(joined) else 0.0
