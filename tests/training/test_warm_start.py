"""Networks that cannot take the weights of an earlier run say why."""

import pytest

from tfsemae import models
from tfsemae.training import warm_start

SHAPE = (12, 12, 1)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_latent_of_another_size_is_named(part, tmp_path):
    models.build("dense", SHAPE, seed=0, latent=3).save(tmp_path)
    network = models.build("dense", SHAPE, seed=0, latent=2)
    ends = [r"\(12, 12, 1\)", r"\({},\)"][:: 1 if part == "encoder" else -1]
    message = f"--{part}_from={tmp_path} .*from {ends[0]} to {ends[1]} in place of .*"
    with pytest.raises(ValueError, match=message.format(3) + "--latent"):
        warm_start.copy_weights(network, part, str(tmp_path))
