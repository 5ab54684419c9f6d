"""ECE 417, lecture 22 (Hasegawa-Johnson, University of Illinois, 8 November 2018).

`adversarial_images`, `domain_adversarial`, `pca`, `vae`, `gan`, `augmentation` and
`speech` make an artefact each. `runs` holds the trainings that several of them take,
`domain_runs`, `gan_runs`, `augmentation_runs` and `speech_runs` those of one, `scales`
their lengths, and `bounds` what decides the claims.

    ./reproduce.sh ece417_adversarial_images ece417_domain_adversarial
    ./reproduce.sh ece417_pca ece417_vae ece417_gan ece417_augmentation ece417_speech
"""
