"""Lu and Chen 2023.

"On the Adversarial Robustness of Generative Autoencoders in the Latent Space".
`printed` holds what the paper prints and the bounds of its claims, `runs` the networks
and attacks. `areas` reads attacks and compares networks, `comparisons` decides claims
on both grids of radii, `tables` makes rows, `pictures` draws. Section 4.1: `table1`
with Figs. 3 to 9 and its claims in `table1_claims`, `table2` with Fig. 11, and
`adversarial_training` with Fig. 10. Section 4.2: `table3` with Fig. 12.

    ./reproduce.sh lu2023_table1 lu2023_table2
"""
