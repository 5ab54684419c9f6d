"""Tabacof, Tavares and Valle 2016, "Adversarial images for variational autoencoders".

`printed` holds the numbers of the authors' published results and the bounds of the
claims, `runs` the networks and attacks. `trade_offs` reads attacks, `autoencoders`
makes the artefacts of section 3 with their `claims`, `classifiers` that of section 4.

    ./reproduce.sh tabacof2016_mnist tabacof2016_classifier
"""
