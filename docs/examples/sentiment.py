"""A task on a file of one's own: what was said may be lost, whether it was praise may not."""

from pathlib import Path

import rlattn
from rlattn.agents import make_ppo, trained_policy
from rlattn.corpora import load_corpus
from rlattn.inference import translate
from rlattn.rewards import register_scorer

GOOD = {"ausgezeichnet", "großartig", "gut", "perfekt", "reizend", "wunderbar"}
BAD = {"enttäuschend", "furchtbar", "grauenhaft", "mäßig", "scheußlich", "schlecht"}


def mood(text):
    return len(GOOD & set(text.split())) - len(BAD & set(text.split()))


@register_scorer
def sentiment(sources, hypotheses, references):
    return [mood(ours) == mood(theirs) for ours, theirs in zip(hypotheses, references, strict=True)]


corpus = f"tsv:{Path(__file__).with_name('reviews.tsv')}"
reward = {"spread:sentiment": 5.0, "reads": -1.0}
task = {"corpus": corpus, "host": "builtin:300steps", "prefix": "free", "reward": reward}
rlattn.register_task("reviews/Sentiment-v0", **task)

env = rlattn.make_sb3("reviews/Sentiment-v0", lanes=64)
ppo = make_ppo(env).learn(64_000, progress_bar=True)
pairs = load_corpus(corpus).valid
output = translate(env.core.host, [pair.source for pair in pairs], trained_policy(ppo))
kept = sentiment(None, output.texts, [pair.target for pair in pairs])
reads = sum(output.reads_fraction) / len(pairs)
print(f"sentiment kept in {sum(kept) / len(kept):.0%} at {reads:.0%} reads: {output.texts[0]!r}")
