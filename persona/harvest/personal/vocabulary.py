"""Names that are also words, in English and French: what a profile's name is too often to be replaced on sight."""

from persona.harvest.personal.words import words

PARTICLES = frozenset(
    words("""
        de du des la le les van von der den dos da di del della el al bin ben ibn st saint und and et y""")
)
MONTHS = frozenset(
    words("""
        april may june july august mai juin avril aout mars janvier juillet octobre monday friday dimanche noel""")
)
WORDS = frozenset(
    # flowers, stones, colours, virtues, seasons and what else parents call their children
    words("""
        rose heather olivier marguerite victor jack rob nick tours nancy china turkey lily violet daisy iris ivy
        jasmine hazel holly olive poppy ginger basil sage rosemary fern flora violette capucine prune clementine
        laurier ruby pearl jade amber crystal opal coral topaz emerald diamond perle ambre rubis grace hope faith
        joy charity felicity prudence constance patience verity honor honour mercy serenity harmony melody destiny
        trinity chance victoria justice liberty summer autumn winter spring dawn eve sky skye star stella aurora
        luna sunny rain storm river brook forest lake cliff dale glen heath reed ash rowan cedar willow aurore ange
        angel desire aime aimee celeste fleur belle claire clair marin marine ocean oceane parfait modeste juste
        constant clement prosper innocent placide loup lion leo will mark bill grant chase chuck dick rich rusty
        buddy skip ray art guy dash ace penny kitty bunny robin merle wren jay hawk drake bear wolf buck colt hunter
        archer fisher cooper tanner parker piper bailey baker butcher butler cook smith clark miller turner walker
        weaver wright potter shepherd gardener knight king queen prince duke earl baron bishop pope noble major page
        marshall dean judge rusty ernest curt wade brook brooks rivers hill hills dale field fields banks wood woods
        stone rock rocky sandy cliff ford bridge park lane street church house hall bush moss flowers may young old
        long short small little large strong swift sharp wise good goodman bright brown white black green gray grey
        blue gold golden silver red fox bird crane love day night week friend english french german dutch welsh
        ireland france paris london israel phoenix case price rich cash bond bell ball box cross case dollar penny
        pence mint rice bacon berry cherry apple orange lemon plum peach candy honey coffee ginger pepper curry
        sweet best worth more self hand head legg foot hart heart bone blood power child man boy nice reims angers
        brest die gap lens sens cannes orange total free shell target gap visa next boots petit grand gros legrand
        leblanc blanc noir roux brun vert lebrun rouge bleu gris lejeune jeune vieux bon beau lebon joli doux roi
        leroy leroi prince chevalier comte marquis baron eveque moine abbe pape berger boucher boulanger charpentier
        marchand mercier meunier fournier tailleur tisserand pecheur chasseur maire clerc sergent capitaine colonel
        soldat bois forest fontaine riviere rivier mer montagne mont colline roche rocher pierre caillou sable champ
        pre vigne jardin verger moulin pont portail porte maison chateau tour ville village place rue chemin riviere
        ruisseau lac poirier pommier prunier cerisier chene orme hetre saule bouleau noyer chataigner rosier laurier
        loup renard lievre merle mouton agneau poulain taureau coq poulet cheval chat chien lion pigeon colombe
        martinet faucon lundi mardi jeudi vendredi bonnet mantel manteau chapeau soulier barbe tete main pied coeur
        bras doigt oeil joie paix gloire bonheur espoir victoire noel chrétien chretien franc franck guide lance
        celeste ses son sa ali elle ella aura sera alma mia may prudence blanche brune domine reine regine reina
        dame""")
)
