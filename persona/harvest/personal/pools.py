"""Names of nobody in particular, and places that are not on any map."""

from persona.harvest.personal.words import words

FIRST = {
    ("fr", "f"): words("""
        Manon Chloé Inès Léa Margaux Élodie Noémie Aurélie Sandrine Mathilde Océane Clémence Delphine Solène Coralie
        Anaïs Maëlys Justine Lucile Ophélie"""),
    ("fr", "m"): words("""
        Hugo Théo Bastien Romain Quentin Loïc Gaël Fabien Thibault Mathis Corentin Damien Florian Kévin Yannick
        Sylvain Arnaud Cédric Gaëtan Tanguy"""),
    ("en", "f"): words("""
        Megan Paige Holly Tessa Bethany Gemma Leah Naomi Shannon Kayla Brianna Jenna Abigail Hannah Lorna Fiona
        Tamsin Imogen Rosalind Harriet"""),
    ("en", "m"): words("""
        Owen Liam Connor Travis Derek Trevor Nathan Gareth Elliot Brandon Logan Callum Dylan Marcus Russell Stuart
        Preston Garrett Desmond Quincy"""),
    ("de", "f"): words("""
        Annika Frieda Greta Jule Merle Silke Wiebke Heike Birgit Tanja Svenja Maike Antje Kerstin Gesa"""),
    ("de", "m"): words("""
        Jonas Niklas Torben Henning Jürgen Detlef Holger Lennart Bjarne Sören Thorsten Rüdiger Volker Ansgar Heiko"""),
}  # fmt: skip
LAST = {
    "fr": words("""
        Girard Lambert Fontaine Chevalier Gauthier Perrin Morin Dupuis Brunet Barbier Renaud Leclercq Vasseur
        Poirier Carpentier Delattre Guillot Besson Charrier Marchand"""),
    "en": words("""
        Whitaker Holloway Pritchard Ellison Thornton Bradshaw Kendrick Hargreaves Langford Mercer Ashworth Barlow
        Cresswell Dunmore Fairchild Granger Huxley Lockwood Radcliffe Stanton"""),
    "de": words("""
        Lindner Brandt Vogler Seidel Kirchner Reimann Hoffstedt Behrens Petersen Ullrich Grothe Wiesner Hartung
        Albers Thielen"""),
}  # fmt: skip
# local parts of e-mail addresses
LOCAL_FIRST = words("""
    alix sasha camil robin noor lenny jules marin andrea charly dany eden lou nell ollie perrin quinn remy tracy
    vanja""")
LOCAL_LAST = words("""
    arden belmont corbin delorme ellery farrow garland hartley ivers jorat kemble lorrain mabille norwood oakham
    pascal quillan renwick sorel tilden""")
STREETS = {
    "fr": words("""
        rue des Tilleuls-Bleus; avenue du Vieux-Lavoir; rue du Puits-Clair; allée des Mésanges-Grises; boulevard du
        Grand-Verger; impasse des Deux-Ormes; rue de la Source-Vive; avenue des Quatre-Cèdres""", ";"),
    "en": words("""
        Larkmoor Street; Fernhollow Road; Old Quarry Lane; Maplecross Avenue; Thistledown Drive; Whitegate Road;
        Millbrook Hollow Lane; Ravenscourt Hill Road""", ";"),
    "de": words("""
        Grauspechtstraße; Blaulindenallee; Quellmühlenstraße; Altbleichergasse; Sternwiesenallee; Rotbuchengasse;
        Kesselbrunnenstraße; Feldlerchenstraße""", ";"),
}  # fmt: skip
TOWNS = {
    "fr": words("""
        99120 Valmont-sur-Orge; 99240 Clairvaux-le-Pré;
        99310 Montreval; 99450 Saint-Aubray; 99530 Belleroche-les-Bois;
        99670 Fontclaire""", ";"),
    "en": words("""
        Fairbrook, OH 00521; Elmsworth, PA 00347; Northgate Falls, WA 00613; Harrowdale, VT 00219; Kingsmere, NC
        00458; Westerby, ME 00174""", ";"),
    "de": words("""
        00213 Altenbruch-Moor; 00341 Lindenhagen; 00427 Seefurth; 00518 Birkenroda; 00632 Marienquell;
        00745 Hohenwied""", ";"),
}  # fmt: skip
PLACES = {
    "fr": words("""
        Montreval Fontclaire Belleroche Saint-Aubray Valmirande Clairveau Rochebrune-le-Lac Orvanne Lormeuil
        Verchamp Aubrelle Solvigny"""),
    "en": words("""
        Elmsworth Harrowdale Kingsmere Westerby Fairbrook Larkmoor Stonehollow Brackenford Wetherfield Dunmarsh
        Oakhaven Millbrae"""),
}  # fmt: skip
ORGANISATIONS = words("""
        Valtoris Novacime Ardelion Quantessa Belvaris Oristel Lumetra Corvanta Medialys Tessolia Brevantis Halcyra""")
# first names that end like a woman's and are a man's
MEN = frozenset(
    words("""
        pierre philippe george mike luca joe dave steve jerome antoine alexandre guillaume baptiste etienne maxime
        dante noe joshua ezra andre rene jose kyle blake jake luke wayne lance bruce chase cole dale gabe gene jesse
        lee pete theodore tyrone vince uwe arne malte sascha helge ole hauke stephane christophe gilles jacques
        charles lucas mathias thomas nicolas serge patrice dominique yves jean luke duke zeke aurele achille elie
        isidore hippolyte rodolphe auguste come bruce clyde lawrence maurice eugene terrence clarence wallace
        mustafa moussa issa ousmane""")
)
