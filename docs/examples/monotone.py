"""An action family that allows only a monotone window: reading that never goes back."""

from pathlib import Path

import torch

import rlattn
from rlattn.actions import Window, register_family
from rlattn.agents import PPOSettings, make_ppo, trained_policy
from rlattn.corpora import load_corpus


@register_family
class Monotone(Window):
    name = "monotone"

    def on(self, before):
        here = type(self)()  # the family for these lanes, which knows where they looked last
        here.start = (before.attention > 0).int().argmax(-1, keepdim=True)
        return here

    def opened(self, action, mask):
        places = torch.arange(mask.shape[1], device=mask.device)
        ahead = super().opened(action, mask) & (places >= self.start)
        return torch.where(ahead.any(-1, keepdim=True), ahead, places == self.start)


corpus = f"tsv:{Path(__file__).with_name('reviews.tsv')}"
task = {"corpus": corpus, "host": "builtin:300steps", "reward": {"agreement": 1.0, "reads": -0.4}}
env = rlattn.make_sb3("rlattn/Translate-v0", action="monotone", **task)
ppo = make_ppo(env, PPOSettings(learning_rate=2e-3, gamma=0.9)).learn(60_000, progress_bar=True)

host, pairs = env.core.host, load_corpus(corpus).valid
batch = host.tokenizer([pair.source for pair in pairs], padding=True, return_tensors="pt")
with trained_policy(ppo).steer(host.model, trace=True) as trace:
    texts = host.detokenize(host.model.generate(**batch, max_new_tokens=32).tolist())
right = sum(text == pair.target for text, pair in zip(texts, pairs, strict=True)) / len(pairs)
back = torch.stack([opened.int().argmax(-1) for opened in trace.opened]).diff(dim=0) < 0
print(f"{right:.0%} right at {trace.reads_fraction.mean():.0%} reads, {back.sum()} steps back")
