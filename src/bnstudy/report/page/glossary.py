"""The words that a learner may not know: what they mean, and links to that where the stories first use them."""

import re
from typing import NamedTuple


class Word(NamedTuple):
    """A word of the glossary; ``found`` is the regular expression that finds it in a text, empty where nothing leads to it."""

    name: str
    found: str
    meaning: str


GLOSSARY = (
    Word("batch", r"batch(?:es)?(?! norm)", "The pictures of one training step."),
    Word("case", r"cases",
        "What was compared once: one kind of network, of one depth, under one change. Every claim lists its cases. Figures that draw more of them count starts or settings."),
    Word("unit", r"units?", "One number that a layer computes for each picture."),
    Word("mean and spread", r"mean and spread",
        "Average and standard deviation of a unit over a batch. In tables, spread is sd."),
    Word("normalized value, x-hat", r"normalized values?", "A unit's value less the mean, divided by the spread."),
    Word("gamma and beta", r"gamma and beta",
        "Learned: what a normalized value is multiplied by, and what is added. One pair for each unit."),
    Word("stored averages", r"stored averages", "Running averages of mean and spread from training, used at test."),
    Word("fresh averages", r"fresh averages", "Mean and spread measured again on new pictures, without their labels."),
    Word("normalized once", r"normalized once",
        "Constants from the first batch in place of batch norm: they are never measured again."),
    Word("shaken batch norm", r"[Ss]haken(?: batch norm)?",
        "Random scale and shift put on the values behind each normalization, anew in every step."),
    Word("covariate shift", r"(?<!internal )covariate shift",
        "Pictures at test that are distributed otherwise than in training."),
    Word("internal covariate shift", r"internal covariate shift",
        "Two senses: a layer's inputs move while it learns; or a layer's gradient changes when the layers below step."),
    Word("first weights, scale or gain", r"started small|first weights",
        "How large the weights are before training; 1 is the scale of He and others. Networks started small have less, which figures write as a factor."),
    Word("drift", r"drifts?", "How far a unit's mean and spread move between two moments of training."),
    Word("seed", r"seeds?",
        "A number that fixes split, first weights and the order of batches. Two arms with one seed share them."),
    Word("arm", r"arms?", "What stands between a layer's linear map and its ReLU."),
    Word("steps to target", r"",
        "Steps until the training loss is below the target at two looks in a row; never, if not within the budget."),
    Word("diverged", r"diverged?", "A run whose loss grew without end. It counts as never."),
    Word("interval", r"intervals?",
        "From the k-th smallest to the k-th largest of n seeds. All K intervals of a question hold together with 95%."),
    Word("smallest effect that matters", r"", "Fixed before training. An interval beyond it decides a claim."),
    Word("severity", r"severity", "How far test pictures are shifted, from 0 to 5."),
    Word("points", r"points", "Percent of accuracy, by which two accuracies differ."),
    Word("layer", r"hidden layers?|layers?",
        "A linear map of all numbers of the layer before, a norm where there is one, and a ReLU."),
    Word("ReLU", r"ReLUs?", "What is below 0 becomes 0; the rest stays."),
    Word("plain networks", r"plain networks?", "Layers one after another, each seeing only the one before."),
    Word("skips", r"skips|skip connections?",
        "Connections past two layers: what went in is added to what comes out, as in a ResNet."),
    Word("convolutional networks", r"convolutional networks?",
        "Each layer looks at 3 by 3 pixels at a time, with the same weights everywhere in the picture."),
    Word("gradient", r"gradients?", "For each weight, how much the loss would change with it. A step goes against it."),
    Word("learning rate", r"(?:learning )?rates?", "How long a step along the gradient is."),
)  # fmt: skip


WORDS = "|".join(rf"(?P<word_{number}>{word.found})" for number, word in enumerate(GLOSSARY, 1) if word.found)
PARTS = re.compile(rf"<a .*?</a>|<[^>]+>|\b(?:{WORDS})\b", re.DOTALL)


def explained(text: str) -> str:
    """Return HTML of paragraphs and lists whose first use of each word, outside links, leads to the glossary."""
    known: set[str] = set()

    def linked(part: re.Match[str]) -> str:
        word = part.lastgroup  # of a tag or a link: none
        if word is None or word in known:
            return part[0]
        known.add(word)
        return f'<a class="word" href="#{word.replace("_", "-")}">{part[0]}</a>'

    return PARTS.sub(linked, text)
