"""The group-balanced loss of token features, its score, and the guesses to stand beside."""

import pytest
import torch

from ditr_train.config.model_config import ConfigError
from ditr_train.methods.token_target import GroupCosine, TokenTarget


def target(groups=3, power=1.0, loss="smooth-l1"):
    """Fitted to 6 tokens along x, 3 along y and 1 along z."""
    tokens = torch.eye(3).repeat_interleave(torch.tensor([6, 3, 1]), dim=0)
    places = torch.arange(20.0).reshape(10, 2)
    made = TokenTarget(3, groups, power, loss)
    made.fit(tokens, places, 0)
    return made, tokens


def test_all_groups_count_the_same():
    balanced, tokens = target()
    # Shares 0.6, 0.3 and 0.1: weights 1/0.6, 1/0.3 and 1/0.1, which are 3 on average over tokens, over 3.
    group = balanced.group(balanced.standardize(tokens))
    torch.testing.assert_close(balanced.weights[group], torch.tensor([1 / 1.8] * 6 + [1 / 0.9] * 3 + [1 / 0.3]))
    # Each group gives a third of the loss of errors that are 3 in one channel of three: (3 - 0.5) / 3.
    predicted = balanced.standardize(tokens)
    for wrong, share in (([0, 1, 2, 3, 4, 5], 1 / 3), ([6], 1 / 9), ([9], 1 / 3)):
        changed = predicted.clone()
        changed[wrong, 1] += 3
        assert balanced.loss(changed, tokens).item() == pytest.approx(share * 2.5 / 3, rel=1e-5)
    plain, _ = target(power=0.0)
    assert torch.equal(plain.weights, torch.ones(3))
    half, _ = target(power=0.5)
    roots = torch.tensor([0.6, 0.3, 0.1]) ** -0.5
    expected = (roots / (roots * torch.tensor([0.6, 0.3, 0.1])).sum())[:, None]
    torch.testing.assert_close(half.weights.sort().values, expected[:, 0].sort().values)


def test_the_cosine_is_an_alternative():
    made, tokens = target(loss="cosine")
    features = made.standardize(tokens)
    assert made.loss(5 * features, tokens).item() == pytest.approx(0, abs=1e-6)
    assert made.loss(-features, tokens).item() == pytest.approx(2)


def test_the_score_counts_groups_and_guesses_know_only_the_place():
    made, tokens = target()
    features = made.standardize(tokens)
    tally = GroupCosine(made)
    wrong = features.clone()
    wrong[9] *= -1
    tally.add(wrong[:4], tokens[:4])
    tally.add(wrong[4:], tokens[4:])
    assert tally.value() == pytest.approx((1 + 1 - 1) / 3)
    guesses = made.guesses(torch.arange(20.0).reshape(10, 2))
    # Each token of this target has a place of its own.
    torch.testing.assert_close(guesses["place"], features)
    balance = made.weights[made.group(features)][:, None]
    torch.testing.assert_close(guesses["constant"], (features * balance).mean(0).expand(10, 3))
    assert GroupCosine(made).value() == 0
    with pytest.raises(ConfigError, match="11 groups cannot be found in 10 regions"):
        target(groups=11)
