"""Gondim-Ribeiro, Tabacof and Valle 2018, "Adversarial attacks on VAEs".

The follow-up of `tabacof2016`, whose curves and pictures it shares: convolutional and
recurrent autoencoders beside a dense one. `runs` holds the networks and attacks, `draw`
makes the artefact.

    ./reproduce.sh tabacof2018_draw
"""
