"""The quiz: questions and key of docs/quiz.md, each answer folded under its question."""

import re

from bnstudy.report.page.templates import filled


def quiz(text: str) -> str:
    """Return the quiz's questions with their answers.

    Raises:
        ValueError: the text has no key, or not one answer for each question.
    """
    asked, _, key = text.partition("\n## Key")
    questions, answers = _items(asked), _items(key)
    if not questions or len(questions) != len(answers):
        raise ValueError(f"the quiz has {len(questions)} questions and {len(answers)} answers; each needs its own")
    return filled("quiz.html", pairs=zip(questions, answers))


def _items(text: str) -> list[str]:
    """Return the numbered paragraphs of a text in Markdown, each on one line."""
    return [" ".join(item.split()) for item in re.split(r"^\d+\. ", text, flags=re.M)[1:]]
