"""The quiz: questions and key of docs/quiz.md, each answer folded under its question."""

import re

from bnstudy.report.page.marks import escape


def quiz(text: str) -> str:
    """Return the quiz's questions with their answers.

    Raises:
        ValueError: the text has no key, or not one answer for each question.
    """
    asked, _, key = text.partition("\n## Key")
    questions, answers = _items(asked), _items(key)
    if not questions or len(questions) != len(answers):
        raise ValueError(f"the quiz has {len(questions)} questions and {len(answers)} answers; each needs its own")
    rows = "".join(
        f"<li><p>{escape(question)}</p><details><summary>Answer</summary><p>{escape(answer)}</p></details></li>"
        for question, answer in zip(questions, answers, strict=True)
    )
    return f'<ol class="quiz">{rows}</ol>'


def _items(text: str) -> list[str]:
    """Return the numbered paragraphs of a text in Markdown, each on one line."""
    return [" ".join(item.split()) for item in re.split(r"^\d+\. ", text, flags=re.M)[1:]]
