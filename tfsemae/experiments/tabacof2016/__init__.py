"""Tabacof, Tavares and Valle 2016, "Adversarial images for variational autoencoders".

`printed` holds the numbers of the authors' published results and the bounds of the
claims, `runs` the networks and attacks. `trade_offs` reads attacks, `autoencoders`
makes the artefacts of section 3 with their `claims`.

    ./reproduce.sh tabacof2016_mnist
"""
