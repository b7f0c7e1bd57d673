"""A reward that prefers short translations, and what a policy makes of it in a minute."""

from pathlib import Path

import torch

import rlattn
from rlattn.agents import make_ppo, trained_policy
from rlattn.corpora import load_corpus
from rlattn.inference import translate
from rlattn.rewards import register_reward


@register_reward
def brevity(step):
    return -torch.ones_like(step.reads_fraction)  # minus one for the token of every lane


corpus = f"tsv:{Path(__file__).with_name('reviews.tsv')}"
task = {"corpus": corpus, "host": "builtin:300steps", "prefix": "free", "reward": {"brevity": 1.0}}
env = rlattn.make_sb3("rlattn/TranslatePosition-v0", **task)
ppo = make_ppo(env).learn(32_000, progress_bar=True)

sources = [pair.source for pair in load_corpus(corpus).valid]
for name, policy in {"native": None, "brief": trained_policy(ppo)}.items():
    texts = translate(env.core.host, sources, policy).texts
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{name}: {words:.1f} words, such as {texts[0]!r}")
