"""Ming, Du and Lin 2022.

"Semantic Autoencoder and Its Potential Usage for Adversarial Attack". `printed` holds
what the paper prints, `runs` the networks and attacks. Section III: `table2` makes
Table II with Figs. 3 and 4, `plateau` and `weight` settle what the paper leaves open.
Section IV: `attack`, with its claims in `attack_claims`.

    ./reproduce.sh ming2022_mnist ming2022_cifar10
"""
