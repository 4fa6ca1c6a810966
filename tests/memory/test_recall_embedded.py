"""The whole of recall with the embedder that needs no model: the right memory first, in French and in English."""

import pytest
from persona_embedded.embed import StaticWords

from persona.memory.embedding import embed
from persona.memory.index import OwnerIndex
from persona.memory.recall import merge, query_of
from persona.memory.vectors import pack
from persona.values.memory import MemoryRow
from persona.values.owner import Owner

FRENCH = {
    "végétarien": "Je suis végétarien depuis 2019, ne me propose jamais de viande.",
    "lyon": "J'habite à Lyon, dans le quartier de la Croix-Rousse.",
    "chats": "Mes deux chats s'appellent Miso et Soba.",
    "dentiste": "J'ai rendez-vous chez le dentiste mardi à 15 h.",
    "fille": "Ma fille Léa entre en sixième en septembre.",
    "facteur": "Je travaille comme facteur au bureau de poste de Villeurbanne.",
    "réponses": "Je préfère des réponses courtes, sans jargon.",
    "vélo": "On m'a volé mon vélo la semaine dernière.",
    "italien": "J'apprends l'italien tous les jeudis soir.",
    "arachides": "Attention, je suis allergique aux arachides.",
    "anniversaire": "Mon anniversaire tombe le 12 mars.",
    "hôpital": "Ma mère a été hospitalisée à Grenoble en avril.",
}
ENGLISH = {
    "vegetarian": "I have been a vegetarian since 2019, so never suggest meat.",
    "bristol": "I live in Bristol, close to the harbour.",
    "cats": "My two cats are called Miso and Soba.",
    "dentist": "I am seeing the dentist on Tuesday at 3 pm.",
    "daughter": "My daughter Lea starts secondary school in September.",
    "postman": "I work as a postman at the central post office.",
    "answers": "I prefer short answers without jargon.",
    "bike": "Somebody stole my bike last week.",
    "italian": "I have been learning Italian every Thursday evening.",
    "peanuts": "Careful, I am allergic to peanuts.",
    "birthday": "My birthday is on the 12th of March.",
    "hospital": "My mother was taken to hospital in April.",
}


async def recalled(memories: dict[str, str], question: str) -> list[str]:
    embedder = StaticWords()
    packed = pack(await embed(embedder, list(memories.values())))
    index = OwnerIndex(embedder.name, cosine_floor=embedder.cosine_floor)
    index.apply(
        [
            MemoryRow(name, "turn", text, 1, embedder.name, vector)
            for (name, text), vector in zip(memories.items(), packed, strict=True)
        ]
    )
    query = query_of(question)
    (vector,) = await embed(embedder, [query.text])
    owner = Owner("", "ada")
    return [hit.id for hit in merge({owner: index.search(vector, query.terms, 8, question)}, 5, question)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Quand est-ce que je vois le dentiste ?", "dentiste"),
        ("Comment s'appellent mes chats ?", "chats"),
        ("Où est-ce que j'habite déjà ?", "lyon"),
        ("Quelles sont mes allergies ?", "arachides"),
        ("C'est quand, mon anniversaire ?", "anniversaire"),
        ("En quelle classe entre ma fille ?", "fille"),
        ("Quelle langue est-ce que j'apprends le soir ?", "italien"),
        ("Où est-ce que je travaille ?", "facteur"),
        ("Qu'est-il arrivé à mon velo ?", "vélo"),
        ("Pourquoi l'hospitalisation de ma mère ?", "hôpital"),
        ("Un menu pour des végétariens ?", "végétarien"),
        ("Quel genre de réponse est-ce que je préfère ?", "réponses"),
    ],
)
async def test_a_french_question_brings_the_right_memory_first(question: str, expected: str) -> None:
    assert (await recalled(FRENCH, question))[0] == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When do I see the dentist?", "dentist"),
        ("What are my cats called?", "cats"),
        ("Where do I live?", "bristol"),
        ("What am I allergic to?", "peanuts"),
        ("When is my birthday?", "birthday"),
        ("When does my daughter start school?", "daughter"),
        ("Which language do I learn?", "italian"),
        ("Where do I work?", "postman"),
        ("Did they find who stole my bikes?", "bike"),
        ("Is my mother still in the hospital?", "hospital"),
        ("A menu for vegetarians, please", "vegetarian"),
        ("How short an answer do I prefer?", "answers"),
    ],
)
async def test_an_english_question_brings_the_right_memory_first(question: str, expected: str) -> None:
    assert (await recalled(ENGLISH, question))[0] == expected


@pytest.mark.parametrize("question", ["Raconte-moi une blague", "Bonjour à toi", "Merci beaucoup !"])
async def test_a_message_about_nothing_known_recalls_nothing(question: str) -> None:
    assert await recalled(FRENCH, question) == []
