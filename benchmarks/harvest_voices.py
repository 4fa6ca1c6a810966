"""The sentences of support chats in English and French, by the part that they play in a message."""

# ruff: noqa: E501 - a sentence stays on its line

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """A language's sentences. A topic has what is asked and what is told; the rest goes with any."""

    greetings: tuple[str, ...]
    stories: tuple[str, ...]
    moods: tuple[str, ...]
    topics: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    openers: tuple[str, ...]
    asides: tuple[str, ...]
    closers: tuple[str, ...]
    follow_ups: tuple[tuple[str, str], ...]
    thanks: tuple[tuple[str, str], ...]


ENGLISH = Voice(
    greetings=("Hi,", "Hi there,", "Hello,", "hey", "Good {morning|evening},", "", "", "Sorry to bother you again,"),
    stories=(
        "I {ordered|bought|picked up} a <thing> {from your site|in your <city> shop} {on <day>|last <weekday>}.",
        "My {sister|neighbour|boss|flatmate|uncle} gave me a <thing> when I moved to <city>.",
        "We {have had|own} the <thing> since <month> and {so far it was fine|it worked until <weekday>}.",
        "There is a <colour> <thing> on my order <ref>{| that I never asked for| for <amount>}.",
        "I'm {writing|asking} about order <ref>, {placed|paid} on <day>, a <thing>.",
        "Yesterday the {courier|driver|postman} left a <thing> at {the bakery|my office|a pick-up point} in <city>.",
        "{Our|My} <thing> {stopped|died} {on <day>|at around <hour>|after <n> days} and shows <code>.",
    ),
    moods=(
        "{Honestly|To be frank}, this is {the <n>th time|getting tiring|a bit much}.",
        "I {will|may} be {away|travelling} from <day>, so {sooner is better|please hurry a little}.",
        "I already {tried|did} what page <n> of the {manual|leaflet} says.",
        "The {app|site} is at version <version> {here|on my phone|on my laptop}.",
        "I paid <amount> for it, {after all|by the way|which is not nothing}.",
        "{My wife|My husband|A colleague} says {it is normal|I should ask you|it rang a bell}.",
        "Somebody at your {desk|shop} in <city> told me to {write here|ask you again}.",
    ),
    topics=(
        (
            (
                "Where {is|has got to} my parcel <ref> with the <thing>{| for <city>}?",
                "Can {you|somebody} tell me why the tracking of <ref> {stopped|is stuck} in <city> since <day>?",
                "Could the <thing> {be delivered|arrive} {before <day>|to <city> instead|after <hour>}?",
            ),
            (
                "The parcel <ref> left our {depot|warehouse} in <city> on <day> {by road|with the night truck}.",
                "It {should reach|is expected in} <city> by <day>, {most likely|usually} between <hour> and <hour>.",
                "The carrier {scanned|saw} it <n> {hours|days} ago and {noted|wrote down} a {wrong floor|closed gate}.",
                "You can {move|change} the delivery of the <thing> under <page> until <hour> the day before.",
                "If nobody is in, it {waits|is kept} at a pick-up point in <city> for <n> days.",
            ),
        ),
        (
            (
                "When {do I get|will I see} the <amount> back for the <thing>{| of order <ref>}?",
                "Your refund for <ref> {is short by <amount>|never showed up}, {what happened|how come}?",
                "Do I have to {pay|cover} the return of the <thing> {from <city>|myself}?",
            ),
            (
                "We {refunded|sent back} <amount> for the <thing> on <day>, {to the card you paid with|by transfer}.",
                "Banks {need|take} {up to|about} <n> days to {show|book} it, {in our experience|as a rule}.",
                "The missing <amount> {is|was} the {gift wrap|express fee} of order <ref>, {which stays with us|sadly}.",
                "The label for the return is under <page>; {print|save} it before <day>.",
                "Once {we have|the team in <city> has} the <thing>, {checking|testing} takes <n> days.",
            ),
        ),
        (
            (
                "How do I {reset|restart|pair} the <thing> {after|with} version <version>?",
                "Why does my <thing> {blink|beep} <n> times and show <code>{| every <weekday>}?",
                "Is there a {spare|new} {filter|battery|cable} for the <thing>{| in <colour>}?",
            ),
            (
                "Hold the {round|left|small} button of the <thing> for <n> seconds until the light turns <colour>.",
                "<code> means the {sensor|pump|fan} is {blocked|too warm}; {let it rest|unplug it} for <n> minutes.",
                "Version <version> {mends|solves} that; you {find|get} it under <page>{| since <day>}.",
                "A {spare|new} {filter|battery|cable} costs <amount> and {ships|leaves} from <city> on <weekday>s.",
                "If the <colour> light {stays|comes back}, our {workshop|bench} in <city> {looks at|repairs} the <thing>.",
            ),
        ),
        (
            (
                "Why {is|was} my invoice <ref> <amount> {higher|more} than {in <month>|the last one}?",
                "Could you {send|make} the invoice of the <thing> {again|with the date of <day>}?",
                "Can I pay the <thing> in <n> {parts|instalments}, {starting|from} <day>?",
            ),
            (
                "Invoice <ref> {holds|includes} <amount> for the {warranty|set-up} of the <thing> {until <month>|too}.",
                "You {can|may} {download|fetch} it again under <page>, {even|also} years later.",
                "With <n> instalments, the first of <amount> is {taken|due} on <day>.",
                "The discount of <percent> {ended|ran out} on <day>, {hence|which explains} the difference of <amount>.",
                "Our {bookkeeping|billing team} in <city> {corrects|reissues} invoices {on <weekday>s|within <n> days}.",
            ),
        ),
        (
            (
                "How can I {end|pause} my plan {from <day>|after <month>}, and keep the <thing>?",
                "Does the <percent> {discount|offer} also {go|work} for a <thing> {in <colour>|bought in <city>}?",
                "What {changes|happens} with my contract <ref> when I move to <city> {on <day>|in <month>}?",
            ),
            (
                "You {can|may} {end|pause} contract <ref> under <page> until <day>, {without giving a reason|in two clicks}.",
                "The <thing> {stays yours|can be kept} {once|when} <amount> {are|have been} paid.",
                "The offer of <percent> {runs|goes on} until <day> and {covers|holds for} the <thing> {too|as well}.",
                "Moving to <city> {moves|shifts} the day of payment to the <n>th of the month.",
                "After <month> the plan {costs|is} <amount> a {month|quarter}{, taxes included|}.",
            ),
        ),
        (
            (
                "Can I {book|get} a {technician|visit} in <city> {on <weekday> at <hour>|around <day>} for the <thing>?",
                "Your technician did not {come|show up} on <day>, {what now|is there a new date} for <ref>?",
                "How long does {fitting|repairing} a <thing> {take|last}, {roughly|more or less}?",
            ),
            (
                "A technician {is free|can come} in <city> on <weekday>, <day>, {at|from} <hour>.",
                "{Fitting|Repairing} the <thing> {takes|needs} about <n> minutes{, plus the way|}.",
                "Visit <ref> {was moved|had to move} to <day> because {of the snow|the van broke down|a colleague was ill}.",
                "The visit {costs|is} <amount>, {unless|except when} the <thing> is under warranty until <month>.",
                "Please {keep|leave} <n> feet of room around the <thing> and {switch it off|unplug it} at <hour>.",
            ),
        ),
    ),
    openers=(
        "{Thanks|Thank you} for {writing|asking|the details}.",
        "{I|We} have looked {into|at} it.",
        "Sorry {about that|for the trouble|to read that}.",
        "Good question.",
        "",
        "Of course.",
    ),
    asides=(
        "{The shop|Our counter} in <city> is open until <hour> {on <weekday>s|this month}.",
        "More {about|on} the <thing> {is|stands} on help.example.com/<code> {in a short film|with pictures}.",
        "{Keep|Please note} the file number <ref> for {later|your papers}.",
        "{About|Roughly} <percent> of {owners|customers} {ask|wonder about} the same in <month>.",
        "The {leaflet|guide} of the <thing> {explains|shows} it on page <n>.",
    ),
    closers=(
        "{Anything else|Is there anything else}?",
        "{Have a good day|Enjoy your <weekday>}!",
        "Let {me|us} know {how it goes|if that helps|by <day>}.",
        "",
        "We {hope|trust} this helps.",
    ),
    follow_ups=(
        ("And how much {would|does} {that|it} cost?", "That would be <amount> for the <thing>, taxes included."),
        ("And until when?", "Until <day>, at <hour>, for the <thing>."),
        ("Ok, and {which|what} colour?", "The <thing> comes in <colour>."),
        ("How long does that take?", "Around <n> days for <city>."),
        ("Is it open on Saturdays?", "{Yes, the one in <city> is|No, <city> is closed then}."),
    ),
    thanks=(
        ("Thanks!", "You're welcome!"),
        ("Great, thank you very much.", "With pleasure. Have a nice day!"),
        ("ok perfect", "Glad to help!"),
    ),
)

FRENCH = Voice(
    greetings=("Bonjour,", "Bonsoir,", "Salut,", "Bonjour {madame|monsieur},", "", "", "Rebonjour,", "Coucou,"),
    stories=(
        "J'ai {commandé|acheté|pris} une <thing> {sur votre site|dans votre magasin de <city>} {le <day>|<weekday> dernier}.",
        "{Ma sœur|Mon voisin|Mon patron|Mon oncle} m'a {offert|donné} une <thing> quand je suis arrivé à <city>.",
        "Nous avons la <thing> depuis <month> et {tout allait bien|ça marchait jusqu'à <weekday>}.",
        "Il y a une <thing> sur ma commande <ref> {que je n'ai jamais demandée|à <amount>|en double}.",
        "Je {vous écris|reviens vers vous} pour la commande <ref>, {passée|payée} le <day>, une <thing>.",
        "Hier le {livreur|facteur|chauffeur} a {laissé|posé} une <thing> {à la boulangerie|chez le gardien} à <city>.",
        "{Notre|Ma} <thing> {s'est arrêtée|est tombée en panne} {le <day>|vers <hour>|au bout de <n> jours}, code <code>.",
    ),
    moods=(
        "{Franchement|Pour être honnête}, {c'est la <n>e fois|ça devient lassant|c'est un peu fort}.",
        "Je {pars|serai absent} {à partir du <day>|dès le <day>}, {faites vite|le plus tôt sera le mieux}.",
        "J'ai déjà {essayé|fait} ce que dit la page <n> {de la notice|du guide}.",
        "{L'appli|Le site} est en version <version> {chez moi|sur mon téléphone|sur mon ordinateur}.",
        "Je l'ai payée <amount>, {quand même|je vous le rappelle|ce n'est pas rien}.",
        "{Ma femme|Mon mari|Une collègue} dit que {c'est normal|je devrais vous demander}.",
        "{Quelqu'un|Une vendeuse} à <city> m'a dit {d'écrire ici|de vous redemander}.",
    ),
    topics=(
        (
            (
                "Où {est|en est} mon colis <ref> avec la <thing>{| pour <city>}?",
                "{Pouvez-vous|Pourriez-vous} me dire pourquoi le suivi de <ref> {est bloqué|n'avance plus} à <city> depuis le <day> ?",
                "La <thing> {peut-elle|pourrait-elle} arriver {avant le <day>|plutôt à <city>|après <hour>} ?",
            ),
            (
                "Le colis <ref> a quitté notre {dépôt|entrepôt} de <city> le <day> {par la route|dans la nuit}.",
                "Il {devrait arriver|est attendu} à <city> le <day>, {sans doute|normalement} entre <hour> et <hour>.",
                "Le transporteur l'a {vu|scanné} il y a <n> {heures|jours} et {signale|note} {un portail fermé|un étage inexact}.",
                "Vous pouvez {décaler|changer} la livraison de la <thing> dans <page> jusqu'à <hour> la veille.",
                "En cas d'absence il {reste|est gardé} au point relais de <city> pendant <n> jours.",
            ),
        ),
        (
            (
                "Quand {vais-je|pourrai-je} revoir les <amount> de la <thing>{| de la commande <ref>}?",
                "Le remboursement de <ref> {est trop court de <amount>|n'est jamais arrivé}, {pourquoi|que se passe-t-il} ?",
                "Dois-je {payer|avancer} le retour de la <thing> {depuis <city>|moi-même} ?",
            ),
            (
                "Nous avons {remboursé|reversé} <amount> pour la <thing> le <day>, {sur votre carte|par virement}.",
                "Les banques {mettent|prennent} {jusqu'à|environ} <n> jours pour {l'afficher|le passer}, {en général|d'habitude}.",
                "Les <amount> manquants {sont|étaient} {l'emballage|les frais d'express} de <ref>, {qui restent dus|hélas}.",
                "L'étiquette de retour est dans <page> ; {imprimez-la|gardez-la} avant le <day>.",
                "Dès que {nous avons|l'équipe de <city> a} la <thing>, le {contrôle|test} prend <n> jours.",
            ),
        ),
        (
            (
                "Comment {réinitialiser|redémarrer|appairer} la <thing> {après|avec} la version <version> ?",
                "Pourquoi ma <thing> {clignote|bipe} <n> fois et affiche <code>{| chaque <weekday>} ?",
                "{Existe-t-il|Y a-t-il} {un filtre|une batterie|un câble} de rechange pour la <thing> ?",
            ),
            (
                "Gardez le {gros|petit} bouton de la <thing> enfoncé <n> secondes, jusqu'au voyant <colour>.",
                "<code> veut dire que {le capteur|la pompe} {est bloqué|chauffe} ; {débranchez|laissez refroidir} <n> minutes.",
                "La version <version> {corrige|règle} cela ; elle {est|se trouve} dans <page> depuis le <day>.",
                "{Le filtre|La batterie|Le câble} coûte <amount> et part de <city> le <weekday>.",
                "Si le voyant <colour> {reste|revient}, notre atelier de <city> {regarde|répare} la <thing>.",
            ),
        ),
        (
            (
                "Pourquoi ma facture <ref> {fait|affiche} <amount> de plus {qu'en <month>|que la dernière} ?",
                "Pouvez-vous {renvoyer|refaire} la facture de la <thing> {|avec la date du <day>} ?",
                "Puis-je payer la <thing> en <n> fois, à partir du <day> ?",
            ),
            (
                "La facture <ref> {contient|inclut} <amount> pour la {garantie|pose} de la <thing> {jusqu'en <month>|aussi}.",
                "Vous pouvez la {télécharger|retrouver} dans <page>, {même|y compris} des années après.",
                "En <n> fois, la première échéance de <amount> est {prélevée|due} le <day>.",
                "La remise de <percent> a {pris fin|cessé} le <day>, {d'où|ce qui explique} l'écart de <amount>.",
                "Notre {comptabilité|service facturation} de <city> {corrige|réédite} les factures {le <weekday>|sous <n> jours}.",
            ),
        ),
        (
            (
                "Comment {arrêter|suspendre} mon abonnement {au <day>|après <month>} et garder la <thing> ?",
                "La {remise|promotion} de <percent> {vaut-elle|marche-t-elle} pour une <thing> {en <colour>|achetée à <city>} ?",
                "Que {devient|se passe-t-il pour} mon contrat <ref> si je déménage à <city> {le <day>|en <month>} ?",
            ),
            (
                "Vous pouvez {arrêter|suspendre} le contrat <ref> dans <page> jusqu'au <day>, {sans motif|en deux clics}.",
                "La <thing> {reste à vous|peut être gardée} {dès que|quand} <amount> {sont|ont été} réglés.",
                "L'offre de <percent> {court|continue} jusqu'au <day> et {concerne|couvre} la <thing> {aussi|également}.",
                "En allant à <city>, le prélèvement {passe|glisse} au <n> du mois.",
                "Après <month> l'abonnement {coûte|revient à} <amount> par {mois|trimestre}{, taxes comprises|}.",
            ),
        ),
        (
            (
                "Puis-je {avoir|réserver} un technicien à <city> {<weekday> à <hour>|vers le <day>} pour la <thing> ?",
                "Votre technicien n'est pas {venu|passé} le <day>, {et maintenant|quelle est la suite} pour <ref> ?",
                "Combien de temps {prend|dure} {la pose|la réparation} d'une <thing>, {à peu près|grosso modo} ?",
            ),
            (
                "Un technicien {est libre|peut passer} à <city> {<weekday>|le <day>}, {à partir de|vers} <hour>.",
                "{La pose|La réparation} de la <thing> {prend|demande} environ <n> minutes{, sans le trajet|}.",
                "La visite <ref> {a glissé|est reportée} au <day> {à cause de la neige|car la camionnette est en panne}.",
                "Le passage {coûte|revient à} <amount>, {sauf|excepté} si la <thing> est garantie jusqu'en <month>.",
                "Merci de {laisser|prévoir} <n> cm autour de la <thing> et de la {débrancher|couper} à <hour>.",
            ),
        ),
    ),
    openers=(
        "Merci {de votre message|pour ces précisions}.",
        "{J'ai|Nous avons} regardé {votre dossier|de près}.",
        "{Désolé|Navré} {pour ce souci|de lire cela}.",
        "Bonne question.",
        "",
        "Bien sûr.",
    ),
    asides=(
        "{Le magasin|Le comptoir} de <city> est ouvert jusqu'à <hour> {le <weekday>|ce mois-ci}.",
        "D'autres {détails|conseils} sur la <thing> sont sur aide.example.fr/<code>, {en vidéo|en images}.",
        "{Gardez|Notez} le numéro de dossier <ref> {pour la suite|dans vos papiers}.",
        "{Environ|À peu près} <percent> des clients {demandent|se posent} la même chose en <month>.",
        "{La notice|Le guide} de la <thing> l'{explique|illustre} page <n>.",
    ),
    closers=(
        "{Autre chose|Puis-je faire autre chose} ?",
        "{Bonne journée|Bon <weekday>} !",
        "Dites-nous {si cela aide|ce qu'il en est|avant le <day>}.",
        "",
        "En espérant que cela aide.",
    ),
    follow_ups=(
        ("Et ça coûte combien ?", "Ce serait <amount> pour la <thing>, taxes comprises."),
        ("Et jusqu'à quand ?", "Jusqu'au <day> à <hour>, pour la <thing>."),
        ("D'accord, et {quelle|de quelle} couleur ?", "La <thing> existe en <colour>."),
        ("Ça prend combien de temps ?", "À peu près <n> jours pour <city>."),
        ("C'est ouvert le samedi ?", "{Oui, celui de <city>|Non, <city> est fermé ce jour-là}."),
    ),
    thanks=(
        ("Merci !", "Avec plaisir !"),
        ("Super, merci beaucoup.", "Je vous en prie. Bonne journée !"),
        ("ok parfait", "Ravi d'avoir pu aider !"),
    ),
)

VOICES = {"en": ENGLISH, "fr": FRENCH}
